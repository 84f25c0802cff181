package gbdt

// quickScan finds the best split of a leaf by a numerical feature where nothing but the sums decides: no penalty L1, no
// bounds on leaf values, no counted rows.
//
// With a = HL+L2, T = H+2*L2 and d = GL - G*a/T the gain of a split is T*d*d/(a*(T-a)) less a number that does not
// depend on the split, so the largest d*d/(a*(T-a)) wins. Two of those are compared by products, in integer units.
type quickScan struct {
	total gradPair
	least int64 // of a child's hessians
	l2    float64
	t     float64
	ratio float64 // G/T
	// A quotient q gains unit*q + offset.
	unit, offset float64

	// The best split so far is that after bin, with left in the left child and a quotient of num/den; bin below 0 means
	// none.
	num, den float64
	bin      int
	left     gradPair
}

// start makes the scan ready for a feature of the leaf; splits that gain less than gain are not looked for.
func (q *quickScan) start(gain float64) {
	q.num, q.den, q.bin = q.quotient(gain), 1, -1
}

// quickScan returns the scan for a leaf.
func (r *splitRule) quickScan(leaf leafSums, least int64, parent float64) quickScan {
	l2 := r.l2 * r.scale.hessian
	t := float64(leaf.sum.hessian()) + 2*l2
	g := float64(leaf.sum.gradient())
	unit := r.scale.hessian / (r.scale.gradient * r.scale.gradient)
	return quickScan{
		total: leaf.sum, least: least, l2: l2, t: t, ratio: g / t,
		unit: float64(t * unit), offset: float64(float64(g*g)/t*unit) - parent,
	}
}

// quotient returns a quotient that only splits of about the gain or more pass.
func (q *quickScan) quotient(gain float64) float64 {
	const slack = 1 - 1e-9 // far more than rounding can move a quotient
	return max(0, (gain-q.offset)/q.unit*slack)
}

// scan looks at the splits after each of the given bins, with the sums of left already in the left child.
func (q *quickScan) scan(sums []gradPair, left gradPair) bool {
	b := 0
	for ; ; b++ {
		if b == len(sums) {
			return false
		}
		left += sums[b]
		if left.hessian() >= q.least {
			break
		}
	}
	most := q.total.hessian() - q.least
	l2, t, ratio, num, den := q.l2, q.t, q.ratio, q.num, q.den
	found := false
	for {
		h := left.hessian()
		if h > most {
			break
		}
		a := float64(h) + l2
		d := float64(left.gradient()) - float64(ratio*a)
		dd, aa := float64(d*d), float64(a*(t-a))
		if float64(dd*den) > float64(num*aa) {
			num, den, q.bin, q.left, found = dd, aa, b, left, true
		}
		b++
		if b >= len(sums) {
			break
		}
		left += sums[b]
	}
	q.num, q.den = num, den
	return found
}
