package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/pppq/pppq/gbdt"
	"github.com/pppq/pppq/gbdt/convert"
)

func gbdtConvert() *cobra.Command {
	var in, out, format string
	var tiny bool
	cmd := &cobra.Command{
		Use: "convert", Short: "Turn a LightGBM model into an XGBoost model, or back", Args: exactly(0, "no arguments"),
		Long: `Convert writes a model in the other family's format, or XGBoost's JSON as UBJSON and back.
The new model sends every row of float32 values to the same leaves, and raw scores differ
by rounding only. What the other family cannot say is refused with the reason, and the
exit code is 3.

The name of the new file decides: OUT.txt is LightGBM's, OUT.json and OUT.ubj are
XGBoost's; --format decides for other names, else it is the other family. With - for OUT
nothing but the model goes to standard output, XGBoost's as JSON.`,
		Example: "  pppq gbdt convert --model model.txt --out model.ubj\n  pppq gbdt convert --model model.json --out model.txt",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := needed(cmd, "model", "out"); err != nil {
				return err
			}
			if err := notOver(cmd, "out", "model"); err != nil {
				return err
			}
			family, ok, err := familyOf(out, format)
			if err != nil {
				return err
			}
			m, err := loadModel(in)
			if err != nil {
				return err
			}
			if !ok {
				family = gbdt.LightGBM
				if m.Family == gbdt.LightGBM {
					family = gbdt.XGBoost
				}
			}
			if err := m.saveAs(cmd.OutOrStdout(), out, family, convert.Options{TinyAsZero: tiny}); err != nil {
				if errors.Is(err, convert.ErrRefused) {
					return refused("%s: %w", in, err)
				}
				return err
			}
			if out == "-" {
				return nil
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %v model, %s, %s, written from %s\n", out, family,
				plural(m.NumRounds(), "round", "rounds"), plural(len(m.Trees), "tree", "trees"), in)
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&in, "model", "", "`MODEL` to read")
	f.StringVar(&out, "out", "", "`MODEL` to write, - for standard output")
	f.StringVar(&format, "format", "", "lightgbm or xgboost, where the name of the new file does not say")
	f.BoolVar(&tiny, "tiny-as-zero", false, "accept thresholds of XGBoost at 0, to which LightGBM rounds values of a size up to 1e-35")
	return cmd
}

// saveAs writes the model as one of the family, converted if it is of the other one and with all that its file says
// else.
func (m *modelFile) saveAs(stdout io.Writer, path string, family gbdt.Family, options convert.Options) error {
	if m.Family == family {
		return m.save(stdout, path)
	}
	var converted *gbdt.Model
	var err error
	if family == gbdt.XGBoost {
		converted, err = convert.ToXGBoost(m.Model)
	} else {
		converted, err = convert.ToLightGBM(m.Model, options)
	}
	if err != nil {
		return err
	}
	return saveNew(stdout, path, converted)
}
