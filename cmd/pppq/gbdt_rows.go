package main

import (
	"context"
	"io"
)

// inOrder reads a table to its end: it calls work with the blocks, on several goroutines, and emit with the results in
// the order of the blocks. The first error ends it, without waiting for blocks that are being read or worked on: a
// source that gives nothing cannot be stopped, and the process is about to end.
func inOrder[T any](ctx context.Context, t *csvTable, workers int, work func(csvBlock) (T, error), emit func(T) error) error {
	type result struct {
		value T
		err   error
	}
	ctx, cancel := context.WithCancel(ctx)
	order := make(chan chan result, workers)
	defer cancel()
	go func() {
		defer close(order)
		for {
			b, err := t.next()
			if err == io.EOF {
				return
			}
			done := make(chan result, 1)
			select {
			case order <- done:
			case <-ctx.Done():
				return
			}
			if err != nil {
				done <- result{err: err}
				return
			}
			go func() {
				var r result
				if r.err = ctx.Err(); r.err == nil {
					r.value, r.err = work(b)
				}
				done <- r
			}()
		}
	}()
	for {
		var done chan result
		select {
		case <-ctx.Done():
			return ctx.Err()
		case d, ok := <-order:
			if !ok {
				return ctx.Err()
			}
			done = d
		}
		r := <-done
		if r.err != nil {
			return r.err
		}
		if err := emit(r.value); err != nil {
			return err
		}
	}
}
