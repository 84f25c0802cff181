package store

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/pppq/pppq/internal/atomicfile"
	"github.com/pppq/pppq/internal/csvfile"
	"github.com/pppq/pppq/internal/series"
)

// catalogue reads what each series is, ordered by id; none if there is no file.
func (s *Store) catalogue() ([]series.Info, error) {
	path := s.path("series", "catalogue.csv")
	text, err := csvfile.Load(path, path, limits)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return parseCatalogue(text)
}

func parseCatalogue(text *csvfile.Text) ([]series.Info, error) {
	if err := text.Terminated(); err != nil {
		return nil, err
	}
	rows := text.Rows(',')
	if err := readHeader(rows, series.CatalogueHeader); err != nil {
		return nil, err
	}
	var infos []series.Info
	for rows.Next() {
		info, err := series.ParseInfo(rows.Fields())
		if err != nil {
			field := -1
			if fieldErr := (*series.FieldError)(nil); errors.As(err, &fieldErr) && len(rows.Fields()) == len(series.CatalogueHeader) {
				field = fieldErr.Field
			}
			return nil, rows.Fault(field, err)
		}
		if len(infos) > 0 && info.ID <= infos[len(infos)-1].ID {
			return nil, rows.Fault(0, fmt.Errorf("%s follows %s: ids must ascend", info.ID, infos[len(infos)-1].ID))
		}
		infos = append(infos, info)
	}
	return infos, rows.Err()
}

// writeCatalogue replaces the catalogue by infos, which are ordered by id.
func (s *Store) writeCatalogue(infos []series.Info) error {
	records := [][]string{series.CatalogueHeader}
	for _, info := range infos {
		records = append(records, info.Record())
	}
	return writeTable(s.path("series", "catalogue.csv"), records)
}

// writeTable replaces a small file by records, the header first.
func writeTable(path string, records [][]string) error {
	return atomicfile.WriteFile(path, func(w io.Writer) error { return csv.NewWriter(w).WriteAll(records) })
}

// findInfo returns the entry of a series.
func findInfo(infos []series.Info, id string) (series.Info, bool) {
	i := slices.IndexFunc(infos, func(i series.Info) bool { return i.ID == id })
	if i < 0 {
		return series.Info{}, false
	}
	return infos[i], true
}

// reservedID reports an id that can't name a file of its own on every system:
// the catalogue's, and Windows' device names.
func reservedID(id string) bool {
	switch id = strings.ToUpper(id); id {
	case "CATALOGUE", "CON", "PRN", "AUX", "NUL":
		return true
	}
	device := strings.HasPrefix(id, "COM") || strings.HasPrefix(id, "LPT")
	return device && len(id) == 4 && id[3] >= '0' && id[3] <= '9'
}
