package main

import (
	"net/http"
	"sync"
	"time"

	"github.com/pppq/pppq/internal/api"
	"github.com/pppq/pppq/internal/bundle"
	"github.com/pppq/pppq/internal/web"
)

// pages are the pages for people beside the operations for programs; private
// ones are not for everyone.
func pages(service *api.Service, private bool) map[string]http.Handler {
	h := web.NewHandler(web.Deps{Current: currentModel(service), Now: time.Now, Private: private})
	out := map[string]http.Handler{}
	for _, pattern := range []string{"GET /{$}", "GET /report", "GET /assets/{asset}", "GET /static/{file}"} {
		out[pattern] = h
	}
	return out
}

// currentModel gives the pages the model in service, made once a version.
func currentModel(service *api.Service) func() *web.Model {
	var (
		mu    sync.Mutex
		of    *bundle.Bundle
		model *web.Model
	)
	return func() *web.Model {
		b := service.Bundle()
		if b == nil {
			return nil
		}
		mu.Lock()
		defer mu.Unlock()
		if b != of {
			of, model = b, web.NewModel(b.Forecaster, b.Report)
		}
		return model
	}
}
