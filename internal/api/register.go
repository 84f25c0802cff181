package api

import "strconv"

// register adds every operation of the service.
func (h *Handler) register() {
	h.registerProbes()
	h.registerPredict()
	h.registerBatch()
	h.registerUpload()
	h.registerForecast()
	h.registerCompare()
	h.registerAssets()
	h.registerHistory()
	h.registerQuality()
	h.registerModel()
	h.registerVersions()
	h.registerAdmin()
	h.registerRecord()
	h.registerInference()
	h.registerInvocations()
	h.registerReference()
	h.registerProfiler()
}

// bytesText is a number of bytes in words.
func bytesText(n int64) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return strconv.FormatInt(n>>20, 10) + " MiB"
	case n >= 1<<10 && n%(1<<10) == 0:
		return strconv.FormatInt(n>>10, 10) + " KiB"
	}
	return strconv.FormatInt(n, 10) + " bytes"
}

// itoa writes an index into a JSON pointer.
func itoa(i int) string { return strconv.Itoa(i) }
