package e2e

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// The development stack of a fresh clone: a change of a Go file is served
// without a command, a build that fails leaves the old program at work. run.sh
// has started it, with the ports DEV_PORT and DEV_PROMETHEUS_PORT.
func TestDevelopment(t *testing.T) {
	s := open(t)
	dev := func(args ...string) string {
		t.Helper()
		return s.runIn(s.dev, "docker", append([]string{"compose", "-f", "docker-compose.dev.yml"}, args...)...)
	}
	if _, err := os.Lstat(filepath.Join(s.dev, ".env")); err == nil {
		t.Fatal("the clone has a .env: it is not fresh")
	}
	base := "http://127.0.0.1:" + os.Getenv("DEV_PORT")
	t.Cleanup(func() { dev("down", "-v") })
	up := func() bool {
		a, err := do(client, http.MethodGet, base+"/health", nil)
		return err == nil && a.StatusCode == http.StatusOK
	}
	waited := func(limit time.Duration, what string, ok func() bool) time.Duration {
		t.Helper()
		begin := time.Now()
		for !ok() {
			if time.Since(begin) > limit {
				t.Fatalf("not within %v: %s\n%s", limit, what, dev("logs", "--no-color", "--tail", "40", "api"))
			}
			time.Sleep(100 * time.Millisecond)
		}
		return time.Since(begin)
	}
	waited(8*time.Minute, "the development stack answers", up)
	for _, line := range regexp.MustCompile(`livereload: built in .*`).FindAllString(dev("logs", "--no-color", "api"), -1) {
		t.Logf("first build, with modules and an empty cache: %s", line)
	}
	if a := s.get("http://127.0.0.1:" + os.Getenv("DEV_PROMETHEUS_PORT") + "/-/healthy"); a.StatusCode != http.StatusOK {
		t.Errorf("Prometheus of the development stack: %s", a.Status)
	}

	path := filepath.Join(s.dev, "internal/api/handler.go")
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const before, after = "no operation has this path", "changed while it runs"
	if !strings.Contains(string(old), before) {
		t.Fatalf("%s no longer says %q", path, before)
	}
	write := func(text string) {
		// As editors do: half a file is never there to be built.
		next := path + "~"
		if err := errors.Join(os.WriteFile(next, []byte(text), 0o644), os.Rename(next, path)); err != nil {
			t.Fatal(err)
		}
	}
	says := func(what string) func() bool {
		return func() bool {
			a, err := do(client, http.MethodGet, base+"/nothing", nil)
			return err == nil && strings.Contains(string(a.body), what)
		}
	}
	builds := func(what string) int { return strings.Count(dev("logs", "--no-color", "api"), what) }
	if !says(before)() {
		t.Fatal("the service does not say what its source says")
	}
	// The first change links what the first build has compiled; the second shows
	// what one waits for day by day.
	for i, next := range []string{strings.ReplaceAll(string(old), before, after), string(old)} {
		write(next)
		want := after
		if i == 1 {
			want = before
		}
		t.Logf("change %d of a Go file: new behaviour after %v", i+1, waited(2*time.Minute, "the changed answer", says(want)).Round(100*time.Millisecond))
	}
	failed := builds("build failed")
	write(string(old) + "\nfunc broken( {\n")
	waited(2*time.Minute, "the log says that the build failed", func() bool { return builds("build failed") > failed })
	if !says(before)() || !up() {
		t.Error("after a failed build the old program is gone")
	}
	write(strings.ReplaceAll(string(old), before, after))
	waited(2*time.Minute, "the change after a failed build", says(after))
	if owner := dev("exec", "-T", "api", "id", "-u"); owner != "65532" {
		t.Errorf("the development stack runs as user %s", owner)
	}
}
