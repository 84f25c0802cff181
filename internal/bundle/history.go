package bundle

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/pppq/pppq/internal/csvfile"
	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/series"
)

// Ends of the names of an asset's two columns in history.csv.
const (
	nominalColumn = "_nominal"
	realColumn    = "_real"
)

// historyColumns lists the names and views of history.csv: the price index, the
// prices of goods by series id, and two indices an asset.
func historyColumns(h *forecast.History) (names []string, views []series.View) {
	names, views = []string{"CPI"}, []series.View{h.CPI}
	for _, g := range h.Goods {
		names, views = append(names, g.Series), append(views, g.Prices)
	}
	for _, a := range h.Assets {
		names = append(names, a.ID+nominalColumn, a.ID+realColumn)
		views = append(views, a.Nominal, a.Real)
	}
	return names, views
}

// encodeHistory writes one line a month, from the first to the last that has a
// figure; a missing figure is empty.
func encodeHistory(h *forecast.History) ([]byte, error) {
	names, views := historyColumns(h)
	first, last := series.Month(math.MaxInt32), series.Month(0)
	for i, v := range views {
		for m := v.First; m <= v.Last(); m++ {
			switch x := v.At(m); {
			case math.IsInf(x, 0):
				return nil, fmt.Errorf("%s: %s of %s is %v", historyName, names[i], m, x)
			case !math.IsNaN(x):
				first, last = min(first, m), max(last, m)
			}
		}
	}
	if last < first {
		return nil, fmt.Errorf("%s: no figures", historyName)
	}
	b := []byte("month," + strings.Join(names, ",") + "\n")
	for m := first; m <= last; m++ {
		b = append(b, m.String()...)
		for _, v := range views {
			b = appendNumber(append(b, ','), v.At(m))
		}
		b = append(b, '\n')
	}
	return b, nil
}

// parseHistory reads history.csv. The views it returns begin and end with a
// figure. The error is a *csvfile.ParseError.
func parseHistory(b []byte) (*forecast.History, error) {
	text, err := csvfile.Read(bytes.NewReader(b), historyName, csvfile.Limits{
		Bytes: 16 << 20, LineBytes: 1 << 17, Lines: series.MaxMonths + 1, Fields: 2 + 64 + 2*maxAssets,
	})
	if err != nil {
		return nil, err
	}
	if err := text.Terminated(); err != nil {
		return nil, err
	}
	rows := text.Rows(',')
	rows.Next()
	if err := rows.Err(); err != nil {
		return nil, err
	}
	h, err := historyHeader(rows)
	if err != nil {
		return nil, err
	}
	columns := 1 + len(h.Goods) + 2*len(h.Assets)
	views := make([]series.View, columns)
	var first, last series.Month
	filled := true // whether the last line read has a figure
	for rows.Next() {
		month, err := historyMonth(rows, columns, last)
		if err != nil {
			return nil, err
		}
		if last = month; first == 0 {
			first = month
		}
		filled = false
		for i := range views {
			x, err := parseNumber(rows.Fields()[1+i])
			if err != nil {
				return nil, rows.Fault(1+i, err)
			}
			if math.IsNaN(x) {
				continue
			}
			filled = true
			extend(&views[i], month, x)
		}
		if month == first && !filled {
			break
		}
	}
	switch err := rows.Err(); {
	case err != nil:
		return nil, err
	case first == 0:
		return nil, rows.Fault(-1, errors.New("no month follows the header"))
	case !filled:
		return nil, rows.Fault(-1, errors.New("the first and the last month need a figure"))
	}
	h.place(views)
	return &h.History, nil
}

// extend adds the figure of a month to a view, missing months between.
func extend(v *series.View, month series.Month, x float64) {
	if len(v.Values) == 0 {
		v.First = month
	}
	for v.Last() < month-1 {
		v.Values = append(v.Values, math.NaN())
	}
	v.Values = append(v.Values, x)
}

// historyTable is a History whose views are still to be placed.
type historyTable struct{ forecast.History }

// historyHeader reads what the columns are.
func historyHeader(rows *csvfile.Rows) (*historyTable, error) {
	fields := rows.Fields()
	if len(fields) < 2 || fields[0] != "month" || fields[1] != "CPI" {
		return nil, rows.Fault(0, errors.New("the header does not begin with month,CPI"))
	}
	h := new(historyTable)
	goods := forecast.Goods()
	i := 2
	for ; i < len(fields) && !strings.HasSuffix(fields[i], nominalColumn); i++ {
		k := slices.IndexFunc(goods, func(g forecast.Good) bool { return g.Series == fields[i] })
		if k < 0 || slices.ContainsFunc(h.Goods, func(g forecast.Good) bool { return g.Series == fields[i] }) {
			return nil, rows.Fault(i, fmt.Errorf("%q is no good of this program, or there twice", short(fields[i])))
		}
		h.Goods = append(h.Goods, goods[k])
	}
	for ; i < len(fields); i += 2 {
		id, ok := strings.CutSuffix(fields[i], nominalColumn)
		if !ok || i+1 == len(fields) || fields[i+1] != id+realColumn {
			return nil, rows.Fault(i, fmt.Errorf("want the columns ID%s and ID%s of an asset", nominalColumn, realColumn))
		}
		if err := series.CheckAssetID(id); err != nil {
			return nil, rows.Fault(i, err)
		}
		if _, twice := h.Asset(id); twice {
			return nil, rows.Fault(i, fmt.Errorf("asset %s is there twice", id))
		}
		// A copy, so that the text of the file can go.
		h.Assets = append(h.Assets, forecast.AssetHistory{ID: strings.Clone(id)})
	}
	return h, nil
}

// historyMonth reads the month of a line, which must follow the last one.
func historyMonth(rows *csvfile.Rows, columns int, last series.Month) (series.Month, error) {
	fields := rows.Fields()
	if len(fields) != 1+columns {
		return 0, rows.Fault(-1, fmt.Errorf("%d columns, want %d", len(fields), 1+columns))
	}
	m, err := series.ParseMonth(fields[0])
	if err != nil {
		return 0, rows.Fault(0, err)
	}
	if last != 0 && m != last+1 {
		return 0, rows.Fault(0, fmt.Errorf("%s follows %s", m, last))
	}
	return m, nil
}

// place puts views, in the order of historyColumns, where they belong.
func (h *historyTable) place(views []series.View) {
	h.CPI = views[0]
	for i := range h.Goods {
		h.Goods[i].Prices = views[1+i]
	}
	for i := range h.Assets {
		h.Assets[i].Nominal = views[1+len(h.Goods)+2*i]
		h.Assets[i].Real = views[2+len(h.Goods)+2*i]
	}
}

// checkHistory refuses what history.csv can't hold.
func checkHistory(h *forecast.History) error {
	goods := forecast.Goods()
	for i, g := range h.Goods {
		known := slices.ContainsFunc(goods, func(own forecast.Good) bool {
			return own.Series == g.Series && own.Name == g.Name && own.Unit == g.Unit
		})
		if !known || slices.ContainsFunc(h.Goods[:i], func(o forecast.Good) bool { return o.Series == g.Series }) {
			return fmt.Errorf("%s: good %s is not one of this program's, or there twice", historyName, g.Series)
		}
	}
	for i, a := range h.Assets {
		if err := series.CheckAssetID(a.ID); err != nil {
			return fmt.Errorf("%s: %w", historyName, err)
		}
		if slices.ContainsFunc(h.Assets[:i], func(o forecast.AssetHistory) bool { return o.ID == a.ID }) {
			return fmt.Errorf("%s: asset %s is there twice", historyName, a.ID)
		}
	}
	return nil
}
