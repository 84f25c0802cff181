package bundle

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/pppq/pppq/internal/csvfile"
)

// Names of the files of a bundle.
const (
	manifestName    = "manifest.json"
	lightgbmName    = "lightgbm.txt"
	xgboostName     = "xgboost.json"
	coreName        = "core.json"
	calibrationName = "calibration.json"
	featuresName    = "features.json"
	latestName      = "latest.csv"
	historyName     = "history.csv"
	evaluationName  = "evaluation.json"
	cardName        = "MODEL_CARD.md"
	goldenName      = "golden.json"
)

// maxManifest is the largest manifest.json that is read, in bytes.
const maxManifest = 1 << 20

// fileKinds are the files beside the manifest, in the order in which it lists
// them, and the largest size of each that is read.
var fileKinds = []struct {
	name string
	max  int64
	// boosters marks what a baseline does not have.
	boosters bool
}{
	{lightgbmName, 16 << 20, true},
	{xgboostName, 16 << 20, true},
	{coreName, 2 << 20, false},
	{calibrationName, 1 << 20, false},
	{featuresName, 1 << 20, false},
	{latestName, 1 << 20, false},
	{historyName, 16 << 20, false},
	{evaluationName, 16 << 20, false},
	{cardName, 1 << 20, false},
	{goldenName, 1 << 20, false},
}

// A File is one file of a bundle as its manifest lists it.
type File struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// contentHash sums up a list of files.
func contentHash(files []File) string {
	h := sha256.New()
	for _, f := range files {
		fmt.Fprintf(h, "%s %d %s\n", f.Name, f.Size, f.SHA256)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// hashOf is the sha256 of a file's content in hexadecimal digits.
func hashOf(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// texts are the files of a bundle in memory, by name.
type texts map[string][]byte

// list describes the files in the order of fileKinds.
func (t texts) list() []File {
	var files []File
	for _, k := range fileKinds {
		if b, ok := t[k.name]; ok {
			files = append(files, File{Name: k.name, Size: int64(len(b)), SHA256: hashOf(b)})
		}
	}
	return files
}

// A Refusal says why a bundle, or the file that names the one in service, is
// not used.
type Refusal struct {
	// Version is empty where the fault is not one bundle's.
	Version string
	// File is the name of the file at fault.
	File string
	Err  error
}

func (r *Refusal) Error() string {
	if r.Version == "" {
		return fmt.Sprintf("%s: %v", r.File, r.Err)
	}
	return fmt.Sprintf("model %s: %s: %v", r.Version, r.File, r.Err)
}

func (r *Refusal) Unwrap() error { return r.Err }

// refuse makes the Refusal of a file; where the reason names the file or path
// itself, it keeps only what the Refusal does not say.
func refuse(version, file string, err error) *Refusal {
	var parse *csvfile.ParseError
	var path *fs.PathError
	switch {
	case errors.As(err, &parse) && parse.Column > 0:
		err = fmt.Errorf("line %d, column %d: %w", parse.Line, parse.Column, parse.Err)
	case errors.As(err, &parse) && parse.Line > 0:
		err = fmt.Errorf("line %d: %w", parse.Line, parse.Err)
	case errors.As(err, &parse):
		err = parse.Err
	case errors.As(err, &path) && errors.Is(err, fs.ErrNotExist):
		err = errMissing
	case errors.As(err, &path):
		err = path.Err
	}
	return &Refusal{Version: version, File: file, Err: err}
}

// absent is an error about something that is not there.
type absent string

func (a absent) Error() string { return string(a) }
func (absent) Unwrap() error   { return fs.ErrNotExist }

const (
	errMissing   absent = "is missing"
	errNoVersion absent = "there is no such version"
)

// readFile reads a regular file of at most limit bytes; nothing is read of one
// that is larger.
func readFile(path string, limit int64) ([]byte, error) {
	stat, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !stat.Mode().IsRegular() {
		return nil, errors.New("is not a regular file")
	}
	if stat.Size() > limit {
		return nil, fmt.Errorf("has %d bytes, more than the %d that are read", stat.Size(), limit)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b := make([]byte, 0, stat.Size()+1)
	for {
		n, err := f.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		switch {
		case int64(len(b)) > stat.Size():
			return nil, errors.New("grew while it was read")
		case errors.Is(err, io.EOF):
			return b, nil
		case err != nil:
			return nil, err
		}
	}
}

// readFiles reads the files that the manifest of the bundle in dir lists, and
// holds each against it. All sizes are checked before the first is read.
func readFiles(dir string, m *Manifest) (texts, *Refusal) {
	if r := checkNames(dir, m); r != nil {
		return nil, r
	}
	for _, f := range m.Files {
		stat, err := os.Lstat(filepath.Join(dir, f.Name))
		if err == nil && stat.Size() != f.Size {
			err = fmt.Errorf("has %d bytes, %s says %d", stat.Size(), manifestName, f.Size)
		}
		if err != nil {
			return nil, refuse(m.Version, f.Name, err)
		}
	}
	all := texts{}
	for _, f := range m.Files {
		b, err := readFile(filepath.Join(dir, f.Name), f.Size)
		if err == nil && hashOf(b) != f.SHA256 {
			err = fmt.Errorf("is damaged: its sha256 is not the one in %s", manifestName)
		}
		if err != nil {
			return nil, refuse(m.Version, f.Name, err)
		}
		all[f.Name] = b
	}
	return all, nil
}

// checkNames refuses a folder that holds anything but the listed files and the
// manifest, or lacks one of them.
func checkNames(dir string, m *Manifest) *Refusal {
	d, err := os.Open(dir)
	if err != nil {
		return refuse(m.Version, manifestName, err)
	}
	defer d.Close()
	// One more than there may be is enough to see that there are too many.
	names, err := d.Readdirnames(len(fileKinds) + 2)
	if err != nil {
		return refuse(m.Version, manifestName, err)
	}
	slices.Sort(names)
	for _, name := range names {
		listed := slices.ContainsFunc(m.Files, func(f File) bool { return f.Name == name })
		if name != manifestName && !listed {
			return refuse(m.Version, short(name), fmt.Errorf("is not a file of this bundle: %s does not list it", manifestName))
		}
	}
	for _, f := range m.Files {
		if !slices.Contains(names, f.Name) {
			return refuse(m.Version, f.Name, errMissing)
		}
	}
	return nil
}
