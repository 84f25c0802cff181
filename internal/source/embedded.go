// Package source reads figures from where they are published, one file a
// publisher. What it returns has been checked and carries the day from which
// each figure could be known.
package source

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/pppq/pppq/data/reference"
	"github.com/pppq/pppq/internal/series"
)

// Embedded returns the reference figures that are built into the program, one
// series a file, each figure known from its catalogue lag on. The set is the
// same for every call.
func Embedded() (*series.Set, error) {
	return readFS(reference.Files)
}

// readFS reads a folder that holds catalogue.csv and series/<ID>.csv, and
// insists that the two agree: every entry has a file and every file an entry.
func readFS(fsys fs.FS) (*series.Set, error) {
	infos, err := readCatalogue(fsys)
	if err != nil {
		return nil, err
	}
	files, err := fs.Glob(fsys, "series/*.csv")
	if err != nil {
		return nil, err
	}
	for _, name := range files {
		id := strings.TrimSuffix(strings.TrimPrefix(name, "series/"), ".csv")
		if !slices.ContainsFunc(infos, func(i series.Info) bool { return i.ID == id }) {
			return nil, fmt.Errorf("%s: catalogue.csv has no entry %s", name, id)
		}
	}
	all := make([]*series.Series, 0, len(infos))
	for _, info := range infos {
		s, err := readSeries(fsys, info)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return series.NewSet(all...)
}

func readCatalogue(fsys fs.FS) ([]series.Info, error) {
	const name = "catalogue.csv"
	var infos []series.Info
	err := readRows(fsys, name, series.CatalogueHeader, func(row []string) error {
		info, err := series.ParseInfo(row)
		if err != nil {
			return err
		}
		infos = append(infos, info)
		return nil
	})
	return infos, err
}

func readSeries(fsys fs.FS, info series.Info) (*series.Series, error) {
	name := "series/" + info.ID + ".csv"
	var obs []series.Observation
	err := readRows(fsys, name, []string{"period", "value"}, func(row []string) error {
		period, err := series.ParseMonth(row[0])
		if err != nil {
			return err
		}
		value, err := strconv.ParseFloat(row[1], 64)
		if err != nil {
			return fmt.Errorf("value %q is not a number", row[1])
		}
		if len(obs) > 0 && period <= obs[len(obs)-1].Period {
			return fmt.Errorf("%s follows %s: months must ascend", period, obs[len(obs)-1].Period)
		}
		obs = append(obs, series.Observation{
			Period: period, Value: value, KnownFrom: info.Lag.KnownFrom(period), Source: info.Source,
		})
		return nil
	})
	if err != nil {
		return nil, err
	}
	s, err := series.New(info, obs)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}

// readRows calls row for each record after a header that must be as given;
// errors name the file and the line.
func readRows(fsys fs.FS, name string, header []string, row func([]string) error) error {
	f, err := fsys.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.FieldsPerRecord = len(header)
	r.ReuseRecord = true
	got, err := r.Read()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if !slices.Equal(got, header) {
		return fmt.Errorf("%s: line 1: header is %q, want %q", name, strings.Join(got, ","), strings.Join(header, ","))
	}
	for {
		rec, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := row(rec); err != nil {
			line, _ := r.FieldPos(0)
			return fmt.Errorf("%s: line %d: %w", name, line, err)
		}
	}
}
