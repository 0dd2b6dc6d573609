package state

import (
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/collector/timerqueue"
)

// unixNano is a time in one word, Unix nanoseconds, for the cells, of which there
// are hundreds of thousands. Zero is no time.
type unixNano int64

func unixNanoOf(t time.Time) unixNano {
	if t.IsZero() {
		return 0
	}
	return unixNano(timerqueue.Nanoseconds(t))
}

func (n unixNano) time() time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(n))
}
