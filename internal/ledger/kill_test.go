package ledger_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/pppq/pppq/internal/ledger"
	"github.com/pppq/pppq/internal/ledger/ledgertest"
)

// childVariable gives a second process of this test the URL to write to.
const childVariable = "LEDGER_TEST_CHILD"

// writeForever records versions that are not there yet, and scores, over and
// over; it says when it has done so once.
func writeForever(url string) error {
	ctx := context.Background()
	l, err := ledger.OpenOrCreate(ctx, url)
	if err != nil {
		return err
	}
	lines, err := l.Lines(ctx)
	if err != nil {
		return err
	}
	first := len(lines) / len(ledgertest.Forecasts(0))
	for n := first; ; n++ {
		if _, err := l.Record(ctx, ledgertest.Forecasts(n), ledgertest.Now); err != nil {
			return err
		}
		if _, err := l.Score(ctx, ledgertest.Outcomes, ledgertest.Now); err != nil {
			return err
		}
		if n == first {
			fmt.Println("written")
		}
	}
}

// TestKilled ends a writer at random moments: the chain holds each time, every
// version is there as a whole or not at all, and nothing that was there is gone.
func TestKilled(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(*testing.T) ledgertest.Database{"SQLite": newSQLite, "PostgreSQL": newPostgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := open(t)
			random := rand.New(rand.NewPCG(1, 2))
			var head ledger.Head
			for range 8 {
				killWriter(t, db.URL, time.Duration(random.IntN(60_000))*time.Microsecond)
				l, err := ledger.Open(t.Context(), db.URL)
				if err != nil {
					t.Fatal(err)
				}
				now, lines := ledgertest.Verify(t, l)
				if err := ledger.CheckHead(lines, head); err != nil {
					t.Fatal(err)
				}
				if now.Entries <= head.Entries {
					t.Errorf("%d entries after %d: what was written is gone", now.Entries, head.Entries)
				}
				head = now
				if n := len(ledgertest.Forecasts(0)); len(lines)%n != 0 {
					t.Fatalf("%d forecasts, want a multiple of %d", len(lines), n)
				}
				if err := l.Close(); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// killWriter starts a writer and kills it some time after its first entries.
func killWriter(t *testing.T, url string, after time.Duration) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+url)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "written\n" {
		t.Errorf("the writer says %q, %v", line, err)
	}
	time.Sleep(after)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil || cmd.ProcessState.Exited() {
		t.Fatalf("the writer ended by itself: %v", cmd.ProcessState)
	}
}
