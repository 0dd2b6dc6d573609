package coverage

import (
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/collector/timerqueue"
)

// moment is a time in one word, Unix nanoseconds, for the records of which
// there are hundreds of thousands. Zero is no time.
type moment int64

func momentOf(t time.Time) moment {
	if t.IsZero() {
		return 0
	}
	return moment(timerqueue.Nanoseconds(t))
}

func (m moment) time() time.Time {
	if m == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(m))
}
