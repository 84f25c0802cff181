package bundle

import (
	"bytes"
	"fmt"
	"math"

	"github.com/pppq/pppq/internal/csvfile"
	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/panel"
	"github.com/pppq/pppq/internal/series"
)

// latestRow is one line of latest.csv: an asset's newest row.
type latestRow struct {
	asset string
	row   panel.Row
}

// latestHeader are the columns: the asset, the month of the row, the month at
// which its figures end, and the features; a missing figure is empty.
func latestHeader() []string {
	names := []string{"asset", "t", "u"}
	for _, f := range panel.Features() {
		names = append(names, f.Name)
	}
	return names
}

func encodeLatest(assets []forecast.AssetState) ([]byte, error) {
	var b []byte
	for i, name := range latestHeader() {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, name...)
	}
	for _, a := range assets {
		if len(a.Row.Values) != panel.NumFeatures {
			return nil, fmt.Errorf("%s: asset %s has %d features, want %d", latestName, a.Asset.ID, len(a.Row.Values), panel.NumFeatures)
		}
		b = fmt.Appendf(b, "\n%s,%s,%s", a.Asset.ID, a.Row.T, a.Row.U)
		for i, x := range a.Row.Values {
			if math.IsInf(x, 0) {
				return nil, fmt.Errorf("%s: asset %s: %s is %v", latestName, a.Asset.ID, panel.Features()[i].Name, x)
			}
			b = appendNumber(append(b, ','), x)
		}
	}
	return append(b, '\n'), nil
}

// parseLatest reads latest.csv. The error is a *csvfile.ParseError.
func parseLatest(b []byte) ([]latestRow, error) {
	text, err := csvfile.Read(bytes.NewReader(b), latestName, csvfile.Limits{
		Bytes: 1 << 20, LineBytes: 1 << 16, Lines: maxAssets + 1, Fields: 3 + panel.NumFeatures,
	})
	if err != nil {
		return nil, err
	}
	if err := text.Terminated(); err != nil {
		return nil, err
	}
	rows := text.Rows(',')
	if err := header(rows, latestHeader()); err != nil {
		return nil, err
	}
	var all []latestRow
	for rows.Next() {
		row, err := parseLatestRow(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, row)
	}
	return all, rows.Err()
}

func parseLatestRow(rows *csvfile.Rows) (latestRow, error) {
	fields := rows.Fields()
	if len(fields) != 3+panel.NumFeatures {
		return latestRow{}, rows.Fault(-1, fmt.Errorf("%d columns, want %d", len(fields), 3+panel.NumFeatures))
	}
	out := latestRow{asset: fields[0], row: panel.Row{Values: make([]float64, panel.NumFeatures)}}
	err := series.CheckAssetID(out.asset)
	if err != nil {
		return latestRow{}, rows.Fault(0, err)
	}
	if out.row.T, err = series.ParseMonth(fields[1]); err != nil {
		return latestRow{}, rows.Fault(1, err)
	}
	if out.row.U, err = series.ParseMonth(fields[2]); err != nil {
		return latestRow{}, rows.Fault(2, err)
	}
	if out.row.U > out.row.T {
		return latestRow{}, rows.Fault(2, fmt.Errorf("%s lies after the row's own month %s", out.row.U, out.row.T))
	}
	for i := range out.row.Values {
		if out.row.Values[i], err = parseNumber(fields[3+i]); err != nil {
			return latestRow{}, rows.Fault(3+i, err)
		}
	}
	return out, nil
}
