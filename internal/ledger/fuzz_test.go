package ledger

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/pppq/pppq/internal/csvfile"
)

// lines are two forecasts, one of them scored.
func exampleLines() []Line {
	f, s := example()
	other := *f.Forecast
	other.Asset = "Silver"
	return []Line{{Forecast: f, Score: &s}, {Forecast: Entry{Number: 3, WrittenAt: f.WrittenAt, Forecast: &other, Previous: s.Hash, Hash: Genesis}}}
}

// What is not the snapshot, or a beginning of it, is refused.
func FuzzCheckSnapshot(f *testing.F) {
	lines := exampleLines()
	var b bytes.Buffer
	if err := WriteSnapshot(&b, lines); err != nil {
		f.Fatal(err)
	}
	whole := b.String()
	f.Add(whole)
	f.Add(strings.Replace(whole, "Gold", "Oil", 1))
	f.Add(whole + whole)
	f.Add(strings.ReplaceAll(whole, ",", ",,"))
	f.Add("entry\n1\n")
	f.Fuzz(func(t *testing.T, in string) {
		text, err := csvfile.Read(strings.NewReader(in), SnapshotName, SnapshotLimits)
		if err != nil {
			return
		}
		behind, err := checkSnapshot(text, lines)
		if err == nil && (behind < 0 || behind > 3) {
			t.Errorf("%d entries behind, there are 3", behind)
		}
		var fault *Fault
		var parse *csvfile.ParseError
		if err != nil && !errors.As(err, &fault) && !errors.As(err, &parse) {
			t.Errorf("an error without a place: %v", err)
		}
	})
}

func FuzzPending(f *testing.F) {
	f.Add("20261122T181500Z-4f2a\n20261222T181500Z-4f2b\n")
	f.Add("20261122T181500Z-4f2a")
	f.Add("")
	f.Add("\"20261122T181500Z-4f2a\"\r\n")
	f.Fuzz(func(t *testing.T, in string) {
		text, err := csvfile.Read(strings.NewReader(in), pendingName, pendingLimits)
		if err != nil {
			return
		}
		versions, err := parsePending(text)
		if err != nil {
			return
		}
		again, err := csvfile.Read(strings.NewReader(strings.Join(versions, "\n")+"\n"), pendingName, pendingLimits)
		if err != nil {
			t.Fatal(err)
		}
		got, err := parsePending(again)
		if err != nil || strings.Join(got, " ") != strings.Join(versions, " ") {
			t.Errorf("read again: got %q, %v, want %q", got, err, versions)
		}
	})
}
