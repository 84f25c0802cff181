package lockfile

import (
	"os"
	"syscall"
)

// errHeld is ERROR_SHARING_VIOLATION: another process has the file open.
var errHeld error = syscall.Errno(32)

// open opens the file for writing and shares it for reading only, so that every
// other attempt to open it for writing is refused while it is open, and who
// holds it can still be read. The system closes it with the process.
func open(path string) (*os.File, error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	h, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, syscall.FILE_SHARE_READ,
		nil, syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(h), path), nil
}

// unlock has nothing to do: closing the file gives the lock back.
func unlock(*os.File) error { return nil }
