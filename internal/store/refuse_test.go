package store_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pppq/pppq/internal/csvfile"
	"github.com/pppq/pppq/internal/store"
)

func TestLoadRefusesBadFiles(t *testing.T) {
	t.Parallel()
	const (
		seriesHead    = "period,value,known_from,retrieved_at,source\n"
		row           = "2026-01,4000,2026-02-28,,Bank\n"
		at            = "2026-11-23T09:30:00Z"
		catalogueHead = "id,title,unit,frequency,sampling,lag,source,licence,role\n"
		entry         = "GOLD,Gold,$,monthly,average,1,Bank,free,asset\n"
		assetsHead    = "id,title,kind,unit,price,income,fee\n"
	)
	gold, catalogue, assets := "series/GOLD.csv", "series/catalogue.csv", "assets.csv"
	for name, c := range map[string]struct{ file, content, want string }{
		"empty":             {gold, "", "is empty"},
		"header":            {gold, "period,value\n2026-01,1\n", `line 1, column 1: header is "period,value", want "period,value,known_from,retrieved_at,source"`},
		"no rows":           {gold, seriesHead, "series GOLD: no observations"},
		"month":             {gold, seriesHead + "2026-13,1,2026-02-28,,B\n", `line 2, column 1: month "2026-13": want YYYY-MM`},
		"number":            {gold, seriesHead + "2026-01,1'000,2026-02-28,,B\n", `line 2, column 9: value "1'000" is not a number`},
		"no number":         {gold, seriesHead + "2026-01,,2026-02-28,,B\n", `line 2, column 9: value "" is not a number`},
		"not a number":      {gold, seriesHead + "2026-01,NaN,2026-02-28,,B\n", `line 2, column 9: value "NaN" is not a number`},
		"infinite":          {gold, seriesHead + "2026-01,Inf,2026-02-28,,B\n", `line 2, column 9: value "Inf" is not a number`},
		"hexadecimal":       {gold, seriesHead + "2026-01,0x1p4,2026-02-28,,B\n", `line 2, column 9: value "0x1p4" is not a number`},
		"too large a value": {gold, seriesHead + "2026-01,1e999,2026-02-28,,B\n", `line 2, column 9: value "1e999" is out of range`},
		"day":               {gold, seriesHead + "2026-01,1,2026-02-29,,B\n", `line 2, column 11: date "2026-02-29": want YYYY-MM-DD`},
		"known too early":   {gold, seriesHead + "2026-01,1,2025-12-31,,B\n", "line 2, column 11: known from 2025-12-31, before 2026-01 began"},
		"time":              {gold, seriesHead + "2026-01,1,2026-02-28,yesterday,B\n", `line 2, column 22: time "yesterday": want YYYY-MM-DDTHH:MM:SSZ or nothing`},
		"time zone":         {gold, seriesHead + "2026-01,1,2026-02-28,2026-11-23T09:30:00+01:00,B\n", "line 2, column 22: time"},
		"no source":         {gold, seriesHead + "2026-01,1,2026-02-28,,\n", "line 2, column 23: source: is empty"},
		"fields":            {gold, seriesHead + row + "2026-02,1,2026-03-31\n", "line 3: 3 fields, want 5"},
		"duplicate":         {gold, seriesHead + row + row, "line 3: 2026-01 known from 2026-02-28 stands also in line 2"},
		"later duplicate":   {gold, seriesHead + row + "2026-01,1,2026-02-28," + at + ",B\n", "line 3: 2026-01 known from 2026-02-28 stands also in line 2"},
		"order":             {gold, seriesHead + "2026-02,1,2026-03-31,,B\n" + row, "line 3, column 1: 2026-01 follows 2026-02: months retrieved together must ascend"},
		"vintage order":     {gold, seriesHead + row + "2026-01,1,2026-02-01,,B\n", "line 3, column 11: 2026-01 known from 2026-02-01 follows 2026-02-28: vintages must ascend"},
		"time order":        {gold, seriesHead + "2026-01,1,2026-02-28," + at + ",B\n2026-02,1,2026-03-31,,B\n", "line 3, column 22: retrieved before the line above"},
		"cut off":           {gold, seriesHead + row + "2026-02,40", "line 3, column 11: the last line is cut off"},
		"nul":               {gold, seriesHead + row + "2026-02\x00,1,2026-03-31,,B\n", "line 3, column 8: a NUL byte"},
		"long line":         {gold, seriesHead + "2026-01,1,2026-02-28,," + strings.Repeat("B", 2100) + "\n", "line 2: longer than 2048 bytes"},
		"large file":        {gold, strings.Repeat(strings.Repeat("x", 1023)+"\n", 16*1024+1), "larger than 16777216 bytes"},
		"blank line":        {gold, seriesHead + "\n" + row, "line 2: 1 fields, want 5"},

		"catalogue header":    {catalogue, "id\n", "line 1, column 1: header is"},
		"catalogue sampling":  {catalogue, catalogueHead + strings.Replace(entry, "average", "weekly", 1), `line 2, column 21: unknown sampling "weekly"`},
		"catalogue id":        {catalogue, catalogueHead + strings.Replace(entry, "GOLD", "../GOLD", 1), `line 2, column 1: series id "../GOLD"`},
		"catalogue twice":     {catalogue, catalogueHead + entry + entry, "line 3, column 1: GOLD follows GOLD: ids must ascend"},
		"catalogue fields":    {catalogue, catalogueHead + "GOLD\n", "line 2: 1 fields, want 9"},
		"catalogue cut off":   {catalogue, catalogueHead + "GOLD,Go", "line 2, column 8: the last line is cut off"},
		"catalogue no figure": {catalogue, catalogueHead + strings.Replace(entry, "GOLD", "TIN", 1), "no such file or directory"},

		"assets header":  {assets, "id\n", "line 1, column 1: header is"},
		"asset built in": {assets, assetsHead + "gold,Mine,custom,,GOLD,,0\n", "line 2, column 1: asset gold is built in"},
		"asset id":       {assets, assetsHead + "9x,Mine,custom,,GOLD,,0\n", `line 2, column 1: asset id "9x"`},
		"asset twice":    {assets, assetsHead + "Mine,M,custom,,GOLD,,0\nMINE,M,custom,,GOLD,,0\n", "line 3, column 1: asset MINE is also given as Mine"},
		"asset title":    {assets, assetsHead + "Mine,,custom,,GOLD,,0\n", "line 2, column 6: title: is empty"},
		"asset kind":     {assets, assetsHead + "Mine,M,bond,,GOLD,,0\n", `line 2, column 8: kind "bond", want custom`},
		"asset price":    {assets, assetsHead + "Mine,M,custom,,TIN,,0\n", "line 2, column 16: unknown series TIN"},
		"asset income":   {assets, assetsHead + "Mine,M,custom,,GOLD,TIN,0\n", "line 2, column 21: unknown series TIN"},
		"asset fee":      {assets, assetsHead + "Mine,M,custom,,GOLD,,0.3\n", "line 2, column 22: fee 0.3, want a share"},
		"asset fee text": {assets, assetsHead + "Mine,M,custom,,GOLD,,free\n", `line 2, column 22: fee "free" is not a number`},
		"asset fee NaN":  {assets, assetsHead + "Mine,M,custom,,GOLD,,NaN\n", "line 2, column 22: fee NaN, want a share"},
		"asset fields":   {assets, assetsHead + "Mine\n", "line 2: 1 fields, want 7"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			st := open(t, small(t))
			write(t, st, c.content, filepath.FromSlash(c.file))
			_, _, err := st.Load(t.Context())
			var parse *csvfile.ParseError
			if !errors.As(err, &parse) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Fatalf("\n got %v\nwant %s", err, c.want)
			}
			if filepath.Base(parse.File) != filepath.Base(c.file) && name != "catalogue no figure" {
				t.Errorf("got the file %s, want %s", parse.File, c.file)
			}
			// Nor does anything write over the damage.
			if _, err := st.Bootstrap(t.Context(), small(t), now); err == nil {
				t.Error("Bootstrap: no error")
			}
			if name != "catalogue no figure" && read(t, st, filepath.FromSlash(c.file)) != c.content {
				t.Error("Bootstrap changed the file")
			}
		})
	}
}

func TestLoadTakesCRLFAndAMark(t *testing.T) {
	t.Parallel()
	st := open(t, small(t))
	want := read(t, st, "series", "GOLD.csv")
	write(t, st, "\ufeff"+strings.ReplaceAll(want, "\n", "\r\n"), "series", "GOLD.csv")
	all, _ := load(t, st)
	if got := len(get(t, all, "GOLD").Observations()); got != 3 {
		t.Errorf("got %d observations, want 3", got)
	}
	var b strings.Builder
	if err := store.WriteVintages(&b, get(t, all, "GOLD")); err != nil {
		t.Fatal(err)
	}
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}
