package bundle

import (
	"fmt"
	"math"
	"strconv"

	"github.com/pppq/pppq/internal/csvfile"
)

// appendNumber writes the shortest text that reads back to the same bits, and
// nothing for a missing figure.
func appendNumber(dst []byte, x float64) []byte {
	if math.IsNaN(x) {
		return dst
	}
	return strconv.AppendFloat(dst, x, 'g', -1, 64)
}

// parseNumber reads what appendNumber wrote, and no other form of a number.
func parseNumber(s string) (float64, error) {
	if s == "" {
		return math.NaN(), nil
	}
	x, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(x) || math.IsInf(x, 0) || string(appendNumber(nil, x)) != s {
		return 0, fmt.Errorf("%q is not a number as this program writes it", short(s))
	}
	return x, nil
}

// header checks the first line of a table against the names of its columns.
func header(rows *csvfile.Rows, want []string) error {
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return err
		}
		return rows.Fault(-1, fmt.Errorf("no header"))
	}
	fields := rows.Fields()
	if len(fields) != len(want) {
		return rows.Fault(-1, fmt.Errorf("%d columns, want %d", len(fields), len(want)))
	}
	for i, f := range fields {
		if f != want[i] {
			return rows.Fault(i, fmt.Errorf("column %q, want %q", short(f), want[i]))
		}
	}
	return nil
}
