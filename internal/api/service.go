package api

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/pppq/pppq/internal/bundle"
	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/power"
	"github.com/pppq/pppq/internal/telemetry"
)

// A Service holds the model in service and puts another in its place. Requests
// read the model through one atomic pointer: none sees a mixture of two.
type Service struct {
	options     Options
	current     atomic.Pointer[model]
	versions    atomic.Pointer[Versions]
	record      atomic.Pointer[ledger]
	predictions map[forecast.ModelType]*telemetry.Predictions

	// loading serialises loads: each reads under it what the folder has in service,
	// so that no older one comes after a newer one. listing does the same for lists,
	// writing for what this process writes into the folder. Only operations of
	// administration take them.
	loading, listing, writing sync.Mutex
}

// NewService makes a service without a model. Options.Metrics may be nil for
// metrics that nobody sees.
func NewService(o Options) *Service {
	if o.Metrics == nil {
		o.Metrics = telemetry.NewMetrics(o.Version)
	}
	o.Models.Program = o.Version
	s := &Service{options: o, predictions: map[forecast.ModelType]*telemetry.Predictions{}}
	for _, m := range forecast.ModelTypes {
		s.predictions[m] = o.Metrics.Predictions(string(m), classNames())
	}
	s.readLedger()
	return s
}

// classNames are the four classes from best to worst.
func classNames() []string {
	var names []string
	for c := range power.NumClasses {
		names = append(names, power.Class(c).String())
	}
	return names
}

// Bundle returns the model in service, nil if there is none.
func (s *Service) Bundle() *bundle.Bundle {
	if m := s.current.Load(); m != nil {
		return m.Bundle
	}
	return nil
}

// Put puts a loaded bundle into service. Loading it checked its files and its
// golden answers; here it must answer one question of every asset before any
// request sees it, and what requests share is made ready.
func (s *Service) Put(b *bundle.Bundle) error {
	m, err := newModel(b, s.options.Version, s.options.Cache, s.options.Now())
	if err != nil {
		s.options.Metrics.Reload(false)
		return fmt.Errorf("model %s is refused: %w", b.Manifest.Version, err)
	}
	s.current.Store(m)
	s.options.Metrics.SetModel(m.figures())
	s.options.Metrics.Reload(true)
	s.listVersions()
	s.options.Log.Info("model in service", "version", b.Manifest.Version, "data_as_of", b.Manifest.DataAsOf.String(), "baseline", b.Manifest.Baseline)
	return nil
}

// Reload loads what the folder of models has in service now, if that is another
// version. What can't be loaded is refused, logged and counted; the model in
// service stays.
func (s *Service) Reload() (version string, changed bool, err error) {
	s.loading.Lock()
	defer s.loading.Unlock()
	now := s.Bundle()
	b, refused, err := s.options.Models.LoadCurrent()
	if err == nil && len(refused) > 0 && now != nil {
		// Something older stands in for a damaged version: what serves is no worse.
		err = refused[0]
	}
	if err == nil && now != nil && now.Manifest.Version == b.Manifest.Version {
		return b.Manifest.Version, false, nil
	}
	if err != nil {
		if len(refused) > 0 {
			s.refuse(refused[0])
		}
		return "", false, err
	}
	for _, r := range refused {
		s.refuse(r)
	}
	if err := s.Put(b); err != nil {
		return "", false, err
	}
	return b.Manifest.Version, true, nil
}

// refuse logs and counts a version that could not be loaded.
func (s *Service) refuse(err error) {
	s.options.Metrics.Reload(false)
	s.options.Log.Error("a model version is refused; the one in service stays", "error", err.Error())
}

// version is the version in service, "" for none.
func (s *Service) version() string {
	if b := s.Bundle(); b != nil {
		return b.Manifest.Version
	}
	return ""
}

// Watch follows the folder of models until ctx ends, looking at least every
// 250 ms.
func (s *Service) Watch(ctx context.Context) {
	s.options.Models.Watch(ctx, bundle.WatchInterval, s.version, func() error {
		_, _, err := s.Reload()
		if refusal := (*bundle.Refusal)(nil); err != nil && !errors.As(err, &refusal) {
			s.options.Log.Error("reload", "error", err.Error())
		}
		return err
	})
}
