package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// maxHeader bounds the head of a request beyond 4 KiB that net/http adds;
	// above it net/http answers 431 itself.
	maxHeader = 32 << 10
	// replacedEvery is how often the program's own file is looked at.
	replacedEvery = 500 * time.Millisecond
	// lastRequests is how long connections that are still open when the listener
	// is closed may take to send what they have; stillFor is how long none of them
	// ends when all that is left are idle ones.
	lastRequests = 500 * time.Millisecond
	stillFor     = 200 * time.Millisecond
)

// ErrReplaced ends Serve when Options.Executable was replaced: start the new one.
var ErrReplaced = errors.New("the program's file was replaced")

// Listen opens the address. A taken port and other common faults are one clear
// line.
func Listen(address string) (net.Listener, error) {
	var c net.ListenConfig
	c.SetMultipathTCP(false) // no filter can be put on such a socket, see refuseNew
	l, err := c.Listen(context.Background(), "tcp", address)
	switch {
	case err == nil:
		return l, nil
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s is taken: stop what listens there, or choose another port with PORT or --port", address)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("%s needs more rights: choose a port above 1023 with PORT or --port", address)
	}
	return nil, fmt.Errorf("listen on %s: %w", address, err)
}

// Serve answers on a listener until ctx ends, follows the folder of models
// meanwhile, and reloads on SIGHUP. The end is calm: /readyz turns false, the
// service goes on for Options.Drain, each answer ending its connection, takes no
// more connections, and gives what runs the time that one request may take. Serve returns when everything it
// started has ended; nil after a calm end.
func Serve(ctx context.Context, s *Service, h *Handler, l net.Listener) error {
	o := &s.options
	server := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: o.HeaderTimeout,
		ReadTimeout:       o.BodyTimeout,
		WriteTimeout:      o.BodyTimeout + o.Timeout + o.BodyTimeout,
		IdleTimeout:       o.IdleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(o.Log.Handler(), slog.LevelWarn),
		Protocols:         new(http.Protocols),
	}
	var open atomic.Int64 // connections
	server.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			open.Add(1)
		case http.StateClosed, http.StateHijacked:
			open.Add(-1)
		default: // of no interest
		}
	}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(o.H2C)

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var running sync.WaitGroup
	running.Go(func() { s.Watch(ctx) })
	running.Go(func() { s.follow(ctx) })
	running.Go(func() { s.onHangup(ctx) })
	if o.Executable != "" {
		// An error is of a file that is gone: there is nothing to compare with.
		if first, err := os.Stat(o.Executable); err == nil {
			running.Go(func() { watchFile(ctx, o.Executable, first, cancel) })
		}
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()

	var err error
	select {
	case err = <-ended: // the listener broke
		cancel(nil)
	case <-ctx.Done():
		err = h.drain(server, l, ended, &open)
	}
	running.Wait()
	if err == nil && errors.Is(context.Cause(ctx), ErrReplaced) {
		return ErrReplaced
	}
	return err
}

// drain ends the server so that nobody loses an answer. Two things would lose
// some: an idle connection that is closed while a proxy sends on it, so every
// answer now closes its own; and Shutdown, which drops what it finds unread on
// connections made a moment ago, so these come first.
func (h *Handler) drain(server *http.Server, l net.Listener, ended <-chan error, open *atomic.Int64) error {
	h.draining.Store(true)
	h.options.Log.Info("draining", "seconds", h.options.Drain.Seconds())
	h.sleep(h.options.Drain)
	refuseNew(l)
	l.Close() // an error is of a listener that broke meanwhile
	<-ended
	closed := time.Now()
	changed, before := closed, open.Load()
	for before > 0 && time.Since(closed) < lastRequests && time.Since(changed) < stillFor {
		time.Sleep(time.Millisecond)
		if n := open.Load(); n != before {
			changed, before = time.Now(), n
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), h.options.Timeout+time.Second)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("requests still ran at the end: %w", err), server.Close())
	}
	return nil
}

// onHangup reloads at each SIGHUP until ctx ends.
func (s *Service) onHangup(ctx context.Context) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangups:
			if _, changed, err := s.Reload(); err != nil {
				s.options.Log.Error("reload", "error", err.Error())
			} else if !changed {
				s.options.Log.Info("reload: the version in service is the same")
			}
		}
	}
}

// watchFile cancels with ErrReplaced when a file is another than at first.
func watchFile(ctx context.Context, path string, first os.FileInfo, cancel context.CancelCauseFunc) {
	tick := time.NewTicker(replacedEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		// While it is being written it may be missing.
		now, err := os.Stat(path)
		if err == nil && (!os.SameFile(first, now) || !now.ModTime().Equal(first.ModTime()) || now.Size() != first.Size()) {
			cancel(ErrReplaced)
			return
		}
	}
}
