package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/pppq/pppq/internal/bundle"
	"github.com/pppq/pppq/internal/series"
)

// Versions lists the model versions of the folder, newest first.
type Versions struct {
	Models []VersionLine `json:"models"`
}

// A VersionLine is one model version.
type VersionLine struct {
	Version   string `json:"version"`
	InService bool   `json:"in_service" doc:"Whether the folder has it in service"`
	Previous  bool   `json:"previous" doc:"Whether a rollback would return to it"`
	// Readable is false for a version that can't be put into service.
	Readable bool            `json:"readable" doc:"Whether its manifest can be read by this program"`
	Created  *time.Time      `json:"created,omitempty"`
	Program  string          `json:"program,omitempty"`
	Baseline bool            `json:"baseline"`
	DataAsOf series.Month    `json:"data_as_of,omitempty"`
	Alarms   int             `json:"alarms"`
	Metrics  *bundle.Metrics `json:"metrics,omitempty"`
}

type versionsOutput struct {
	Body Versions
}

func (h *Handler) registerVersions() {
	operate(h, huma.Operation{
		OperationID: "models", Method: http.MethodGet, Path: "/api/v1/models", Tags: []string{"models"},
		Summary:     "Model versions",
		Description: "As the folder of models was seen some seconds ago at most.",
		Errors:      []int{401, 429},
	}, policy{scope: reads}, func(context.Context, *call, *none) (*versionsOutput, error) {
		out := &versionsOutput{Body: Versions{Models: []VersionLine{}}}
		if v := h.service.versions.Load(); v != nil {
			out.Body = *v
		}
		return out, nil
	})
}

// listVersions looks through the folder of models for the requests that ask.
func (s *Service) listVersions() {
	s.listing.Lock()
	defer s.listing.Unlock()
	entries, err := s.options.Models.List()
	if err != nil {
		s.options.Log.Warn("list models", "error", err.Error())
		return
	}
	v := &Versions{Models: make([]VersionLine, 0, len(entries))}
	for _, e := range entries {
		line := VersionLine{Version: e.Version, InService: e.InService, Previous: e.Previous, Readable: e.Err == nil}
		if m := e.Manifest; m != nil {
			line.Created, line.Program, line.Baseline, line.DataAsOf = &m.Created, m.Program, m.Baseline, m.DataAsOf
			line.Alarms, line.Metrics = m.Alarms, &m.Metrics
		}
		v.Models = append(v.Models, line)
	}
	s.versions.Store(v)
}

// lookEvery is how often the folders are looked at for what is listed: versions,
// and the ledger.
const lookEvery = 2 * time.Second

// follow keeps what requests list up to date until ctx ends.
func (s *Service) follow(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var seen string
	for {
		if now := s.options.Models.Stamp(); now != seen {
			seen = now
			s.listVersions()
		}
		s.readLedger()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
