//go:build unix

package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
)

var header = regexp.MustCompile(`'descr': '([^']*)', 'fortran_order': False, 'shape': \((\d+),(?: (\d+))?,?\)`)

// readArray reads a file in NumPy's format, version 1, of one or two dimensions; cols is 1 for one.
func readArray[T float32 | int32](path, kind string) (values []T, cols int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = f.Close() }()
	r := bufio.NewReaderSize(f, 1<<20)
	start := make([]byte, 10)
	if _, err := io.ReadFull(r, start); err != nil || !bytes.HasPrefix(start, []byte("\x93NUMPY\x01")) {
		return nil, 0, fmt.Errorf("%s: not an array of version 1 (%v)", path, err)
	}
	text := make([]byte, binary.LittleEndian.Uint16(start[8:]))
	if _, err := io.ReadFull(r, text); err != nil {
		return nil, 0, fmt.Errorf("%s: %w", path, err)
	}
	m := header.FindSubmatch(text)
	if m == nil || string(m[1]) != kind {
		return nil, 0, fmt.Errorf("%s: header %q, want %s row after row", path, text, kind)
	}
	rows, err := strconv.Atoi(string(m[2]))
	if err != nil {
		return nil, 0, fmt.Errorf("%s: %w", path, err)
	}
	cols = 1
	if len(m[3]) > 0 {
		if cols, err = strconv.Atoi(string(m[3])); err != nil {
			return nil, 0, fmt.Errorf("%s: %w", path, err)
		}
	}
	values = make([]T, rows*cols)
	if err := binary.Read(r, binary.LittleEndian, values); err != nil {
		return nil, 0, fmt.Errorf("%s: %w", path, err)
	}
	return values, cols, nil
}
