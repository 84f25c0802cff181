package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pppq/pppq/gbdt"
	"github.com/pppq/pppq/gbdt/lightgbm"
	"github.com/pppq/pppq/gbdt/xgboost"
)

func gbdtCommand() *cobra.Command {
	return parent("gbdt", "Train, ask, convert and show models of LightGBM and XGBoost",
		"  pppq gbdt train --data train.csv --label y --params objective=binary,num_leaves=31 --out model.txt\n"+
			"  pppq gbdt predict --model model.txt --data rows.csv --output probability --out -",
		gbdtTrain(), gbdtPredict(), gbdtImportance(), gbdtConvert(), gbdtShow(), gbdtBench())
}

// modelFile is a model as it was read: one of the two is nil.
type modelFile struct {
	*gbdt.Model
	light *lightgbm.File
	xg    *xgboost.File
}

// loadModel reads a LightGBM text or an XGBoost JSON or UBJSON document, told apart by how it begins.
func loadModel(path string) (*modelFile, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := bufio.NewReader(f)
	start, err := r.Peek(5)
	if err != nil && err != io.EOF {
		return nil, err
	}
	if bytes.HasPrefix(start, []byte("tree")) {
		m, err := lightgbm.Read(r)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		return &modelFile{Model: m.Model, light: m}, nil
	}
	if first := bytes.TrimLeft(start, " \t\r\n"); len(first) > 0 && !strings.ContainsRune("{[b", rune(first[0])) {
		return nil, fmt.Errorf(`%s: no model: a LightGBM text starts with "tree", an XGBoost document with "{"`, path)
	}
	m, err := xgboost.Read(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &modelFile{Model: m.Model, xg: m}, nil
}

// familyOf returns the family whose files a name or a format asks for; ok is false if neither says.
func familyOf(path, format string) (family gbdt.Family, ok bool, err error) {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".json", ".ubj":
		family = gbdt.XGBoost
	case ".txt":
		family = gbdt.LightGBM
	}
	asked := map[string]gbdt.Family{"lightgbm": gbdt.LightGBM, "xgboost": gbdt.XGBoost}[format]
	switch {
	case format == "":
		return family, family != 0, nil
	case asked == 0:
		return 0, false, usageError("--format %q: want lightgbm or xgboost", format)
	case family != 0 && family != asked:
		return 0, false, usageError("--out: %s is a name for %v models, but --format says %v; want one that ends in %s", path, family, asked,
			map[gbdt.Family]string{gbdt.LightGBM: ".txt", gbdt.XGBoost: ".json or .ubj"}[asked])
	}
	return asked, true, nil
}

// saveModel writes a model as a new file of its family.
func saveModel(path string, m *gbdt.Model) error {
	if m.Family == gbdt.LightGBM {
		f, err := lightgbm.New(m)
		if err != nil {
			return err
		}
		return lightgbm.Save(path, f)
	}
	f, err := xgboost.New(m)
	if err != nil {
		return err
	}
	return xgboost.Save(path, f)
}

// checkSave reports, before the work of training, what saveModel would refuse after it.
func checkSave(path string, family gbdt.Family, names []string) error {
	check := lightgbm.CheckNames
	if family == gbdt.XGBoost {
		check = xgboost.CheckNames
	}
	if err := check(names); err != nil {
		return err
	}
	folder := filepath.Dir(path)
	if info, err := os.Stat(folder); err != nil {
		return err
	} else if !info.IsDir() {
		return fmt.Errorf("%s is no folder", folder)
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return fmt.Errorf("%s is a folder", path)
	}
	return nil
}

// openData opens a table, or standard input for "-".
func openData(cmd *cobra.Command, path string) (io.ReadCloser, string, error) {
	if path == "-" {
		return io.NopCloser(cmd.InOrStdin()), "standard input", nil
	}
	f, err := os.Open(path)
	return f, path, err
}

// needed reports flags that were not given.
func needed(cmd *cobra.Command, names ...string) error {
	for _, n := range names {
		if f := cmd.Flags().Lookup(n); !f.Changed || f.Value.String() == "" {
			return usageError("--%s is missing", n)
		}
	}
	return nil
}
