package bundle

import (
	"fmt"
	"strings"

	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/panel"
)

// featuresFile is features.json: the columns that the boosters read, in their
// order, and those of the panel.
type featuresFile struct {
	Spread []featureLine `json:"spread"`
	Panel  []featureLine `json:"panel"`
}

type featureLine struct {
	Name   string       `json:"name"`
	Family panel.Family `json:"family"`
	Unit   string       `json:"unit"`
	Help   string       `json:"help"`
}

// programFeatures are the columns of this program.
func programFeatures() featuresFile {
	lines := func(features []panel.Feature) (out []featureLine) {
		for _, f := range features {
			out = append(out, featureLine{f.Name, f.Family, f.Unit, f.Help})
		}
		return out
	}
	return featuresFile{Spread: lines(forecast.SpreadFeatures()), Panel: lines(panel.Features())}
}

// featuresHash sums up what a model depends on: names, units and order.
func featuresHash() string {
	var b strings.Builder
	own := programFeatures()
	for _, lines := range [][]featureLine{own.Spread, own.Panel} {
		for _, l := range lines {
			fmt.Fprintf(&b, "%s\t%s\n", l.Name, l.Unit)
		}
		b.WriteString("\n")
	}
	return hashOf([]byte(b.String()))
}

// checkFeatures refuses features.json if its columns are not those of this
// program.
func checkFeatures(b []byte) error {
	var file featuresFile
	if err := decodeJSON(b, &file); err != nil {
		return err
	}
	own := programFeatures()
	for _, c := range []struct {
		what      string
		got, want []featureLine
	}{{"spread", file.Spread, own.Spread}, {"panel", file.Panel, own.Panel}} {
		if len(c.got) != len(c.want) {
			return fmt.Errorf("%s has %d columns, this program reads %d: %w", c.what, len(c.got), len(c.want), ErrIncompatible)
		}
		for i, l := range c.got {
			if l.Name != c.want[i].Name || l.Unit != c.want[i].Unit {
				return fmt.Errorf("%s: column %d is %q (%s), this program reads %q (%s): %w",
					c.what, i+1, short(l.Name), short(l.Unit), c.want[i].Name, c.want[i].Unit, ErrIncompatible)
			}
		}
	}
	return nil
}
