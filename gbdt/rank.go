package gbdt

import (
	"math"
	"math/bits"
	"slices"
)

// A ranker turns the values of a row into ranks among the thresholds that a model compares them with, so that the walk
// through the trees compares small whole numbers:
//
//	rank(x) = number of distinct thresholds of the feature that send x right
//
// and a node whose threshold is number r, from 0, of its feature's sorts x right if and only if rank(x) > r. Thresholds
// are kept as keys: whole numbers in the order of the floating-point numbers, moved by one for LightGBM so that
// "key <= key of x" means "x goes right" in both families. float64 rows and float32 rows have their own keys.
//
// A rank stands in one column for each way in which the nodes of the feature treat missing values.
type ranker struct {
	family   Family
	features []rankedFeature
	columns  int
	// wide has the keys for float64 rows of a LightGBM model, narrow the keys for float32 rows; XGBoost rounds all rows
	// to float32. The keys of one feature are a search tree of 1<<steps entries: the children of entry i are 2i and
	// 2i+1, entry 0 is not used. Both end with a tableSize of padding, or, if compact, with compactKeys.
	wide   []uint64
	narrow []uint32
	// compact says that no feature has compactKeys thresholds.
	compact bool
}

type rankedFeature struct {
	feature int32
	// keys is where the feature's keys start.
	keys int32
	// column is the first of the feature's columns, one for each rule.
	column int32
	count  int32 // thresholds
	zero   int32 // the rank of 0
	steps  uint8
	rules  []missingRule
	// zeros says that a rule treats 0 as missing.
	zeros bool
}

// missingRule says which rank a missing value gets.
type missingRule uint8

const (
	nanIsZero   missingRule = iota // NaN is 0
	nanLeft                        // NaN goes left
	nanRight                       // NaN goes right
	zeroIsLeft                     // NaN and 0 go left
	zeroIsRight                    // NaN and 0 go right
	missingRules
)

// ruleOf returns the rule of a numerical node.
func ruleOf(family Family, decision uint8) missingRule {
	left := decision&DecisionDefaultLeft != 0
	switch missing := MissingType(decision >> decisionMissingShift & 3); {
	case family == LightGBM && missing == MissingNone:
		return nanIsZero
	case family == LightGBM && missing == MissingZero && left:
		return zeroIsLeft
	case family == LightGBM && missing == MissingZero:
		return zeroIsRight
	case left:
		return nanLeft
	}
	return nanRight
}

const (
	// tableSize is the length of the arrays that 16-bit numbers index, so that no index needs to be checked.
	tableSize = 1 << 16
	// maxRank is the largest number of thresholds of a feature.
	maxRank = tableSize - 1
	// compactKeys is the length of the array that starts with a feature's keys if all features have fewer.
	compactKeys = 1 << 8
	// groupRows is the number of rows in a group.
	groupRows = 8
)

// key64 returns a whole number that grows with x; -0 is below +0.
func key64(x float64) uint64 {
	b := math.Float64bits(x)
	return b ^ (uint64(int64(b)>>63) | 1<<63)
}

// key32 is key64 for float32.
func key32(x float32) uint32 {
	b := math.Float32bits(x)
	return b ^ (uint32(int32(b)>>31) | 1<<31)
}

// thresholdKey returns the key of a threshold that is not NaN: the smallest key of a value that it sends right. Values
// need not be normalized before they are compared with it.
func thresholdKey(family Family, t float64) uint64 {
	if family == XGBoost {
		if t == 0 {
			return key64(math.Copysign(0, -1)) // x < 0 is false for both zeros
		}
		return key64(t)
	}
	switch {
	case t >= 0 && t <= zeroThreshold: // values up to zeroThreshold are 0
		t = zeroThreshold
	case t < 0 && t >= -zeroThreshold:
		t = math.Nextafter(-zeroThreshold, math.Inf(-1))
	}
	return key64(t) + 1
}

// narrowKey returns the key for float32 values of the threshold whose key for float64 values is key.
func narrowKey(family Family, key uint64) uint32 {
	if family == LightGBM {
		key--
	}
	b := key ^ (^uint64(int64(key)>>63) | 1<<63)
	t := math.Float64frombits(b)
	n := float32(t)
	if family == XGBoost {
		return key32(n) // exact
	}
	if float64(n) > t { // the largest float32 that is not above t answers x <= t for all float32 x
		n = math.Nextafter32(n, float32(math.Inf(-1)))
	}
	return key32(n) + 1
}

// newRanker returns the ranker for the thresholds, given as keys by feature (in any order, sorted here), and the rules
// in use by feature. It returns nil if a feature has too many thresholds.
func newRanker(family Family, thresholds [][]uint64, rules [][missingRules]bool) *ranker {
	k := &ranker{family: family}
	var spare []uint64
	for f, keys := range thresholds {
		if len(keys) == 0 {
			continue
		}
		if len(spare) < len(keys) {
			spare = make([]uint64, len(keys))
		}
		copy(keys, radixSortKeys(keys, spare[:len(keys)])) // which may lie in spare
		thresholds[f] = slices.Compact(keys)
		if len(thresholds[f]) > maxRank {
			return nil
		}
		r := rankedFeature{feature: int32(f), count: int32(len(thresholds[f]))}
		for rule, used := range rules[f] {
			if used {
				r.rules = append(r.rules, missingRule(rule))
			}
		}
		r.zeros = rules[f][zeroIsLeft] || rules[f][zeroIsRight]
		k.features = append(k.features, r)
	}
	// Four neighbours are searched together for a single row, with equally many steps.
	slices.SortStableFunc(k.features, func(a, b rankedFeature) int { return int(b.count) - int(a.count) })
	size := 0
	for i := range k.features {
		f := &k.features[i]
		f.steps = uint8(bits.Len(uint(k.features[i&^3].count)))
		f.keys = int32(size)
		f.column = int32(k.columns)
		size += 1 << f.steps
		k.columns += len(f.rules)
	}
	padding := tableSize
	if k.compact = len(k.features) > 0 && k.features[0].count < compactKeys; k.compact {
		padding = compactKeys
	}
	k.narrow = make([]uint32, size+padding)
	if family == LightGBM {
		k.wide = make([]uint64, size+padding)
	}
	for i := range k.features {
		f := &k.features[i]
		keys := thresholds[f.feature]
		zero, _ := slices.BinarySearch(keys, key64(0)+1)
		f.zero = int32(zero)
		if family == XGBoost {
			fillTable(k.narrow[f.keys:], keys, f.steps, func(key uint64) uint32 { return narrowKey(family, key) })
			continue
		}
		fillTable(k.narrow[f.keys:], keys, f.steps, func(key uint64) uint32 { return narrowKey(family, key) })
		fillTable(k.wide[f.keys:], keys, f.steps, func(key uint64) uint64 { return key })
	}
	return k
}

// number returns which of the feature's thresholds, from 0, has the given key, which is that of one of them.
func (k *ranker) number(f *rankedFeature, key uint64) uint64 {
	r := uint64(1) // as in search64
	if k.family == XGBoost {
		narrow, table := uint64(narrowKey(k.family, key))+1, k.narrow[f.keys:]
		for n := f.steps; n > 0; n-- {
			r = r<<1 + (uint64(table[r])-narrow)>>63
		}
	} else {
		table := k.wide[f.keys:]
		for n := f.steps; n > 0; n-- {
			_, above := bits.Sub64(key, table[r], 0)
			r = r<<1 + 1 - above
		}
	}
	return r - 1<<(f.steps&63) - 1
}

// fillTable writes the sorted keys to a search tree of the given number of levels; the places left over get the
// largest key, which no number has.
func fillTable[K uint32 | uint64](dst []K, keys []uint64, steps uint8, convert func(uint64) K) {
	size := 1 << steps
	for i := 1; i < size; i++ {
		// The entry number i is, on its level, the (i - 1<<level)-th of 1<<level, in the middle of its subtree.
		level := bits.Len(uint(i)) - 1
		below := size >> level // entries of the subtree, and one
		sorted := (i-1<<level)*below + below/2 - 1
		dst[i] = ^K(0)
		if sorted < len(keys) {
			dst[i] = convert(keys[sorted])
		}
	}
}

// missingRank returns the rank of a missing value.
func (f *rankedFeature) missingRank(rule missingRule) int32 {
	switch rule {
	case nanLeft, zeroIsLeft:
		return 0
	case nanRight, zeroIsRight:
		return f.count
	}
	return f.zero
}

// isMissing reports whether a value gets the rank of a missing one.
func (r missingRule) isMissing(x float64) bool {
	return x != x || (r == zeroIsLeft || r == zeroIsRight) && math.Abs(x) <= zeroThreshold
}

// rankRow writes the ranks of a row to the columns of dst, shifted to the left by shift bits.
func (k *ranker) rankRow(dst []uint32, row []float64, shift uint) {
	for i := 0; i < len(k.features); i += 4 {
		last := len(k.features) - 1
		f0, f1, f2, f3 := &k.features[i], &k.features[min(i+1, last)], &k.features[min(i+2, last)], &k.features[min(i+3, last)]
		x0, x1, x2, x3 := row[f0.feature], row[f1.feature], row[f2.feature], row[f3.feature]
		var r0, r1, r2, r3 uint64
		switch {
		case k.family == XGBoost && k.compact:
			r0, r1, r2, r3 = search32((*[compactKeys]uint32)(k.narrow[f0.keys:]), (*[compactKeys]uint32)(k.narrow[f1.keys:]),
				(*[compactKeys]uint32)(k.narrow[f2.keys:]), (*[compactKeys]uint32)(k.narrow[f3.keys:]), f0.steps,
				key32(float32(x0)), key32(float32(x1)), key32(float32(x2)), key32(float32(x3)))
		case k.family == XGBoost:
			r0, r1, r2, r3 = search32((*[tableSize]uint32)(k.narrow[f0.keys:]), (*[tableSize]uint32)(k.narrow[f1.keys:]),
				(*[tableSize]uint32)(k.narrow[f2.keys:]), (*[tableSize]uint32)(k.narrow[f3.keys:]), f0.steps,
				key32(float32(x0)), key32(float32(x1)), key32(float32(x2)), key32(float32(x3)))
		case k.compact:
			r0, r1, r2, r3 = search64((*[compactKeys]uint64)(k.wide[f0.keys:]), (*[compactKeys]uint64)(k.wide[f1.keys:]),
				(*[compactKeys]uint64)(k.wide[f2.keys:]), (*[compactKeys]uint64)(k.wide[f3.keys:]), f0.steps,
				key64(x0), key64(x1), key64(x2), key64(x3))
		default:
			r0, r1, r2, r3 = search64((*[tableSize]uint64)(k.wide[f0.keys:]), (*[tableSize]uint64)(k.wide[f1.keys:]),
				(*[tableSize]uint64)(k.wide[f2.keys:]), (*[tableSize]uint64)(k.wide[f3.keys:]), f0.steps,
				key64(x0), key64(x1), key64(x2), key64(x3))
		}
		f0.put(dst, x0, r0, shift)
		f1.put(dst, x1, r1, shift)
		f2.put(dst, x2, r2, shift)
		f3.put(dst, x3, r3, shift)
	}
}

// put writes the rank of x, or of a missing value, to each of the feature's columns.
func (f *rankedFeature) put(dst []uint32, x float64, rank uint64, shift uint) {
	if x == x && !f.zeros {
		dst[f.column] = uint32(rank) << shift
		for j := 1; j < len(f.rules); j++ {
			dst[int(f.column)+j] = uint32(rank) << shift
		}
		return
	}
	for j, rule := range f.rules {
		if rule.isMissing(x) {
			dst[int(f.column)+j] = uint32(f.missingRank(rule)) << shift
		} else {
			dst[int(f.column)+j] = uint32(rank) << shift
		}
	}
}

// Ranks of a group of rows are 64-bit words, eight to a column, with the rank in the bits from rankShift on.
const rankShift = 32

// rankGroup32 writes the ranks of eight rows, of stride values each, to dst.
func (k *ranker) rankGroup32(dst []uint64, x []float32, stride int) {
	for i := range k.features {
		f := &k.features[i]
		var v [groupRows]float32
		at := int(f.feature)
		missing := f.zeros
		for lane := range v {
			v[lane] = x[at]
			missing = missing || v[lane] != v[lane]
			at += stride
		}
		d := (*[groupRows]uint64)(dst[int(f.column)*groupRows:])
		if k.compact {
			rankLanes32(d, (*[compactKeys]uint32)(k.narrow[f.keys:]), f.steps, &v)
		} else {
			rankLanes32(d, (*[tableSize]uint32)(k.narrow[f.keys:]), f.steps, &v)
		}
		f.copyColumns(dst)
		if missing {
			for lane, x := range v {
				f.putMissing(dst, lane, float64(x))
			}
		}
	}
}

// rankGroup64 is rankGroup32 for a LightGBM model and float64 rows.
func (k *ranker) rankGroup64(dst []uint64, x []float64, stride int) {
	for i := range k.features {
		f := &k.features[i]
		var v [groupRows]float64
		at := int(f.feature)
		missing := f.zeros
		for lane := range v {
			v[lane] = x[at]
			missing = missing || v[lane] != v[lane]
			at += stride
		}
		d := (*[groupRows]uint64)(dst[int(f.column)*groupRows:])
		if k.compact {
			rankLanes64(d, (*[compactKeys]uint64)(k.wide[f.keys:]), f.steps, &v)
		} else {
			rankLanes64(d, (*[tableSize]uint64)(k.wide[f.keys:]), f.steps, &v)
		}
		f.copyColumns(dst)
		if missing {
			for lane, x := range v {
				f.putMissing(dst, lane, x)
			}
		}
	}
}

// rankLanes32 writes the ranks of eight values.
func rankLanes32[T keyTable32](d *[groupRows]uint64, t *T, steps uint8, v *[groupRows]float32) {
	r0, r1, r2, r3 := search32(t, t, t, t, steps, key32(v[0]), key32(v[1]), key32(v[2]), key32(v[3]))
	d[0], d[1], d[2], d[3] = r0<<rankShift, r1<<rankShift, r2<<rankShift, r3<<rankShift
	r0, r1, r2, r3 = search32(t, t, t, t, steps, key32(v[4]), key32(v[5]), key32(v[6]), key32(v[7]))
	d[4], d[5], d[6], d[7] = r0<<rankShift, r1<<rankShift, r2<<rankShift, r3<<rankShift
}

// rankLanes64 writes the ranks of eight values.
func rankLanes64[T keyTable64](d *[groupRows]uint64, t *T, steps uint8, v *[groupRows]float64) {
	r0, r1, r2, r3 := search64(t, t, t, t, steps, key64(v[0]), key64(v[1]), key64(v[2]), key64(v[3]))
	d[0], d[1], d[2], d[3] = r0<<rankShift, r1<<rankShift, r2<<rankShift, r3<<rankShift
	r0, r1, r2, r3 = search64(t, t, t, t, steps, key64(v[4]), key64(v[5]), key64(v[6]), key64(v[7]))
	d[4], d[5], d[6], d[7] = r0<<rankShift, r1<<rankShift, r2<<rankShift, r3<<rankShift
}

// copyColumns copies the feature's first column to its other columns.
func (f *rankedFeature) copyColumns(dst []uint64) {
	from := dst[int(f.column)*groupRows:][:groupRows]
	for j := 1; j < len(f.rules); j++ {
		copy(dst[(int(f.column)+j)*groupRows:], from)
	}
}

// putMissing writes the rank of x in a lane where x is missing.
func (f *rankedFeature) putMissing(dst []uint64, lane int, x float64) {
	for j, rule := range f.rules {
		if rule.isMissing(x) {
			dst[(int(f.column)+j)*groupRows+lane] = uint64(f.missingRank(rule)) << rankShift
		}
	}
}

// keyTable32 and keyTable64 are arrays that start with a feature's keys.
type (
	keyTable32 interface {
		[tableSize]uint32 | [compactKeys]uint32
	}
	keyTable64 interface {
		[tableSize]uint64 | [compactKeys]uint64
	}
)

// search32 returns how many of the keys in each table are not above the key of that place, without a branch that
// depends on them. A key of NaN gives a rank without meaning.
func search32[T keyTable32](t0, t1, t2, t3 *T, steps uint8, k0, k1, k2, k3 uint32) (r0, r1, r2, r3 uint64) {
	r0, r1, r2, r3 = 1, 1, 1, 1
	last := uint16(len(*t0) - 1)
	a, b, c, d := uint64(k0)+1, uint64(k1)+1, uint64(k2)+1, uint64(k3)+1
	for n := steps; n > 0; n-- {
		r0 = r0<<1 + (uint64((*t0)[uint16(r0)&last])-a)>>63
		r1 = r1<<1 + (uint64((*t1)[uint16(r1)&last])-b)>>63
		r2 = r2<<1 + (uint64((*t2)[uint16(r2)&last])-c)>>63
		r3 = r3<<1 + (uint64((*t3)[uint16(r3)&last])-d)>>63
	}
	top := uint64(1) << (steps & 63)
	return r0 - top, r1 - top, r2 - top, r3 - top
}

// search64 is search32 for float64 keys.
func search64[T keyTable64](t0, t1, t2, t3 *T, steps uint8, k0, k1, k2, k3 uint64) (r0, r1, r2, r3 uint64) {
	r0, r1, r2, r3 = 1, 1, 1, 1
	last := uint16(len(*t0) - 1)
	for n := steps; n > 0; n-- {
		_, a := bits.Sub64(k0, (*t0)[uint16(r0)&last], 0)
		_, b := bits.Sub64(k1, (*t1)[uint16(r1)&last], 0)
		_, c := bits.Sub64(k2, (*t2)[uint16(r2)&last], 0)
		_, d := bits.Sub64(k3, (*t3)[uint16(r3)&last], 0)
		r0, r1, r2, r3 = r0<<1+1-a, r1<<1+1-b, r2<<1+1-c, r3<<1+1-d
	}
	top := uint64(1) << (steps & 63)
	return r0 - top, r1 - top, r2 - top, r3 - top
}
