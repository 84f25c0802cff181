package bundle

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"

	"github.com/pppq/pppq/internal/series"
)

// Data says which figures a bundle was made from.
type Data struct {
	// Hash is the sha256 of every figure, the month it is for and the day from
	// which it was known.
	Hash   string       `json:"hash"`
	Series []DataSeries `json:"series"`
}

// A DataSeries is one series behind a bundle and the months it has figures for.
type DataSeries struct {
	ID      string       `json:"id"`
	Title   string       `json:"title"`
	Unit    string       `json:"unit"`
	Source  string       `json:"source"`
	Licence string       `json:"licence"`
	From    series.Month `json:"from"`
	To      series.Month `json:"to"`
}

// DescribeData sums up a set of series. When a figure was fetched does not
// count: the same figures give the same hash.
func DescribeData(set *series.Set) (Data, error) {
	var d Data
	sum := sha256.New()
	var record [16]byte
	for _, id := range set.IDs() {
		s, err := set.Get(id)
		if err != nil {
			return Data{}, err
		}
		d.Series = append(d.Series, DataSeries{
			ID: s.ID, Title: s.Title, Unit: s.Unit, Source: s.Source, Licence: s.Licence, From: s.First(), To: s.Last(),
		})
		sum.Write([]byte(s.ID + "\n" + string(s.Sampling) + "\n"))
		for _, o := range s.Observations() {
			binary.LittleEndian.PutUint32(record[0:], uint32(o.Period))
			binary.LittleEndian.PutUint32(record[4:], uint32(o.KnownFrom))
			binary.LittleEndian.PutUint64(record[8:], math.Float64bits(o.Value))
			sum.Write(record[:])
		}
		sum.Write([]byte("\n"))
	}
	d.Hash = hex.EncodeToString(sum.Sum(nil))
	return d, nil
}
