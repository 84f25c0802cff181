package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strings"
)

// chainVersion opens the text that is hashed.
const chainVersion = "pppq ledger 1"

// Genesis stands for the hash of the entry before the first.
var Genesis = strings.Repeat("0", 2*sha256.Size)

// A Head is the newest entry of a ledger: noted elsewhere it holds the whole
// past, since any change of it would give other hashes.
type Head struct {
	// Entries is how many there are.
	Entries int64 `json:"entries"`
	// Hash is Genesis for none.
	Hash string `json:"hash"`
}

// A Fault is the first entry that does not hold.
type Fault struct {
	Entry int64
	Err   error
}

func (f *Fault) Error() string { return fmt.Sprintf("entry %d: %v", f.Entry, f.Err) }
func (f *Fault) Unwrap() error { return f.Err }

// Sum is the sha256, in hexadecimal digits, of this text in UTF-8: a line that
// names the version, then a line "name=value" for each column that the kind of
// entry has, in the order of the table, without the hash itself. Values are
// written as in the snapshot; NULL is empty. Each line ends with a line feed.
func (e *Entry) Sum() string {
	values := e.values()
	b := append(make([]byte, 0, 1024), chainVersion...)
	kind := kindForecast
	if e.Score != nil {
		kind = kindScore
	}
	for i, c := range columns[:len(columns)-1] {
		if c.kind != "" && c.kind != kind {
			continue
		}
		b = append(append(append(append(b, '\n'), c.name...), '='), cell(values[i])...)
	}
	sum := sha256.Sum256(append(b, '\n'))
	return hex.EncodeToString(sum[:])
}

// isHash reports whether s is a sha256 in hexadecimal digits.
func isHash(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == sha256.Size && strings.ToLower(s) == s
}

// A chain is walked from its first entry on.
type chain struct {
	head  Head
	all   lineList
	known map[Key]bool
}

func newChain() *chain { return &chain{head: Head{Hash: Genesis}, known: map[Key]bool{}} }

// add checks the next entry against those before it. The error is a *Fault.
func (c *chain) add(e Entry) error {
	if err := c.place(e.Number); err != nil {
		return err
	}
	want := c.head.Entries + 1
	switch {
	case e.Previous != c.head.Hash:
		return &Fault{want, fmt.Errorf("does not continue entry %d: one of them was changed, put in or moved", want-1)}
	case e.Sum() != e.Hash:
		return &Fault{want, errors.New("was changed: it does not match its hash")}
	}
	if err := c.relate(e); err != nil {
		return err
	}
	c.head = Head{Entries: want, Hash: e.Hash}
	return nil
}

// place checks the number of the next entry.
func (c *chain) place(number int64) error {
	want := c.head.Entries + 1
	switch {
	case number < want:
		return &Fault{number, fmt.Errorf("stands where entry %d belongs", want)}
	case number > want:
		return &Fault{want, fmt.Errorf("is missing: entry %d follows entry %d", number, want-1)}
	}
	return nil
}

// relate checks what an entry says of others. The error is a *Fault.
func (c *chain) relate(e Entry) error {
	if err := c.all.add(e); err != nil {
		return err
	}
	if f := e.Forecast; f != nil {
		if c.known[f.Key] {
			return &Fault{e.Number, fmt.Errorf("repeats the forecast %s", f.Key)}
		}
		c.known[f.Key] = true
		return nil
	}
	// Another processor may round the last digits otherwise.
	s := e.Score
	rps, logLoss := c.all.of(s).scores(s.Class)
	if math.Abs(rps-s.RPS) > 1e-12 || math.Abs(logLoss-s.LogLoss) > 1e-12 {
		return &Fault{e.Number, fmt.Errorf("says RPS %v and log loss %v, the forecast and its outcome give %v and %v", s.RPS, s.LogLoss, rps, logLoss)}
	}
	return nil
}
