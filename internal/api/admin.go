package api

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"syscall"

	"github.com/danielgtaylor/huma/v2"

	"github.com/pppq/pppq/internal/bundle"
	"github.com/pppq/pppq/internal/lockfile"
)

// maxAdmin bounds the body of an administration request.
const maxAdmin = 4 << 10

// A PromoteRequest names a version.
type PromoteRequest struct {
	Version string `json:"version" minLength:"1" maxLength:"64" doc:"A version that GET /api/v1/models lists" example:"20261122T181500Z-4f2a"`
}

// InService says which version answers now.
type InService struct {
	Version string `json:"version"`
	Changed bool   `json:"changed" doc:"Whether it is another one than before"`
}

type promoteInput struct {
	Body PromoteRequest
}

type inServiceOutput struct {
	Body InService
}

func (h *Handler) registerAdmin() {
	refusals := []int{401, 403, 404, 409, 413, 415, 422, 429}
	operate(h, huma.Operation{
		OperationID: "reload", Method: http.MethodPost, Path: "/api/v1/models/reload", Tags: []string{"models"},
		Summary:     "Load what the folder of models has in service",
		Description: "The service looks by itself several times a second; this does it now and says what came of it. A version that can't be loaded is refused and the one in service stays.",
		Errors:      []int{401, 403, 409, 429},
	}, policy{scope: administers}, func(_ context.Context, c *call, _ *none) (*inServiceOutput, error) {
		return inService(h.service.Reload())
	})
	operate(h, huma.Operation{
		OperationID: "promote", Method: http.MethodPost, Path: "/api/v1/models/promote", Tags: []string{"models"},
		Summary: "Put a version into service", Errors: refusals,
		RequestBody: example(map[string]any{"version": "20261122T181500Z-4f2a"}),
	}, policy{scope: administers, body: maxAdmin}, func(_ context.Context, c *call, in *promoteInput) (*inServiceOutput, error) {
		if bundle.CheckVersion(in.Body.Version) != nil {
			return nil, newProblem(kindUnknownVersion, "this is not the name of a version; GET /api/v1/models lists them")
		}
		return h.service.change("promote "+in.Body.Version, func(w *bundle.Writer) error { return w.Promote(in.Body.Version) })
	})
	operate(h, huma.Operation{
		OperationID: "rollback", Method: http.MethodPost, Path: "/api/v1/models/rollback", Tags: []string{"models"},
		Summary: "Put the version that served before into service again", Errors: []int{401, 403, 409, 429},
	}, policy{scope: administers}, func(_ context.Context, c *call, _ *none) (*inServiceOutput, error) {
		return h.service.change("roll back", func(w *bundle.Writer) error {
			_, err := w.Rollback()
			return err
		})
	})
}

func inService(version string, changed bool, err error) (*inServiceOutput, error) {
	if err != nil {
		return nil, err
	}
	return &inServiceOutput{Body: InService{Version: version, Changed: changed}}, nil
}

// change changes which version the folder of models has in service, and follows.
func (s *Service) change(what string, change func(*bundle.Writer) error) (*inServiceOutput, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	before := s.version()
	if err := s.write(what, change); err != nil {
		if refusal := (*bundle.Refusal)(nil); errors.As(err, &refusal) && !errors.Is(err, fs.ErrNotExist) {
			s.refuse(err)
		}
		return nil, err
	}
	version, _, err := s.Reload()
	s.listVersions() // also where the watch was faster
	return inService(version, version != before, err)
}

// write changes the folder of models under its lock.
func (s *Service) write(what string, change func(*bundle.Writer) error) (err error) {
	w, err := s.options.Models.Lock("pppq serve: "+what, s.options.Now())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	return change(w)
}

// modelProblem is the part of the table of problems about the folder of models;
// nil if err is of another kind.
func modelProblem(err error) *Problem {
	var (
		refusal *bundle.Refusal
		held    *lockfile.HeldError
	)
	switch {
	case errors.As(err, &refusal) && errors.Is(err, fs.ErrNotExist) && refusal.Version != "":
		return newProblem(kindUnknownVersion, "the folder of models has no such version, or a file of it is missing")
	case errors.As(err, &refusal) && errors.Is(err, bundle.ErrIncompatible):
		return newProblem(kindConflict, "the version was written by another program: train a new model")
	case errors.As(err, &refusal):
		return newProblem(kindConflict, fmt.Sprintf("its file %s does not hold; the log says what is wrong with it", refusal.File))
	case errors.As(err, &held):
		return newProblem(kindConflict, "another process writes into the folder of models: try again when it has ended").with("Retry-After", "5")
	case errors.Is(err, bundle.ErrNoPrevious):
		return newProblem(kindConflict, "no version was in service before")
	case errors.Is(err, bundle.ErrNone):
		return newProblem(kindConflict, "the folder of models holds nothing that can serve")
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return newProblem(kindConflict, "the service may only read the folder of models: use `pppq models` where it is kept")
	}
	return nil
}
