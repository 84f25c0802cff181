package web

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/pppq/pppq/internal/backtest"
	"github.com/pppq/pppq/internal/forecast"
)

// hostile puts a text wherever a model or a report may hold one.
func hostile(m *Model, text string) *Model {
	f := *m.Forecaster
	f.Version = text
	f.Assets = append([]forecast.AssetState(nil), f.Assets...)
	old := f.Assets[4].Asset.ID
	f.Assets[4].Asset.ID, f.Assets[4].Asset.Title, f.Assets[4].Sources = text, text, []string{text}
	history := *f.History
	history.Goods, history.Assets = append([]forecast.Good(nil), history.Goods...), append([]forecast.AssetHistory(nil), history.Assets...)
	history.Goods[0].Name, history.Goods[0].Unit = text, text
	for i := range history.Assets {
		if history.Assets[i].ID == old {
			history.Assets[i].ID = text
		}
	}
	f.History = &history

	r := *m.Report
	r.Method, r.Assets = text, []string{text}
	r.Alarms = []backtest.Alarm{{What: text}}
	r.Rungs = append([]backtest.RungInfo(nil), r.Rungs...)
	r.Rungs[6].Name, r.Rungs[6].Title, r.Rungs[6].Below = text, text, text
	r.Horizons = append([]backtest.HorizonReport(nil), r.Horizons[:1]...)
	h := &r.Horizons[0]
	h.BestClimatology = text
	h.Rungs = append([]backtest.RungScore(nil), h.Rungs...)
	h.Rungs[6].Rung, h.Rungs[6].Skill.Reference, h.Rungs[6].AbsentClasses = text, text, []string{text}
	h.Groups = append([]backtest.GroupScore(nil), h.Groups...)
	for i := range h.Groups {
		if h.Groups[i].Group == old {
			h.Groups[i].Group = text
		}
	}
	r.Paths = append([]backtest.Path(nil), r.Paths[4:5]...)
	r.Paths[0].Asset = text
	return NewModel(&f, &r)
}

// documents renders every page that holds text of a model.
func documents(t testing.TB, m *Model) map[string][]byte {
	t.Helper()
	asset, err := assetPage(m, m.Forecaster.Assets[4].Asset.ID, today)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{"file": renderReport(t, m.Report)}
	for name, d := range map[string]*document{
		"overview": homePage(m, today), "asset": asset, "report": reportPage(m.Report),
		"message": messagePage("Nothing here", m.Version, m.Version, []string{m.Version}),
	} {
		var b bytes.Buffer
		if err := d.write(&b); err != nil {
			t.Fatal(err)
		}
		out[name] = b.Bytes()
	}
	return out
}

// shape lists the elements of a page and the names of their attributes: what
// no text may change.
func shape(root *element) string {
	var b strings.Builder
	root.each(func(e *element) {
		b.WriteString(e.name)
		for _, name := range []string{"href", "class", "id", "role", "scope", "style", "src", "onload", "onclick"} {
			if _, ok := e.attrs[name]; ok {
				b.WriteString(" " + name)
			}
		}
		b.WriteByte('\n')
	})
	return b.String()
}

// FuzzEscaping puts any text into a model and a report: the pages must have the
// same elements as with a harmless text, and show the text as it is.
func FuzzEscaping(f *testing.F) {
	m := loadModel(f)
	harmless := map[string]string{}
	for name, page := range documents(f, hostile(m, "Tin")) {
		harmless[name] = shape(mustParse(f, page))
	}
	for _, text := range []string{
		"<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "' onload='x", "</style><style>*{}", "]]>", "<!--", "&lt;&amp;&nbsp;&#60;",
		"</svg></title>", "javascript:alert(1)", "%s%n{{.}}", "ü €", "a\u202eb", "../..", "?#",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !plainText(text) {
			return
		}
		for name, page := range documents(t, hostile(m, text)) {
			root, err := parseHTML(page)
			if err != nil {
				t.Fatalf("%s with %q: %v", name, text, err)
			}
			if got := shape(root); got != harmless[name] {
				t.Errorf("%s with %q has other elements than with a harmless text", name, text)
			}
			if !strings.Contains(root.text, text) {
				t.Errorf("%s does not show %q", name, text)
			}
		}
	})
}

// plainText reports whether a text can stand for one name among others: no
// character that the parser of this test refuses, no name that means something
// here, not the harmless one's or another asset's.
func plainText(s string) bool {
	if !utf8.ValidString(s) || len(s) > 200 || s != strings.TrimSpace(s) || s == "" {
		return false
	}
	for _, r := range s {
		if r < ' ' || r == 0x7f || r == 0xfffe || r == 0xffff || r == utf8.RuneError {
			return false
		}
	}
	for _, known := range []string{"sp500", "treasury10", "bills", "banknotes", "gold", "silver", "copper", "oil", "bitcoin"} {
		if strings.EqualFold(s, known) {
			return false
		}
	}
	return !strings.Contains(strings.Join([]string{
		"stocks", "yielding", "metals and oil", "coin", "climatology_pooled", "climatology_asset", "climatology_partial", "persistence", "historical_core",
		"carry_core", "logit", "class_trees", "mean_trees", "lgbm", "xgb", "ensemble", "pool", "calibrated",
		"A_PRESERVER", "B_PARTIAL", "C_ERODER", "D_DESTROYER",
	}, "\n"), s)
}

// TestHostilePath asks for pages by names that try to break out.
func TestHostilePath(t *testing.T) {
	t.Parallel()
	s := newSite(loadModel(t))
	for _, path := range []string{"/assets/%22%3E%3Csvg%20onload=alert(1)%3E", "/%3Cb%3E", "/assets/%00%01", "/assets/%E2%80%AEdloG", "/assets/%FF"} {
		r, body := s.ask(t, "GET", path)
		if r.StatusCode != 404 {
			t.Errorf("%s: %s, want 404", path, r.Status)
		}
		checkMarkup(t, body, false)
	}
}
