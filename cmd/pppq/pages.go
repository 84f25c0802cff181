package main

import (
	"net/http"

	"github.com/pppq/pppq/internal/api"
)

// pages are the pages for people beside the operations for programs.
func pages(*api.Service) map[string]http.Handler { return nil }
