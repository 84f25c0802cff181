package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pppq/pppq/internal/config"
	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/ledger"
	"github.com/pppq/pppq/internal/panel"
)

// ledgerTime bounds the work on the ledger after a training, so that a database
// that does not answer holds nothing up.
const ledgerTime = 2 * time.Minute

// keeper is the ledger that the settings name.
func keeper(s *config.Settings, command string) (ledger.Keeper, error) {
	st, models, err := folders(s)
	return ledger.Keeper{
		DataDir: s.DataDir, URL: s.DatabaseURL, Models: models, Command: command, Now: time.Now,
		Panel: func(ctx context.Context) (*panel.Panel, error) {
			set, assets, err := st.Load(ctx)
			if err != nil {
				return nil, err
			}
			return panel.Build(ctx, set, assets)
		},
	}, err
}

// keepLedger records the forecasts of what is in service and scores those whose
// outcome is known. A fault of it is no fault of the forecast: it is told, and
// the next run makes up for it.
func keepLedger(ctx context.Context, s *config.Settings, command string, notes io.Writer) {
	ctx, cancel := context.WithTimeout(ctx, ledgerTime)
	defer cancel()
	k, err := keeper(s, command)
	if err == nil {
		_, err = k.Update(ctx)
	}
	if err != nil {
		fmt.Fprintf(notes, "pppq: the ledger of forecasts is not up to date, the next training tries again: %s\n",
			strings.ReplaceAll(err.Error(), "\n", "; "))
	}
}

// catchUpLedger is keepLedger if an earlier run could not do it, or a version came
// into service without a training.
func catchUpLedger(ctx context.Context, s *config.Settings, command, inService string, notes io.Writer) {
	if k, err := keeper(s, command); err == nil && k.Behind(inService) {
		keepLedger(ctx, s, command, notes)
	}
}

func ledgerCommand() *cobra.Command {
	return parent("ledger", "Past forecasts: what was said, what became of it, and proof that nothing was changed",
		"  pppq ledger show --asset Gold\n  pppq ledger verify", ledgerShow(), ledgerVerify())
}

// openLedger opens the ledger that the settings name.
func openLedger(cmd *cobra.Command) (*ledger.Ledger, *config.Settings, error) {
	s, err := settings(cmd)
	if err != nil {
		return nil, nil, err
	}
	url := s.DatabaseURL
	if url == "" {
		url = ledger.DefaultURL(s.DataDir)
	}
	l, err := ledger.Open(cmd.Context(), url)
	if errors.Is(err, ledger.ErrNone) {
		err = cmp.Or(lostLedger(filepath.Join(s.DataDir, ledger.SnapshotName)), err)
	}
	return l, s, err
}

// errLost is wrapped where the database of a ledger is gone that once was.
var errLost = errors.New("restore the database from a backup, or check DATABASE_URL; to begin anew, move " + ledger.SnapshotName + " away")

// lostLedger is an error if the snapshot tells of entries although there is no
// database, nil if it tells of none.
func lostLedger(snapshot string) error {
	_, err := ledger.CheckSnapshot(snapshot, nil)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return fmt.Errorf("there is no database, yet %s tells of past forecasts: %w", snapshot, errLost)
}

// A ledgerFilter selects lines of the ledger.
type ledgerFilter struct {
	asset, modelType string
	horizon          float64
	scored           bool
}

func (q *ledgerFilter) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&q.asset, "asset", "", "only this asset")
	cmd.Flags().Float64Var(&q.horizon, "horizon", 0, "only this horizon, in `YEARS`")
	cmd.Flags().StringVar(&q.modelType, "model-type", "", "only lgbm, xgb or ensemble")
	cmd.Flags().BoolVar(&q.scored, "scored", false, "only forecasts whose outcome is known")
}

// check refuses values that no line has; 0 is no horizon if it was asked for.
func (q *ledgerFilter) check(cmd *cobra.Command) error {
	if _, ok := panel.HorizonIndex(int(math.Round(q.horizon * 12))); cmd.Flags().Changed("horizon") && (!ok || q.horizon*12 != math.Round(q.horizon*12)) {
		return usageError("--horizon %v: want 1 to 10 in steps of 0.25", q.horizon)
	}
	switch forecast.ModelType(q.modelType) {
	case "", forecast.LGBM, forecast.XGB, forecast.Ensemble:
		return nil
	}
	return usageError("--model-type %q: want lgbm, xgb or ensemble", q.modelType)
}

func (q *ledgerFilter) selects(l ledger.Line) bool {
	f := l.Forecast.Forecast
	return (q.asset == "" || strings.EqualFold(f.Asset, q.asset)) &&
		(q.horizon == 0 || float64(f.Months) == q.horizon*12) &&
		(q.modelType == "" || string(f.Model) == q.modelType) &&
		(!q.scored || l.Score != nil)
}

func ledgerShow() *cobra.Command {
	var (
		q      ledgerFilter
		limit  int
		asJSON bool
	)
	cmd := &cobra.Command{
		Use: "show", Short: "List past forecasts with what became of them, and mean scores", Args: exactly(0, "no arguments"),
		Long: `Show lists the forecasts on record, newest version first, each with its outcome once that is
known, and their mean scores beside those of the base rates that were stated with them.
The scores are over all that the flags select, whatever --limit says.`,
		Example: "  pppq ledger show --asset Gold --horizon 1 --model-type ensemble\n  pppq ledger show --scored --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := q.check(cmd); err != nil {
				return err
			}
			if limit < 0 {
				return usageError("--limit %d: want 0 for all, or more", limit)
			}
			l, _, err := openLedger(cmd)
			if err != nil {
				return err
			}
			defer l.Close()
			all, err := l.Lines(cmd.Context())
			if err != nil {
				return err
			}
			var lines []ledger.Line
			for _, line := range all {
				if q.selects(line) {
					lines = append(lines, line)
				}
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), newLedgerReport(lines, limit))
			}
			return printLedger(cmd.OutOrStdout(), lines, limit)
		},
	}
	q.flags(cmd)
	cmd.Flags().IntVar(&limit, "limit", 50, "how many forecasts to list, those of the newest version first; 0 for all")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	settingFlags(cmd, "DATA_DIR")
	return cmd
}

func ledgerVerify() *cobra.Command {
	var (
		expect string
		asJSON bool
	)
	cmd := &cobra.Command{
		Use: "verify", Short: "Check that no past entry was changed, removed or put in", Args: exactly(0, "no arguments"),
		Long: `Verify computes the hash of every entry anew, follows the chain from the first to the
last, and compares the snapshot ledger.csv with the database. The first entry that does
not hold is named, and the exit code is 3. It writes nothing: the right to read is enough.

The line it prints, as 270:5c6e..., stands for the whole past. Note it outside of this
machine: with --expect a later run shows that what was on record then still is, even if
someone computed all hashes anew.`,
		Example: "  pppq ledger verify\n  pppq ledger verify --expect 270:5c6e... --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			noted, err := parseHead(expect)
			if err != nil {
				return err
			}
			l, s, err := openLedger(cmd)
			if errors.Is(err, errLost) {
				var v verification
				if err = v.refuse(err); asJSON {
					err = errors.Join(printJSON(cmd.OutOrStdout(), v), err)
				}
				return err
			}
			if err != nil {
				return err
			}
			defer l.Close()
			v, err := verifyLedger(cmd.Context(), l, filepath.Join(s.DataDir, ledger.SnapshotName), noted)
			var bad *exitError
			if err != nil && !errors.As(err, &bad) {
				return err
			}
			w := cmd.OutOrStdout()
			switch {
			case asJSON:
				return errors.Join(printJSON(w, v), err)
			case err == nil:
				fmt.Fprintf(w, "%d entries, %d forecasts of which %d are scored: the chain holds%s\n", v.Entries, v.Forecasts, v.Scored, v.snapshotText())
				_, err = fmt.Fprintf(w, "head %d:%s\n", v.Entries, v.Head)
			}
			return err
		},
	}
	cmd.Flags().StringVar(&expect, "expect", "", "a head that was noted before, as `ENTRIES:HASH`")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	settingFlags(cmd, "DATA_DIR")
	return cmd
}

// parseHead reads what ledger verify prints as head.
func parseHead(s string) (ledger.Head, error) {
	if s == "" {
		return ledger.Head{}, nil
	}
	number, hash, ok := strings.Cut(s, ":")
	n, err := strconv.ParseInt(number, 10, 64)
	if !ok || err != nil || n < 0 || len(hash) != len(ledger.Genesis) {
		return ledger.Head{}, usageError("--expect %q: want ENTRIES:HASH as \"pppq ledger verify\" prints it", s)
	}
	return ledger.Head{Entries: n, Hash: hash}, nil
}

// A verification is what ledger verify found.
type verification struct {
	// Holds says that nothing is wrong; else Reason says what, and BadEntry where,
	// unless it is the snapshot as a whole.
	Holds     bool   `json:"holds"`
	BadEntry  int64  `json:"bad_entry,omitempty"`
	Reason    string `json:"reason,omitempty"`
	Entries   int64  `json:"entries"`
	Head      string `json:"head,omitempty"`
	Forecasts int    `json:"forecasts"`
	Scored    int    `json:"scored"`
	// SnapshotBehind is how many entries ledger.csv lacks; absent if there is none.
	SnapshotBehind *int `json:"snapshot_behind,omitempty"`
}

// refuse notes what is wrong; the error ends the program with its own code.
func (v *verification) refuse(err error) error {
	v.Reason = err.Error()
	var fault *ledger.Fault
	if errors.As(err, &fault) {
		v.BadEntry, v.Reason = fault.Entry, fault.Err.Error()
	}
	return refused("the ledger does not hold: %w", err)
}

func (v *verification) snapshotText() string {
	switch {
	case v.SnapshotBehind == nil:
		return "; there is no " + ledger.SnapshotName
	case *v.SnapshotBehind > 0:
		return fmt.Sprintf("; %s lacks %d entries, the next training adds them", ledger.SnapshotName, *v.SnapshotBehind)
	}
	return ", " + ledger.SnapshotName + " agrees"
}

// verifyLedger checks the chain, a head that was noted before, and the snapshot.
func verifyLedger(ctx context.Context, l *ledger.Ledger, snapshot string, noted ledger.Head) (v verification, err error) {
	head, lines, err := l.Verify(ctx)
	var fault *ledger.Fault
	if errors.As(err, &fault) || errors.Is(err, ledger.ErrNoHead) {
		return v, v.refuse(err)
	}
	if err != nil {
		return v, err
	}
	v = verification{Entries: head.Entries, Head: head.Hash, Forecasts: len(lines)}
	for _, line := range lines {
		if line.Score != nil {
			v.Scored++
		}
	}
	if err := ledger.CheckHead(lines, noted); err != nil {
		return v, v.refuse(err)
	}
	behind, err := ledger.CheckSnapshot(snapshot, lines)
	switch {
	case err == nil:
		v.SnapshotBehind = &behind
	case !errors.Is(err, fs.ErrNotExist):
		return v, v.refuse(err)
	}
	v.Holds = true
	return v, nil
}
