//go:build unix

package api

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/pppq/pppq/client"
	"github.com/pppq/pppq/internal/forecast"
)

// The Go client against the service itself.
func TestClient(t *testing.T) {
	t.Parallel()
	folder, versions := twoModels(t)
	key, line := testKey(t, "boss", "admin")
	f := setup(t, func(o *Options) {
		o.Models.Dir, o.Keys, o.Log = folder.Dir, parseKeys(t, line), slog.New(slog.DiscardHandler)
	})
	r := serve(t, f)
	ctx := context.Background()
	c := must(client.New(r.url, client.Options{Key: key}))

	one, err := c.Predict(ctx, client.Question{Asset: "gold", HorizonYears: 5})
	if err != nil || one.Asset != "Gold" || len(one.Contributions) == 0 || one.DataAsOf == "" || one.BaseRate.Windows == 0 {
		t.Fatalf("%+v, %v", one, err)
	}
	lines, err := c.PredictBatch(ctx, []client.Question{{Asset: "Gold", HorizonYears: 5}, {Asset: "x", HorizonYears: 5}})
	if err != nil || len(lines) != 2 || lines[0].Forecast.Multiple != one.Multiple || lines[1].Problem.Status != 404 {
		t.Errorf("%+v, %v", lines, err)
	}
	ranked, err := c.Compare(ctx, []string{"Gold", "Bills"}, 10, "lgbm")
	if err != nil || len(ranked) != 2 || ranked[0].Rank != 1 || ranked[0].Forecast.ModelType != "lgbm" {
		t.Errorf("%+v, %v", ranked, err)
	}
	assets, err := c.Assets(ctx)
	if err != nil || len(assets) != 9 {
		t.Errorf("%+v, %v", assets, err)
	}
	rows, err := c.History(ctx, "SP500", "", "", "Gold")
	if err != nil || len(rows) < 600 || rows[0].Real == nil || *rows[0].Real != 100 {
		t.Errorf("%d rows, %v", len(rows), err)
	}
	m, err := c.Model(ctx)
	if err != nil || m.Version != versions[1] {
		t.Errorf("%+v, %v", m, err)
	}
	h, err := c.Health(ctx)
	if err != nil || h.Status != "healthy" || h.Data == nil {
		t.Errorf("%+v, %v", h, err)
	}
	if v, err := c.Rollback(ctx); err != nil || v != versions[0] {
		t.Errorf("rollback %s, %v", v, err)
	}
	if v, err := c.Promote(ctx, versions[1]); err != nil || v != versions[1] {
		t.Errorf("promote %s, %v", v, err)
	}
	if v, err := c.Reload(ctx); err != nil || v != versions[1] {
		t.Errorf("reload %s, %v", v, err)
	}
	var p *client.Problem
	if _, err := c.Predict(ctx, client.Question{Asset: "golt", HorizonYears: 5}); !errors.As(err, &p) || p.Status != 404 || !slices.Contains(p.Near, "Gold") {
		t.Errorf("unknown asset: %v", err)
	}
	if _, err := c.Predict(ctx, client.Question{Asset: "gold", HorizonYears: 11}); !errors.As(err, &p) || len(p.Errors) != 1 || p.Errors[0].Pointer != "/horizon_years" {
		t.Errorf("eleven years: %v", err)
	}
	if _, err := must(client.New(r.url, client.Options{})).Assets(ctx); !errors.As(err, &p) || p.Status != 401 {
		t.Errorf("without a key: %v", err)
	}
	r.end()

	empty := serve(t, setup(t, func(o *Options) { o.Models.Dir = "" }))
	if h, err := must(client.New(empty.url, client.Options{})).Health(ctx); err != nil || h.Status != "unhealthy" || h.Reason == "" {
		t.Errorf("%+v, %v", h, err)
	}
	empty.end()
}

// The client's types have the members of the OpenAPI document, but for those that
// are left out on purpose, and no others.
func TestClientMatchesTheDocument(t *testing.T) {
	t.Parallel()
	var doc struct {
		Components struct {
			Schemas map[string]struct {
				Properties map[string]any `json:"properties"`
			} `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(must(setup(t, nil).OpenAPI()), &doc); err != nil {
		t.Fatal(err)
	}
	names := func(t reflect.Type) []string {
		var out []string
		for i := range t.NumField() {
			field := t.Field(i)
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if name != "" && name != "-" {
				out = append(out, name)
			}
		}
		return out
	}
	leftOut := map[string][]string{
		"Model":   {"alarms", "calibration", "evaluation", "features", "seed", "series", "tiers", "weights"},
		"Problem": {"error"}, // of the Open Inference Protocol
	}
	for schema, v := range map[string]any{
		"Answer": client.Forecast{}, "PredictRequest": client.Question{}, "AssetLine": client.Asset{}, "Model": client.Model{}, "Health": client.Health{},
		"HistoryRow": client.HistoryRow{}, "Problem": client.Problem{}, "Fault": client.Fault{}, "Contribution": client.Contribution{},
		"GoodsLine": client.GoodsLine{}, "Reference": client.Reference{}, "OwnSkill": client.AssetSkill{}, "Account": client.Account{}, "Range": client.Range{}, "Classes": client.Classes{},
	} {
		properties := doc.Components.Schemas[schema].Properties
		if len(properties) == 0 {
			t.Errorf("the document has no %s", schema)
		}
		known := names(reflect.TypeOf(v))
		for _, name := range known {
			if _, ok := properties[name]; !ok {
				t.Errorf("%s of the document has no %s", schema, name)
			}
		}
		for name := range properties {
			if !slices.Contains(known, name) && !slices.Contains(leftOut[schema], name) {
				t.Errorf("the client's type for %s lacks %s", schema, name)
			}
		}
	}
	if got, want := names(reflect.TypeFor[client.Forecast]()), names(reflect.TypeFor[forecast.Answer]()); !slices.Equal(got, want) {
		t.Errorf("the client's forecast has %v, the service's %v", got, want)
	}
}
