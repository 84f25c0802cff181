package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/pppq/pppq/gbdt"
	"github.com/pppq/pppq/gbdt/lightgbm"
	"github.com/pppq/pppq/gbdt/xgboost"
)

// save writes a model as it was read; its form is that of the name.
func (m *modelFile) save(stdout io.Writer, path string) error {
	switch {
	case streamed(path):
		return writeOut(stdout, path, func(w io.Writer) error { return m.write(w, path) })
	case m.light != nil:
		return lightgbm.Save(path, m.light)
	}
	return xgboost.Save(path, m.xg)
}

// saveNew writes a model as a new file of its family.
func saveNew(stdout io.Writer, path string, m *gbdt.Model) error {
	if !streamed(path) {
		return saveModel(path, m)
	}
	f := &modelFile{Model: m}
	var err error
	if m.Family == gbdt.LightGBM {
		f.light, err = lightgbm.New(m)
	} else {
		f.xg, err = xgboost.New(m)
	}
	if err != nil {
		return err
	}
	return f.save(stdout, path)
}

// streamed reports whether a model goes to standard output, or into a device or a pipe, whose place no file may take.
func streamed(path string) bool {
	if path == "-" {
		return true
	}
	stat, err := os.Stat(path)
	return err == nil && !stat.Mode().IsRegular() && !stat.IsDir()
}

func (m *modelFile) write(w io.Writer, path string) error {
	switch {
	case m.light != nil:
		return lightgbm.Write(w, m.light)
	case strings.EqualFold(filepath.Ext(path), ".ubj"):
		return xgboost.WriteUBJSON(w, m.xg)
	}
	return xgboost.WriteJSON(w, m.xg)
}
