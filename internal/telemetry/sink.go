package telemetry

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const (
	// flushEvery is how long a line waits at most before it is written.
	flushEvery = 100 * time.Millisecond
	// flushAt is how many waiting bytes wake the writer earlier.
	flushAt = 64 << 10
	// maxWaiting bounds the waiting bytes while an output is stuck; lines above
	// it are dropped and counted.
	maxWaiting = 4 << 20
	// rotateAt is the size at which a log file is set aside, keepFiles how many
	// of those stay.
	rotateAt  = 16 << 20
	keepFiles = 5
	// LogFile is the name of the file in LOG_DIR; older ones end in .1, .2, ...
	LogFile = "pppq.log"
)

// A Sink collects whole lines in memory and writes them in the background, to
// one writer and, if asked, to a rotated file. Append and Write never wait for
// an output.
type Sink struct {
	out  io.Writer
	file *rotated
	// dropped is called for every line that is lost.
	dropped func()

	mu      sync.Mutex
	waiting []byte
	closed  bool
	err     error // the last fault of an output

	spare []byte
	wake  chan struct{}
	stop  chan struct{}
	done  chan struct{}
}

// NewSink starts a sink that writes to out (nil for none) and, if dir is not
// empty, to a rotated file in that folder. dropped may be nil. The error says
// that the file cannot be written. Close ends the sink.
func NewSink(out io.Writer, dir string, dropped func()) (*Sink, error) {
	if dropped == nil {
		dropped = func() {}
	}
	s := &Sink{out: out, dropped: dropped, wake: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{})}
	if dir != "" {
		file, err := openRotated(filepath.Join(dir, LogFile))
		if err != nil {
			return nil, err
		}
		s.file = file
	}
	go s.run()
	return s, nil
}

// Append adds a line, which must end with a line feed. The bytes are copied.
func (s *Sink) Append(line []byte) {
	s.mu.Lock()
	if s.closed || len(s.waiting)+len(line) > maxWaiting {
		s.mu.Unlock()
		s.dropped()
		return
	}
	s.waiting = append(s.waiting, line...)
	full := len(s.waiting) >= flushAt
	s.mu.Unlock()
	if full {
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
}

// Write is Append as an io.Writer; it never fails.
func (s *Sink) Write(line []byte) (int, error) {
	s.Append(line)
	return len(line), nil
}

// Close writes what waits and returns the last fault of an output. It can be
// called twice.
func (s *Sink) Close() error {
	s.mu.Lock()
	first := !s.closed
	s.closed = true
	s.mu.Unlock()
	if first {
		close(s.stop)
	}
	<-s.done
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

func (s *Sink) run() {
	defer close(s.done)
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-s.wake:
		case <-s.stop:
			s.flush()
			if s.file != nil {
				s.note(s.file.f.Close())
			}
			return
		}
		s.flush()
	}
}

// flush swaps the waiting bytes for an empty buffer and writes them outside the
// lock.
func (s *Sink) flush() {
	s.mu.Lock()
	lines := s.waiting
	s.waiting = s.spare[:0]
	s.mu.Unlock()
	if len(lines) > 0 {
		if s.out != nil {
			_, err := s.out.Write(lines)
			s.note(err)
		}
		if s.file != nil {
			s.note(s.file.write(lines))
		}
	}
	if cap(lines) > 1<<20 {
		lines = nil // one burst does not hold memory for ever
	}
	s.spare = lines
}

func (s *Sink) note(err error) {
	if err != nil {
		s.mu.Lock()
		s.err = err
		s.mu.Unlock()
	}
}

// A rotated file is set aside when it has grown to rotateAt.
type rotated struct {
	path string
	f    *os.File
	size int64
}

func openRotated(path string) (*rotated, error) {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o640)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("LOG_DIR: the folder %s is not there: make it, or name another", filepath.Dir(path))
	}
	if err != nil {
		return nil, fmt.Errorf("log file: %w", err)
	}
	stat, err := f.Stat()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("log file: %w", err), f.Close())
	}
	return &rotated{path: path, f: f, size: stat.Size()}, nil
}

func (r *rotated) write(lines []byte) error {
	var rotateErr error
	if r.size > 0 && r.size+int64(len(lines)) > rotateAt {
		rotateErr = r.rotate()
	}
	n, err := r.f.Write(lines)
	r.size += int64(n)
	return errors.Join(rotateErr, err)
}

// rotate renames path.4 to path.5, ..., path to path.1 and opens path anew; a
// failed renaming leaves one file that grows on.
func (r *rotated) rotate() error {
	err := r.f.Close()
	for i := keepFiles - 1; i >= 0; i-- {
		from := r.path
		if i > 0 {
			from = fmt.Sprintf("%s.%d", r.path, i)
		}
		if e := os.Rename(from, fmt.Sprintf("%s.%d", r.path, i+1)); e != nil && !errors.Is(e, os.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	next, openErr := openRotated(r.path)
	if openErr != nil {
		return errors.Join(err, openErr)
	}
	*r = *next
	return err
}
