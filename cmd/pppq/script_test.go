package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pppq/pppq/internal/bundle"
)

// TestScripts runs the scripts of testdata/script, which call pppq as a person
// would. Beside testscript's own commands they have:
//
//	exits CODE PROGRAM [ARGS]  run a program that must end with this code
//	trained [VERSIONS]         put trained models, one or two versions, and their figures into ./models and ./data;
//	                           $NEWEST, in service, and $OLDER are their names
//	await FILE [TEXT]          wait until a file stands there and has content, or the text
//	json FILE|stdout           fail unless it is JSON
//	plain FILE|stdout|stderr   fail if it holds escape codes or returns to the start of a line
//	flip FILE, cut FILE        turn one bit in the middle of a file; take its second half away
//	sparse FILE BYTES          make a file of that size, of NUL bytes
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Condition: func(name string) (bool, error) {
			if name == "root" {
				return os.Geteuid() == 0, nil
			}
			return false, fmt.Errorf("unknown condition %q", name)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "trained": putTrained, "await": await, "json": isJSON, "plain": isPlain,
			"flip": flip, "cut": cut, "sparse": sparse,
		},
	})
}

// TestMain lets scripts call the test's own program as pppq.
func TestMain(m *testing.M) {
	testscript.Main(cleaned{m}, map[string]func(){"pppq": main})
}

// cleaned removes the trained models when all tests have run.
type cleaned struct{ m *testing.M }

func (c cleaned) Run() int {
	defer func() {
		if trainedFolder != "" {
			os.RemoveAll(trainedFolder)
		}
	}()
	return c.m.Run()
}

// trainedFolder holds what trained made.
var trainedFolder string

// A firstRun is what "pppq up --once" did from nothing.
type firstRun struct {
	data, models   string
	stdout, stderr string
	version        string
}

// trained runs "pppq up --once" from nothing, the first time that a test asks.
var trained = sync.OnceValues(func() (*firstRun, error) {
	dir, err := os.MkdirTemp("", "pppq-trained-")
	if err != nil {
		return nil, err
	}
	trainedFolder = dir
	r := &firstRun{data: filepath.Join(dir, "data"), models: filepath.Join(dir, "models")}
	var stdout, stderr bytes.Buffer
	code := run(context.Background(), []string{"up", "--once", "--data-dir", r.data, "--models-dir", r.models}, &stdout, &stderr)
	r.stdout, r.stderr = stdout.String(), stderr.String()
	if code != exitDone {
		return nil, fmt.Errorf("pppq up --once: exit code %d: %s", code, r.stderr)
	}
	b, _, err := (bundle.Folder{Dir: r.models, Program: programVersion()}).LoadCurrent()
	if err != nil {
		return nil, err
	}
	r.version = b.Manifest.Version
	return r, nil
})

// copyTo copies models and figures into a folder.
func (r *firstRun) copyTo(dir string) error {
	return errors.Join(
		os.CopyFS(filepath.Join(dir, "data"), os.DirFS(r.data)),
		os.CopyFS(filepath.Join(dir, "models"), os.DirFS(r.models)),
	)
}

// addVersion writes the version in service once more, as if trained an hour
// later, and promotes it.
func addVersion(models string) (string, error) {
	folder := bundle.Folder{Dir: models, Program: programVersion()}
	b, _, err := folder.LoadCurrent()
	if err != nil {
		return "", err
	}
	w, err := folder.Lock("test", time.Now())
	if err != nil {
		return "", err
	}
	defer w.Close()
	c := b.Contents()
	c.Created = c.Created.Add(time.Hour)
	version, err := w.Write(c)
	if err != nil {
		return "", err
	}
	return version, w.Promote(version)
}

func putTrained(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 1 || len(args) == 1 && args[0] != "2" {
		ts.Fatalf("usage: trained [2]")
	}
	r, err := trained()
	ts.Check(err)
	ts.Check(errors.Join(os.RemoveAll(ts.MkAbs("data")), os.RemoveAll(ts.MkAbs("models"))))
	ts.Check(r.copyTo(ts.MkAbs(".")))
	ts.Setenv("NEWEST", r.version)
	if len(args) == 1 {
		version, err := addVersion(ts.MkAbs("models"))
		ts.Check(err)
		ts.Setenv("OLDER", r.version)
		ts.Setenv("NEWEST", version)
	}
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM [ARGS]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: await FILE [TEXT]")
	}
	path, want := ts.MkAbs(args[0]), strings.Join(args[1:], "")
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if text, err := os.ReadFile(path); err == nil && len(text) > 0 && strings.Contains(string(text), want) {
			return
		}
	}
	ts.Fatalf("no %s after a minute", strings.Join(args, " with "))
}

func isJSON(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: json FILE")
	}
	text := ts.ReadFile(args[0])
	if !json.Valid([]byte(text)) {
		ts.Fatalf("%s is not JSON: %.200q", args[0], text)
	}
}

func isPlain(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: plain FILE")
	}
	if err := plain(ts.ReadFile(args[0])); err != nil {
		ts.Fatalf("%s: %v", args[0], err)
	}
}

// control is what steers a terminal: all below a space but tab and line feed.
var control = regexp.MustCompile("[\x00-\x08\x0b-\x1f\x7f]")

// plain returns an error if text holds what steers a terminal.
func plain(text string) error {
	if at := control.FindStringIndex(text); at != nil {
		return fmt.Errorf("control character %q after %q", text[at[0]:at[1]], text[max(0, at[0]-40):at[0]])
	}
	return nil
}

func flip(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: flip FILE")
	}
	text := []byte(ts.ReadFile(args[0]))
	text[len(text)/2] ^= 1
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), text, 0o644))
}

func cut(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: cut FILE")
	}
	stat, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Check(os.Truncate(ts.MkAbs(args[0]), stat.Size()/2))
}

func sparse(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: sparse FILE BYTES")
	}
	size, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	f, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Check(errors.Join(f.Truncate(size), f.Close()))
}
