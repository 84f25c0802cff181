package store_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/pppq/pppq/internal/series"
	"github.com/pppq/pppq/internal/store"
)

// TestMain is also the writer that TestKilled kills: told a folder, it adds
// figures without end and says after each addition how many months there are.
func TestMain(m *testing.M) {
	if dir := os.Getenv("STORE_TEST_DIR"); dir != "" {
		if err := writeForever(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

func writeForever(dir string) error {
	st, err := store.Open(dir)
	if err != nil {
		return err
	}
	ctx := context.Background()
	start := series.Of(1800, time.January)
	for {
		all, assets, err := st.Load(ctx)
		if err != nil {
			return err
		}
		next := start
		if _, ok := store.FindAsset(assets, fund.ID); ok {
			s, err := all.Get(fund.Price)
			if err != nil {
				return err
			}
			next = s.Last() + 1
		}
		asset := fund
		obs := []series.Observation{{Period: next, Value: float64(next), KnownFrom: next.End(), Source: "test"}}
		if _, err := st.Apply(ctx, store.Update{
			Now: next.End().Time(), Asset: &asset, Series: []store.SeriesUpdate{{Info: own, Figures: obs}},
		}); err != nil {
			return err
		}
		fmt.Println(int(next-start) + 1)
	}
}

// A writer killed at any moment leaves a folder that loads, with everything it
// had reported and at most one addition more.
func TestKilled(t *testing.T) {
	t.Parallel()
	st := open(t, small(t))
	reported := 0
	for round := range 12 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "STORE_TEST_DIR="+st.Dir())
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		if !lines.Scan() {
			t.Fatalf("round %d: the writer said nothing", round)
		}
		time.Sleep(time.Duration(rand.IntN(8000)) * time.Microsecond)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for more := true; more; more = lines.Scan() {
			if _, err := fmt.Sscan(lines.Text(), &reported); err != nil {
				t.Fatal(err)
			}
		}
		if err := cmd.Wait(); err == nil {
			t.Fatal("the writer ended well")
		}
		all, assets := load(t, st)
		if _, ok := store.FindAsset(assets, fund.ID); !ok {
			t.Fatalf("round %d: the asset is gone", round)
		}
		got := len(get(t, all, fund.Price).Observations())
		if got < reported || got > reported+1 {
			t.Fatalf("round %d: got %d months, reported were %d", round, got, reported)
		}
	}
	if reported < 12 {
		t.Errorf("only %d months were written in 12 rounds", reported)
	}
	// The next writer clears away what the killed ones left.
	if _, err := st.RemoveAsset(t.Context(), fund.ID); err != nil {
		t.Fatal(err)
	}
	for _, pattern := range []string{".*.tmp-*", "series/.*.tmp-*"} {
		left, err := filepath.Glob(filepath.Join(st.Dir(), pattern))
		if err != nil || len(left) > 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
	}
}
