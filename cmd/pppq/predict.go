package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pppq/pppq/client"
	"github.com/pppq/pppq/internal/bundle"
	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/panel"
	"github.com/pppq/pppq/internal/series"
	"github.com/pppq/pppq/internal/store"
)

// question holds the flags that predict and compare share.
type question struct {
	horizon   float64
	modelType string
	asJSON    bool
}

func (q *question) flags(cmd *cobra.Command) {
	cmd.Flags().Float64Var(&q.horizon, "horizon", 5, "`YEARS` ahead, 1 to 10 in steps of 0.25")
	cmd.Flags().StringVar(&q.modelType, "model-type", string(forecast.Ensemble), "lgbm, xgb or ensemble")
	cmd.Flags().BoolVar(&q.asJSON, "json", false, "print JSON")
	settingFlags(cmd, "MODELS_DIR", "DATA_DIR")
}

// ask is the question of one asset.
func (q *question) ask(asset string) (forecast.Question, error) {
	months := q.horizon * 12
	if months != math.Round(months) || math.Abs(months) > 1e6 {
		return forecast.Question{}, usageError("--horizon %v: want 1 to 10 in steps of 0.25", q.horizon)
	}
	return forecast.Question{Asset: asset, Months: int(months), Model: forecast.ModelType(q.modelType)}, nil
}

// inService loads the version in service and warns of those that were refused.
func inService(cmd *cobra.Command) (*bundle.Bundle, error) {
	s, err := settings(cmd)
	if err != nil {
		return nil, err
	}
	b, refusals, err := (bundle.Folder{Dir: s.ModelsDir, Program: programVersion()}).LoadCurrent()
	for _, r := range refusals {
		fmt.Fprintf(cmd.ErrOrStderr(), "pppq: refused: %v\n", r)
	}
	return b, err
}

// questionError gives a fault of a question to f the exit code of wrong usage,
// fields of an answer the names of their flags, and a name that is not known
// the reason, or those that are.
func questionError(cmd *cobra.Command, f *forecast.Forecaster, err error) error {
	var unknown *forecast.UnknownAsset
	if errors.As(err, &unknown) {
		if why := unserved(cmd, f, unknown.Asset); why != nil {
			return why
		}
		if len(unknown.Near) > 0 {
			return &exitError{exitUsage, err}
		}
		known := make([]string, len(f.Assets))
		for i := range f.Assets {
			known[i] = f.Assets[i].Asset.ID
		}
		return usageError("%w; known: %s", err, strings.Join(known, ", "))
	}
	var invalid *forecast.InvalidValue
	if !errors.As(err, &invalid) {
		return err
	}
	what, of, _ := strings.Cut(invalid.Field, "/")
	switch what {
	case "horizon_years":
		what = "--horizon"
	case "model_type":
		what = "--model-type"
	case "features":
		what = strings.TrimSpace("--set " + of)
		if invalid.Reason == forecast.UnknownFeature {
			known := forecast.ShortNames()
			for _, f := range panel.Features() {
				known = append(known, f.Name)
			}
			return usageError("%s: %s; known: %s", what, invalid.Reason, strings.Join(known, ", "))
		}
	case "assets":
		if i, err := strconv.Atoi(of); err == nil {
			what = fmt.Sprintf("asset %d", i+1)
		}
	}
	return usageError("%s: %s", what, invalid.Reason)
}

// unserved says why an asset of the data folder is not in f; nil if the folder
// does not hold it, or can't be read.
func unserved(cmd *cobra.Command, f *forecast.Forecaster, asset string) error {
	s, err := settings(cmd)
	if err != nil {
		return nil
	}
	st, err := store.Open(s.DataDir)
	if err != nil {
		return nil
	}
	_, assets, err := st.Load(cmd.Context())
	if err != nil {
		return nil
	}
	i := slices.IndexFunc(assets, func(a series.Asset) bool { return strings.EqualFold(a.ID, asset) })
	if i < 0 {
		return nil
	}
	if f.History != nil {
		// A training keeps the record also of what it can't forecast.
		if _, ok := f.History.Asset(assets[i].ID); ok {
			return usageError("%s had too few figures for a forecast when the model in service was trained; import more, then run \"pppq train\"", assets[i].ID)
		}
	}
	return usageError("%s is imported, but not in the model in service: run \"pppq train\"", assets[i].ID)
}

func predictCommand() *cobra.Command {
	var (
		q       question
		explain bool
		set     []string
		server  string
	)
	cmd := &cobra.Command{
		Use: "predict ASSET", Short: "Forecast how much purchasing power an asset keeps", Args: exactly(1, "one asset"),
		Long: `Predict prints the chance that an asset keeps its purchasing power, what 100 dollars
are then likely to buy, how sure that is, and why. Assets are SP500, Treasury10, Bills,
Banknotes, Gold, Silver, Copper, Oil, Bitcoin and the ones you imported, in any case.
With --set some of the figures are replaced and the answer is hypothetical; rates are
fractions (0.045 is 4.5 %), and inflation, yield and cape are short names. With
--server a running service answers; a key for it is taken from PPPQ_KEY.`,
		Example: "  pppq predict Gold --horizon 5\n  pppq predict Bills --horizon 2 --model-type lgbm --explain\n  pppq predict Treasury10 --set inflation=0.08 --json\n  pppq predict Gold --server http://127.0.0.1:8000",
		RunE: func(cmd *cobra.Command, args []string) error {
			ask, err := q.ask(args[0])
			if err != nil {
				return err
			}
			if ask.Features, err = parseFeatures(set); err != nil {
				return err
			}
			ask.Explain = explain || q.asJSON
			var a *forecast.Answer
			if server != "" {
				a, err = askServer(cmd.Context(), server, ask)
			} else {
				a, err = askHere(cmd, ask)
			}
			if err != nil {
				return err
			}
			if q.asJSON {
				return printJSON(cmd.OutOrStdout(), a)
			}
			return printAnswer(cmd.OutOrStdout(), a, explain, time.Now())
		},
	}
	q.flags(cmd)
	cmd.Flags().BoolVar(&explain, "explain", false, "show what moved the spread")
	cmd.Flags().StringArrayVar(&set, "set", nil, "replace a figure, as `NAME=VALUE`, rates as fractions; may be repeated")
	cmd.Flags().StringVar(&server, "server", "", "ask the service at `URL` instead of the models folder")
	return cmd
}

// askHere answers from the version in service in the models folder.
func askHere(cmd *cobra.Command, ask forecast.Question) (*forecast.Answer, error) {
	b, err := inService(cmd)
	if err != nil {
		return nil, err
	}
	a, err := b.Forecaster.Answer(ask, time.Now())
	if err != nil {
		return nil, questionError(cmd, b.Forecaster, err)
	}
	return a, nil
}

// askServer lets a running service answer.
func askServer(ctx context.Context, address string, ask forecast.Question) (*forecast.Answer, error) {
	c, err := client.New(address, client.Options{Key: os.Getenv("PPPQ_KEY"), UserAgent: "pppq/" + programVersion()})
	if err != nil {
		return nil, usageError("--server: %w", err)
	}
	f, err := c.Predict(ctx, client.Question{
		Asset: ask.Asset, HorizonYears: float64(ask.Months) / 12, ModelType: string(ask.Model), Features: ask.Features, Explain: &ask.Explain,
	})
	var problem *client.Problem
	if errors.As(err, &problem) && (problem.Status == http.StatusNotFound || problem.Status == http.StatusUnprocessableEntity) {
		return nil, &exitError{exitUsage, err}
	}
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(f)
	if err != nil {
		return nil, err
	}
	a := new(forecast.Answer)
	if err := json.Unmarshal(text, a); err != nil {
		return nil, fmt.Errorf("answer of %s: %w", address, err)
	}
	return a, nil
}

func parseFeatures(set []string) (map[string]float64, error) {
	out := map[string]float64{}
	for _, s := range set {
		name, text, ok := strings.Cut(s, "=")
		value, err := strconv.ParseFloat(text, 64)
		if !ok || err != nil {
			return nil, usageError("--set %q: want NAME=VALUE with a number", s)
		}
		if math.IsNaN(value) || math.IsInf(value, 0) {
			return nil, usageError("--set %s: want a number, got %s", name, text)
		}
		if _, twice := out[name]; twice {
			return nil, usageError("--set %s: it is given twice", name)
		}
		out[name] = value
	}
	return out, nil
}

func printAnswer(w io.Writer, a *forecast.Answer, explain bool, now time.Time) error {
	today := "buy today"
	if forecast.Ended(a.DataAsOf, now) {
		today = "bought in " + a.DataAsOf.String()
		fmt.Fprintf(w, "%s over %s, NOT FROM TODAY: %s\n\n", a.Title, years(a.HorizonYears), a.Past(now))
	} else {
		fmt.Fprintf(w, "%s over %s, from figures to %s%s\n\n", a.Title, years(a.HorizonYears), a.DataAsOf, staleMark(a, now))
	}
	fmt.Fprintf(w, "  keeps its purchasing power with probability %.0f %%: class %s (%.0f %%)\n", 100*a.Probabilities.A, a.PredictedClass, 100*a.Confidence)
	fmt.Fprintf(w, "  100 $ then buy what %.0f $ %s; 8 times in 10 between %.0f and %.0f $\n", a.Buys.Median, today, a.Buys.P10, a.Buys.P90)
	fmt.Fprintf(w, "  real return a year %+.1f %%, 8 times in 10 between %+.1f and %+.1f %%\n\n", 100*a.AnnualReturn.Median, 100*a.AnnualReturn.P10, 100*a.AnnualReturn.P90)
	t := newTable(w)
	fmt.Fprintln(t, "  \tA keeps all\tB loses to 10 %\tC 10 to 30 %\tD more than 30 %")
	row := func(name string, c forecast.Classes) {
		fmt.Fprintf(t, "  %s\t%.0f %%\t%.0f %%\t%.0f %%\t%.0f %%\n", name, 100*c.A, 100*c.B, 100*c.C, 100*c.D)
	}
	row("forecast", a.Probabilities)
	if a.BaseRate.Windows > 0 {
		row("its own past", a.BaseRate.Classes)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\n  evidence %s: %.1f windows of this length that do not overlap\n", a.Evidence, a.EffectiveWindows)
	fmt.Fprintf(w, "\nWhy\n")
	for _, p := range a.Core.Parts {
		fmt.Fprintf(w, "  %s a year  %s\n", signed(math.Expm1(p.Rate)), p.Name)
	}
	cut, rate := a.Cut()
	if cut != "" {
		fmt.Fprintf(w, "  %s a year  %s\n", signed(math.Expm1(rate)), cut)
	}
	if len(a.Core.Parts) > 1 || cut != "" {
		fmt.Fprintf(w, "  %s a year  together, compounded\n", signed(math.Expm1(a.Core.Center+rate)))
	}
	if explain {
		fmt.Fprintf(w, "  what the model used to widen or narrow the spread (which changes P(loss)):\n")
		for _, c := range a.Contributions {
			fmt.Fprintf(w, "  %s spread, %s P(loss)  %s\n", signed(math.Expm1(c.LnSpread)), signed(c.Loss), c.Family)
		}
	}
	section := func(title string, lines []string) {
		if len(lines) == 0 {
			return
		}
		fmt.Fprintf(w, "\n%s\n", title)
		for _, l := range lines {
			fmt.Fprintf(w, "  - %s\n", l)
		}
	}
	section("For it", a.Strengths)
	section("Against it", a.Weaknesses)
	section("Notes", a.Notes)
	printGoods(w, a.Goods)
	if r := a.Reference; r != nil {
		fmt.Fprintf(w, "\nSuch forecasts of all assets at %s: skill %+.3f [%+.3f, %+.3f] over %s, %d blocks\n", years(r.HorizonYears), r.Skill, r.Low, r.High, r.Baseline, r.Blocks)
	}
	fmt.Fprintf(w, "Not covered: %s\n", a.NotCovered)
	_, err := fmt.Fprintf(w, "Model %s\n", a.ModelVersion)
	return err
}

// signed is a share in percent with its sign; what rounds to nothing has none.
func signed(x float64) string {
	x = math.Round(1000*x) / 10
	if x == 0 {
		return " 0.0 %"
	}
	return fmt.Sprintf("%+.1f %%", x)
}

func printGoods(w io.Writer, lines []forecast.GoodsLine) {
	t := newTable(w)
	fmt.Fprintf(t, "\n  100 $ of it buy\tnow\t1 year before\t5 years before\n")
	cell := func(c *forecast.GoodsCount) string {
		if c == nil {
			return "-"
		}
		return fmt.Sprintf("%.1f (%s)", c.Units, c.Month)
	}
	for _, l := range lines {
		fmt.Fprintf(t, "  %s, %s\t%s\t%s\t%s\n", l.Good, l.Unit, cell(l.Now), cell(l.YearAgo), cell(l.FiveYearsAgo))
	}
	t.Flush()
}
