package gbdt

import (
	"errors"
	"reflect"
	"testing"
)

// batches returns a source of the dataset's rows, n at a time, from the same memory each time.
func batches(d *Dataset, n int) Source {
	return func(visit func(Matrix, Targets) error) error {
		buf, t := make([]float64, n*d.x.cols), d.Targets()
		for from := 0; from < d.x.rows; from += n {
			to := min(from+n, d.x.rows)
			copy(buf, d.x.f64[from*d.x.cols:to*d.x.cols])
			batch := Targets{Labels: t.Labels[from:to]}
			if t.Weights != nil {
				batch.Weights = t.Weights[from:to]
			}
			x := Matrix{rows: to - from, cols: d.x.cols, f64: buf[:(to-from)*d.x.cols]}
			if err := visit(x, batch); err != nil {
				return err
			}
		}
		return nil
	}
}

// Rows that come in batches give the model that the table of them gives.
func TestStreamedDatasetGivesTheSameModel(t *testing.T) {
	for name, p := range variants() {
		d := testDataset(t, 91, 900, 10, p)
		want := mustTrain(t, p, d, TrainOptions{}).Model
		for _, n := range []int{1, 250, 900} {
			s, err := NewStreamedDataset(p, nil, batches(d, n))
			if err != nil {
				t.Fatal(err)
			}
			got := mustTrain(t, p, s, TrainOptions{}).Model
			if !reflect.DeepEqual(got.Trees, want.Trees) || !reflect.DeepEqual(got.FeatureNames, want.FeatureNames) {
				t.Errorf("%s: batches of %d rows give another model", name, n)
			}
		}
		b, err := d.Binned(p)
		if err != nil {
			t.Fatal(err)
		}
		if got := mustTrain(t, p, b, TrainOptions{}).Model; !reflect.DeepEqual(got.Trees, want.Trees) {
			t.Errorf("%s: a binned dataset gives another model", name)
		}
		p.MaxBin = 9
		want = mustTrain(t, p, d, TrainOptions{}).Model
		if got := mustTrain(t, p, b, TrainOptions{}).Model; !reflect.DeepEqual(got.Trees, want.Trees) {
			t.Errorf("%s: the bins of other parameters were used", name)
		}
	}
}

func TestStreamedDatasetRefuses(t *testing.T) {
	p := DefaultParams(LightGBM)
	d := testDataset(t, 92, 300, 5, p)
	stop := errors.New("stop")
	calls := 0
	for _, c := range []struct {
		name   string
		source Source
		want   error
	}{
		{"no rows", func(func(Matrix, Targets) error) error { return nil }, ErrShape},
		{"its own error", func(func(Matrix, Targets) error) error { return stop }, stop},
		{"another width", func(visit func(Matrix, Targets) error) error {
			return errors.Join(visit(Matrix{rows: 1, cols: 1, f64: []float64{1}}, Targets{Labels: []float64{1}}),
				visit(Matrix{rows: 1, cols: 2, f64: []float64{1, 2}}, Targets{Labels: []float64{1}}))
		}, ErrShape},
		{"two kinds of numbers", func(visit func(Matrix, Targets) error) error {
			return errors.Join(visit(Matrix{rows: 1, cols: 1, f64: []float64{1}}, Targets{Labels: []float64{1}}),
				visit(Matrix{rows: 1, cols: 1, f32: []float32{1}}, Targets{Labels: []float64{1}}))
		}, ErrShape},
		{"fewer rows the second time", func(visit func(Matrix, Targets) error) error {
			calls++
			if calls == 1 {
				return batches(d, 100)(visit)
			}
			return visit(Matrix{rows: 1, cols: 5, f64: d.x.f64[:5]}, Targets{Labels: []float64{1}, Weights: []float64{1}})
		}, ErrShape},
		{"no labels", func(visit func(Matrix, Targets) error) error {
			return visit(Matrix{rows: 2, cols: 1, f64: []float64{1, 2}}, Targets{Labels: []float64{1}})
		}, ErrShape},
	} {
		if _, err := NewStreamedDataset(p, nil, c.source); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
	s, err := NewStreamedDataset(p, nil, batches(d, 100))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Subset([]int32{1}); !errors.Is(err, ErrShape) {
		t.Errorf("subset: got %v, want %v", err, ErrShape)
	}
	if _, err := Train(t.Context(), p, d, TrainOptions{Valid: []ValidSet{{"streamed", s}}}); !errors.Is(err, ErrShape) {
		t.Errorf("validation set: got %v, want %v", err, ErrShape)
	}
	if _, err := Train(t.Context(), p, s, TrainOptions{Valid: []ValidSet{{"itself", s}}}); !errors.Is(err, ErrShape) {
		t.Errorf("itself as validation set: got %v, want %v", err, ErrShape)
	}
	p.MaxBin = 9
	if _, err := Train(t.Context(), p, s, TrainOptions{}); !errors.Is(err, ErrParams) {
		t.Errorf("other bins: got %v, want %v", err, ErrParams)
	}
}
