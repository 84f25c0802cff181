//go:build !amd64

package gbdt

// canScan says that there are vector instructions for scanForm.
const canScan = false

func scanLeaves([]uint8, *scanStep, *[scanPlanes]uint32, int, *[scanRows]uint8) {
	panic("gbdt: no vector instructions")
}
