package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/pppq/pppq/internal/forecast"
)

func compareCommand() *cobra.Command {
	var q question
	cmd := &cobra.Command{
		Use: "compare ASSET...", Short: "Rank 2 to 10 assets by the chance of keeping purchasing power", Args: between(2, 10, "2 to 10 assets"),
		Example: "  pppq compare SP500 Gold Bills Banknotes --horizon 10",
		RunE: func(cmd *cobra.Command, args []string) error {
			ask, err := q.ask("")
			if err != nil {
				return err
			}
			b, err := inService(cmd)
			if err != nil {
				return err
			}
			ranked, err := b.Forecaster.Compare(args, ask, time.Now())
			if err != nil {
				return questionError(cmd, b.Forecaster, err)
			}
			if q.asJSON {
				return printJSON(cmd.OutOrStdout(), ranked)
			}
			return printRanked(cmd.OutOrStdout(), q.horizon, ranked, time.Now())
		},
	}
	q.flags(cmd)
	return cmd
}

func printRanked(w io.Writer, horizon float64, ranked []*forecast.Answer, now time.Time) error {
	fmt.Fprintf(w, "Over %s, by the chance of keeping purchasing power\n", years(horizon))
	t := newTable(w)
	fmt.Fprintln(t, "rank\tasset\tP(keeps)\tclass\t100 $ then buy\t80 % interval\tevidence\tfigures to")
	var ended []*forecast.Answer
	for i, a := range ranked {
		if forecast.Ended(a.DataAsOf, now) {
			ended = append(ended, a)
		}
		fmt.Fprintf(t, "%d\t%s\t%.0f %%\t%s\t%.0f $\t%.0f to %.0f $\t%s\t%s%s\n", i+1, a.Asset, 100*a.Probabilities.A, a.PredictedClass,
			a.Buys.Median, a.Buys.P10, a.Buys.P90, a.Evidence, a.DataAsOf, staleMark(a, now))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, a := range ended {
		fmt.Fprintf(w, "%s is NOT FROM TODAY: %s\n", a.Asset, a.Past(now))
	}
	return nil
}
