// Command livereload builds and runs pppq for development: it builds it anew when
// a source file changes, and the running program takes the new file over.
//
//	go run ./cmd/livereload -o /tmp/pppq -- up
//
// With RELOAD=false it builds once.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"github.com/pppq/pppq/internal/livereload"
)

// pollEvery is how often the source files are looked at.
const pollEvery = 500 * time.Millisecond

func main() {
	out := flag.String("o", "pppq-dev", "where to put the program")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, *out, flag.Args())
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "livereload:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out string, args []string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	p := &program{path: out, args: args, ended: make(chan error, 1)}
	build := func(ctx context.Context) error {
		next := out + ".next"
		c := exec.CommandContext(ctx, "go", "build", "-o", next, "./cmd/pppq")
		c.Stdout, c.Stderr = os.Stderr, os.Stderr
		if err := c.Run(); err != nil {
			return err
		}
		if err := os.Rename(next, out); err != nil {
			return err
		}
		return p.ensure(ctx)
	}
	say := func(s string) { fmt.Fprintln(os.Stderr, "livereload:", s) }
	var err error
	if os.Getenv("RELOAD") == "false" {
		err = build(ctx)
		<-ctx.Done()
	} else {
		err = livereload.Follow(ctx, os.DirFS("."), pollEvery, build, say)
	}
	return errors.Join(err, p.wait())
}

// A program is started when it does not run; a running one takes its new file
// over by itself.
type program struct {
	path    string
	args    []string
	ended   chan error
	running bool
}

func (p *program) ensure(ctx context.Context) error {
	if p.running {
		select {
		case err := <-p.ended:
			fmt.Fprintln(os.Stderr, "livereload: the program had ended:", err)
			p.running = false
		default:
			return nil
		}
	}
	c := exec.CommandContext(ctx, p.path, p.args...)
	c.Stdout, c.Stderr = os.Stdout, os.Stderr
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	c.WaitDelay = 30 * time.Second
	if err := c.Start(); err != nil {
		return err
	}
	p.running = true
	go func() { p.ended <- c.Wait() }()
	return nil
}

// wait waits for the end of the program, which the end of its context asked for.
func (p *program) wait() error {
	if !p.running {
		return nil
	}
	if err := <-p.ended; err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}
