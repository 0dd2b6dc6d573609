package readiness_test

import (
	"testing"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

// A change is dated by the moment it was seen. Only a late one may be dated by its
// stamp, and only if that lies between the previous change and now.
func TestDate(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		now, previous, stamped, want time.Time
	}{
		"a late change is dated by its stamp":                          {objects.At(100.4), objects.At(0), objects.At(100), objects.At(100)},
		"one in the second of the previous change took no time":        {objects.At(700), objects.At(100.3), objects.At(100), objects.At(100.3)},
		"one in the second before it is ignored":                       {objects.At(700), objects.At(101.3), objects.At(100), objects.At(700)},
		"a change that arrives with a relist is dated by its stamp":    {objects.At(700), objects.At(0), objects.At(100), objects.At(100)},
		"a stamp from before the previous change is ignored":           {objects.At(700), objects.At(200), objects.At(100), objects.At(700)},
		"it is not moved to the previous change":                       {objects.At(700), objects.At(699), objects.At(100), objects.At(700)},
		"a stamp from the future is ignored":                           {objects.At(100), objects.At(0), objects.At(160), objects.At(100)},
		"a change without a stamp is dated by when it is seen":         {objects.At(100), objects.At(0), time.Time{}, objects.At(100)},
		"the first change of all may be dated by its stamp":            {objects.At(700), time.Time{}, objects.At(100), objects.At(100)},
		"when the clock was set back, only what is seen now counts":    {objects.At(50), objects.At(100), objects.At(98), objects.At(50)},
		"a clock that was set back far does not make old stamps valid": {objects.At(-5000), objects.At(100), objects.At(-5100), objects.At(-5000)},
	} {
		t.Run(name, func(t *testing.T) {
			check.Equal(t, readiness.Date(test.now, test.previous, test.stamped, true), test.want, "dated")
			check.Equal(t, readiness.Date(test.now, test.previous, test.stamped, false), test.now, "on a watch that was never interrupted it is dated")
		})
	}
}

func TestBegun(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ now, stamped, want time.Time }{
		"a state from before the start is dated by its stamp": {objects.At(100), objects.At(-9000), objects.At(-9000)},
		"one without a stamp begins with the exporter":        {objects.At(100), time.Time{}, objects.At(100)},
		"one from the future begins with the exporter":        {objects.At(100), objects.At(101), objects.At(100)},
	} {
		t.Run(name, func(t *testing.T) {
			check.Equal(t, readiness.Begun(test.now, test.stamped), test.want, "begun")
		})
	}
}
