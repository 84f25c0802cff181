// Package importer brings a user's CSV file into the data folder: figures that
// extend a series the folder holds, or an asset of the user's own.
//
// Run does the whole of it: it reads the file, finds out what it is for, makes
// months of days, and adds to the store what is new. Nothing is written if any
// of that is refused.
package importer

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/pppq/pppq/internal/series"
	"github.com/pppq/pppq/internal/source"
	"github.com/pppq/pppq/internal/store"
)

// ErrUsage is what errors about the options are, as opposed to those about the
// files; their text does not hold its own.
var ErrUsage = errors.New("wrong usage")

// usageError is an ErrUsage that says what is wrong and no more.
type usageError struct{ error }

func (e usageError) Unwrap() []error { return []error{ErrUsage, e.error} }

func usage(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

const (
	// MonthsToForecast is how many months without a gap an asset needs at its end.
	MonthsToForecast = 12
	// MonthsToScore is how many months an asset needs to be in the walk-forward test.
	MonthsToScore = 62
)

// Options say what to import. Without Series and ID the header's column or the
// file's name must be the id of a series or an asset.
type Options struct {
	// File is the path of the figures.
	File string
	// Series is the id of the series to extend, or of an asset for its price.
	Series string
	// ID names the user's own asset, new or held; Title, Unit and Fee describe it
	// and, left empty, stay as they are. Fee is a yearly share of the holding.
	ID, Title, Unit string
	Fee             *float64
	// IncomeFile is the path of what one unit paid out and when; a month without
	// a payment has none.
	IncomeFile string
	// Column names the column of values.
	Column string
	// Sampling is End or Average; empty: as the series has it, End for a new asset.
	Sampling series.Sampling
	Dates    source.DateOrder
	Decimal  source.DecimalMark
	// Now is the time of the import: its month is running and gets no figure,
	// and revisions are known from its day.
	Now time.Time
	// DryRun does everything but write.
	DryRun bool
}

// A FileResult is what became of one file.
type FileResult struct {
	File   string `json:"file"`
	Column string `json:"column"`
	// Rows were read, and made Months from First to Last.
	Rows    int              `json:"rows"`
	Daily   bool             `json:"daily"`
	Months  int              `json:"months"`
	First   series.Month     `json:"first"`
	Last    series.Month     `json:"last"`
	Skipped []source.Skipped `json:"skipped,omitempty"`
	// Sampling is what the months stand for.
	Sampling series.Sampling `json:"sampling"`
	// Merged says what the months did to the series.
	Merged store.Merged `json:"merged"`
}

// A Result is what an import did, or in a dry run would do.
type Result struct {
	DryRun bool `json:"dry_run"`
	// Asset is the user's own asset, empty if a series of the program's was extended.
	Asset string `json:"asset,omitempty"`
	// CanForecast and CanScore say whether an own asset is long enough.
	CanForecast bool        `json:"can_forecast"`
	CanScore    bool        `json:"can_score"`
	Price       FileResult  `json:"price"`
	Income      *FileResult `json:"income,omitempty"`
	// Notes are remarks for the user, a sentence each.
	Notes []string `json:"notes,omitempty"`
}

// Run imports. The caller holds the store's lock unless DryRun is set. The error
// wraps ErrUsage for wrong options, is a *csvfile.ParseError for a fault in a
// file, and wraps store.ErrSampling for figures that don't fit the series.
func Run(ctx context.Context, st *store.Store, o Options) (Result, error) {
	if err := o.validate(); err != nil {
		return Result{}, err
	}
	set, assets, err := st.Load(ctx)
	if err != nil {
		return Result{}, err
	}
	file, err := source.OpenCSV(o.File)
	if err != nil {
		return Result{}, err
	}
	t, err := findTarget(set, assets, file, o)
	if err != nil {
		return Result{}, err
	}
	update := store.Update{Asset: t.asset, Now: o.Now, DryRun: o.DryRun}
	result := Result{DryRun: o.DryRun}
	var su store.SeriesUpdate
	if su, result.Price, err = read(file, t.price, t.names, o); err != nil {
		return Result{}, err
	}
	update.Series = append(update.Series, su)
	if o.IncomeFile != "" {
		file, err := source.OpenCSV(o.IncomeFile)
		if err != nil {
			return Result{}, err
		}
		o := o
		o.Column = ""
		income := FileResult{}
		if su, income, err = read(file, *t.income, []string{t.income.ID}, o); err != nil {
			return Result{}, err
		}
		result.Income = &income
		update.Series = append(update.Series, su)
	}
	merged, err := st.Apply(ctx, update)
	if err != nil {
		return Result{}, err
	}
	result.Price.Merged = merged[0]
	if result.Income != nil {
		result.Income.Merged = merged[1]
	}
	result.judge(t)
	return result, nil
}

func (o Options) validate() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if o.File == "" {
		fault("no file given")
	}
	if o.Series != "" && o.ID != "" {
		fault("--series extends a series and --id makes an asset of your own: give one of them")
	}
	if o.ID != "" {
		switch err := series.CheckAssetID(o.ID); {
		case err != nil:
			fault("%w", err)
		case store.IsBuiltin(o.ID):
			fault("asset %s is built in: extend its figures with --series, or choose another --id", o.ID)
		case source.IsUsualColumn(o.ID):
			fault("asset id %q is a usual name of a column: choose another --id", o.ID)
		}
	}
	if o.Sampling != "" && o.Sampling != series.End && o.Sampling != series.Average {
		fault("sampling %q: want %s or %s", o.Sampling, series.End, series.Average)
	}
	if o.Dates != source.OrderByFile && o.Dates != source.MonthFirst && o.Dates != source.DayFirst {
		fault("dates %q: want %s or %s", o.Dates, source.MonthFirst, source.DayFirst)
	}
	if o.Decimal != source.DecimalByFile && o.Decimal != source.DecimalPoint && o.Decimal != source.DecimalComma {
		fault("decimal %q: want %s or %s", o.Decimal, source.DecimalPoint, source.DecimalComma)
	}
	if o.Fee != nil && !(*o.Fee >= 0 && *o.Fee <= store.MaxFee) {
		fault("fee %v: want a yearly share from 0 to %v", *o.Fee, store.MaxFee)
	}
	if o.Now.IsZero() {
		fault("no time given")
	}
	if len(faults) > 0 {
		return usageError{errors.Join(faults...)}
	}
	return nil
}

// read makes the months of a file for a series.
func read(file *source.CSV, info series.Info, names []string, o Options) (store.SeriesUpdate, FileResult, error) {
	months, err := file.Months(source.MonthOptions{
		Rule: ruleFor(info), Bound: boundFor(info), Column: o.Column, Names: names,
		Dates: o.Dates, Decimal: o.Decimal, Today: series.DateOf(o.Now),
	})
	if err != nil {
		return store.SeriesUpdate{}, FileResult{}, err
	}
	origin := "import of " + label(file.Name())
	for i := range months.Figures {
		f := &months.Figures[i]
		f.KnownFrom, f.Source = info.Lag.KnownFrom(f.Period), origin
	}
	return store.SeriesUpdate{Info: info, Figures: months.Figures}, FileResult{
		File: file.Name(), Column: months.Column, Rows: months.Rows, Daily: months.Daily,
		Months: len(months.Figures), First: months.Figures[0].Period, Last: months.Figures[len(months.Figures)-1].Period,
		Skipped: months.Skipped, Sampling: info.Sampling,
	}, nil
}

// label is a file's name without its folder, short and printable.
func label(path string) string {
	name := strings.ToValidUTF8(filepath.Base(path), "?")
	if len(name) > 100 {
		name = strings.ToValidUTF8(name[:100], "")
	}
	if series.CheckText(name) != nil {
		return "a file"
	}
	return name
}

func ruleFor(info series.Info) source.MonthRule {
	switch {
	case info.Sampling == series.End:
		return source.Ends
	case info.Sampling == series.Average:
		return source.Averages
	case info.Licence == store.LicenceOwn && info.Role == series.RoleIncome:
		return source.Sums
	}
	return source.Monthly
}

func boundFor(info series.Info) source.Bound {
	switch {
	case strings.HasPrefix(info.Unit, "%"):
		return source.AnyValue
	case info.Role == series.RoleIncome:
		return source.NotNegative
	case info.Sampling == series.Trailing12: // earnings may be losses
		return source.AnyValue
	}
	return source.AboveZero
}

// judge says what the asset is now good for and what the user should know.
func (r *Result) judge(t target) {
	note := func(format string, args ...any) { r.Notes = append(r.Notes, fmt.Sprintf(format, args...)) }
	price := r.Price.Merged
	if n := len(price.GapsFilled); n > 0 && t.asset == nil {
		note("%d months between known ones count as known from the day of this import, since the publisher left them out", n)
	}
	if t.asset == nil {
		return
	}
	r.Asset = t.asset.ID
	r.CanForecast = price.Trailing >= MonthsToForecast
	r.CanScore = price.Months >= MonthsToScore
	if !r.CanForecast {
		note("a forecast needs the last %d months without a gap; there are %d", MonthsToForecast, price.Trailing)
	}
	if !r.CanScore {
		note("the walk-forward test needs %d months; there are %d", MonthsToScore, price.Months)
	}
	revised := len(price.Revised)
	if r.Income != nil {
		revised += len(r.Income.Merged.Revised)
	}
	if revised > 0 {
		note("revised figures count from the day of this import: forecasts from earlier figures, the newest included, use the old ones; "+
			"to correct the whole past run \"pppq dataset remove %s\" and import it anew", t.asset.ID)
	}
	if r.Income == nil {
		return
	}
	income := r.Income.Merged
	if income.First > price.First+24 {
		note("income begins %s and the price %s: the time before counts as without income", income.First, price.First)
	}
	if income.Last+12 < price.Last {
		note("income ends %s and the price %s: the time after counts as without income", income.Last, price.Last)
	}
}

// known lists ids for an error: the program's series, then the user's assets.
func known(set *series.Set, assets []series.Asset) string {
	var ids, own []string
	for _, id := range set.IDs() {
		if s, err := set.Get(id); err == nil && s.Licence != store.LicenceOwn {
			ids = append(ids, id)
		}
	}
	for _, a := range assets {
		if !store.IsBuiltin(a.ID) {
			own = append(own, a.ID)
		}
	}
	if len(own) == 0 {
		return strings.Join(ids, ", ")
	}
	return strings.Join(ids, ", ") + "; your own assets are " + strings.Join(own, ", ")
}
