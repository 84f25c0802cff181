package bundle

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// modelName is the name of the one model that the folder of models holds.
const modelName = "pppq"

// A Folder is where bundles are kept. Its methods only read; Lock gives what
// writes. It is safe for any number of goroutines and processes.
type Folder struct {
	// Dir is the folder of models; bundles are in Dir/pppq.
	Dir string
	// Program is the version of the running program. Bundles of another major
	// version are refused.
	Program string
}

// ErrNone is wrapped where no model is in service and none could be.
var ErrNone = errors.New("no model is in service: run `pppq train`")

func (f Folder) root() string { return filepath.Join(f.Dir, modelName) }

// Versions lists the versions in the folder, oldest first, whether they load or
// not. A folder that does not exist has none.
func (f Folder) Versions() ([]string, error) {
	entries, err := os.ReadDir(f.root())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list models: %w", err)
	}
	var versions []string
	for _, e := range entries {
		if CheckVersion(e.Name()) == nil {
			versions = append(versions, e.Name())
		}
	}
	slices.Sort(versions)
	return versions, nil
}

// Load reads and checks a bundle. A *Refusal says what is wrong with it; it
// wraps fs.ErrNotExist if there is no such version, and ErrIncompatible if this
// program does not read it.
func (f Folder) Load(version string) (*Bundle, error) {
	if err := CheckVersion(version); err != nil {
		return nil, err
	}
	b, r := load(filepath.Join(f.root(), version), version, f.Program, goldenTolerance)
	if r != nil {
		return nil, r
	}
	return b, nil
}

// load reads the bundle in dir, which must be that of a version.
func load(dir, version, program string, tolerance float64) (*Bundle, *Refusal) {
	m, r := loadManifest(dir, version, program)
	if r != nil {
		return nil, r
	}
	all, r := readFiles(dir, m)
	if r != nil {
		return nil, r
	}
	return assemble(m, all, tolerance)
}

func loadManifest(dir, version, program string) (*Manifest, *Refusal) {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil, refuse(version, manifestName, errNoVersion)
	}
	b, err := readFile(filepath.Join(dir, manifestName), maxManifest)
	if err != nil {
		return nil, refuse(version, manifestName, err)
	}
	m, err := parseManifest(b, program)
	if err == nil && m.Version != version {
		err = fmt.Errorf("is of version %s", m.Version)
	}
	if err != nil {
		return nil, refuse(version, manifestName, err)
	}
	return m, nil
}

// Show reads the manifest of a version and holds every file against it, without
// making a forecaster of them. The error is as Load's.
func (f Folder) Show(version string) (*Manifest, error) {
	if err := CheckVersion(version); err != nil {
		return nil, err
	}
	dir := filepath.Join(f.root(), version)
	m, r := loadManifest(dir, version, f.Program)
	if r != nil {
		return nil, r
	}
	if _, r := readFiles(dir, m); r != nil {
		return nil, r
	}
	return m, nil
}

// An Entry is one line of a list of versions.
type Entry struct {
	Version string
	// InService and Previous mark the version in service and the one that
	// Rollback would return to.
	InService, Previous bool
	// Manifest is nil where Err says why it can't be read.
	Manifest *Manifest
	Err      error
}

// List describes all versions, newest first, by their manifests alone: damage
// to other files does not show.
func (f Folder) List() ([]Entry, error) {
	versions, err := f.Versions()
	if err != nil {
		return nil, err
	}
	// A damaged current marks nothing; LoadCurrent says what is wrong with it.
	current, _ := f.current()
	previous, _ := f.previous(current)
	var list []Entry
	for _, v := range slices.Backward(versions) {
		e := Entry{Version: v, InService: v == current, Previous: v == previous}
		m, r := loadManifest(filepath.Join(f.root(), v), v, f.Program)
		if e.Manifest = m; r != nil {
			e.Err = r
		}
		list = append(list, e)
	}
	return list, nil
}

// LoadCurrent loads the version in service. Where current, or the bundle it
// names, is damaged, it takes the version that was in service before, then
// those before that, then the newest of the others whose test raised no alarm;
// refused says why each one before it was passed over. The error wraps ErrNone
// if nothing can serve; refused is then empty only if there are no versions.
func (f Folder) LoadCurrent() (b *Bundle, refused []*Refusal, err error) {
	versions, err := f.Versions()
	if err != nil {
		return nil, nil, err
	}
	current, err := f.current()
	if err == nil {
		b, err := f.Load(current)
		if err == nil {
			return b, nil, nil
		}
		refused = append(refused, asRefusal(err))
	} else if len(versions) > 0 || !errors.Is(err, fs.ErrNotExist) {
		refused = append(refused, asRefusal(err))
	}
	for _, c := range f.fallbacks(current, versions) {
		b, err := f.Load(c.version)
		if err == nil && c.unproven && b.Manifest.Alarms > 0 {
			err = refuse(c.version, evaluationName, fmt.Errorf("%d results are too good to be true", b.Manifest.Alarms))
		}
		if err == nil {
			return b, refused, nil
		}
		refused = append(refused, asRefusal(err))
	}
	return nil, refused, fmt.Errorf("%s: %w", f.root(), ErrNone)
}

// asRefusal returns the Refusal that every error of a read is.
func asRefusal(err error) *Refusal {
	var r *Refusal
	if errors.As(err, &r) {
		return r
	}
	return &Refusal{File: currentName, Err: err}
}

// candidate is a version that may stand in for the one in service.
type candidate struct {
	version string
	// unproven marks one that was never put into service.
	unproven bool
}

// fallbacks lists what stands in for current, in that order.
func (f Folder) fallbacks(current string, versions []string) []candidate {
	var list []candidate
	seen := map[string]bool{current: true}
	add := func(v string, unproven bool) {
		if !seen[v] && slices.Contains(versions, v) {
			seen[v] = true
			list = append(list, candidate{v, unproven})
		}
	}
	// A damaged history counts as none: this only chooses the order.
	served, _ := f.history()
	for _, v := range slices.Backward(upTo(served, current)) {
		add(v, false)
	}
	for _, v := range slices.Backward(versions) {
		add(v, !slices.Contains(served, v))
	}
	return list
}
