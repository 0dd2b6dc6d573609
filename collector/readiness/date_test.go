package readiness_test

import (
	"testing"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
)

// A change is dated by the moment it was seen. Only one that arrives more than
// two seconds after its stamp may be dated by it, and only if the stamp lies
// between the previous change and now.
func TestDate(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		now, previous, stamped, want time.Time
	}{
		"a change is dated by when it is seen":                         {at(100.4), at(0), at(100), at(100.4)},
		"two seconds are no interruption":                              {at(102), at(0), at(100), at(102)},
		"more than two seconds are one":                                {at(102.001), at(0), at(100), at(100)},
		"a change that arrives with a relist is dated by its stamp":    {at(700), at(0), at(100), at(100)},
		"a stamp from before the previous change is ignored":           {at(700), at(200), at(100), at(700)},
		"it is not moved to the previous change":                       {at(700), at(699), at(100), at(700)},
		"a stamp from the future is ignored":                           {at(100), at(0), at(160), at(100)},
		"a change without a stamp is dated by when it is seen":         {at(100), at(0), time.Time{}, at(100)},
		"the first change of all may be dated by its stamp":            {at(700), time.Time{}, at(100), at(100)},
		"when the clock was set back, only what is seen now counts":    {at(50), at(100), at(98), at(50)},
		"a clock that was set back far does not make old stamps valid": {at(-5000), at(100), at(-5100), at(-5000)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := readiness.Date(test.now, test.previous, test.stamped); !got.Equal(test.want) {
				t.Errorf("dated %v, want %v", got, test.want)
			}
		})
	}
}

func TestBegun(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ now, stamped, want time.Time }{
		"a state from before the start is dated by its stamp": {at(100), at(-9000), at(-9000)},
		"one without a stamp begins with the exporter":        {at(100), time.Time{}, at(100)},
		"one from the future begins with the exporter":        {at(100), at(101), at(100)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := readiness.Begun(test.now, test.stamped); !got.Equal(test.want) {
				t.Errorf("begun %v, want %v", got, test.want)
			}
		})
	}
}
