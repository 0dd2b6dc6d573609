package rescheduling_test

import (
	"testing"

	"github.com/daemonset-exporter/daemonset_exporter/collector/rescheduling"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

// A pod and its node come by two watches: what they tell within a second has no order.
func TestOutage(t *testing.T) {
	t.Parallel()
	downAt := func(at float64) version {
		return nodeIs(at, rescheduling.TerminationNode{StatusSince: objects.At(at)})
	}
	backAt := func(at, since float64) version {
		return nodeIs(at, rescheduling.TerminationNode{Ready: true, StatusSince: objects.At(at), DownSince: objects.At(since)})
	}
	ends := func(at float64) version { return is(at, objects.Finished(0, at)) }
	for name, test := range map[string]struct {
		versions []version
		removed  float64
		want     string
	}{
		"the node fails, and a moment later the pod is gone": {
			[]version{is(10, objects.Terminating(10, 30)), ends(14), downAt(14.2)}, 14.5, "graceful",
		},
		"the node fails a second before the pod is gone": {
			[]version{is(10, objects.Terminating(10, 30)), ends(14), downAt(14.2)}, 15.5, "node_lost",
		},
		"the node is back a moment after the request": {
			[]version{downAt(5), is(10, objects.Terminating(10, 30)), backAt(10.3, 5), ends(14)}, 14.5, "node_lost",
		},
		"the node is back a moment before the request": {
			[]version{downAt(5), backAt(9.7, 5), is(10, objects.Terminating(10, 30)), ends(14)}, 14.5, "node_lost",
		},
		"the node is back a second before the request": {
			[]version{downAt(5), backAt(8.7, 5), is(10, objects.Terminating(10, 30)), ends(14)}, 14.5, "graceful",
		},
		"the node is Ready for the first time a moment before the request": {
			[]version{nodeIs(9.7, rescheduling.TerminationNode{Ready: true, StatusSince: objects.At(9.7)}), is(10, objects.Terminating(10, 30)), ends(14)}, 14.5, "graceful",
		},
		"the second of two outages is within the last second": {
			[]version{is(10, objects.Terminating(10, 30)), downAt(11), backAt(12, 11), ends(14), downAt(14.2)}, 14.5, "node_lost",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newTerminating()
			for _, version := range test.versions {
				p.see(version)
			}
			if got := outcomeOnly(p.end(test.removed, p.skewed())); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}

func TestPresence(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		found bool
		// changes is when the object came and went, in turn.
		changes []float64
		at      float64
		want    bool
	}{
		"no object":                    {false, nil, 0, true},
		"found":                        {true, nil, 0, false},
		"just gone":                    {true, []float64{10}, 10.5, false},
		"gone":                         {true, []float64{10}, 11, true},
		"just there":                   {false, []float64{10}, 10.5, true},
		"there":                        {false, []float64{10}, 11, false},
		"just replaced":                {true, []float64{10, 10.3}, 10.6, false},
		"replaced":                     {true, []float64{10, 10.3}, 12, false},
		"just there, and gone at once": {false, []float64{10, 10.3}, 10.6, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var p rescheduling.Presence
			if test.found {
				p.Found()
			}
			there := test.found
			for _, at := range test.changes {
				there = !there
				p.Set(there, objects.At(at))
			}
			if got := p.Gone(objects.At(test.at)); got != test.want {
				t.Errorf("gone is %v, want %v", got, test.want)
			}
		})
	}
}

func TestPresenceCameDown(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		changes []float64 // from absent
		since   float64
		want    bool
	}{
		"not Ready when it came":   {[]float64{10}, 10, true},
		"not Ready before it came": {[]float64{10}, 8, true},
		"Ready for a while":        {[]float64{10}, 12, false},
		"gone again":               {[]float64{10, 15}, 10, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var p rescheduling.Presence
			there := false
			for _, at := range test.changes {
				there = !there
				p.Set(there, objects.At(at))
			}
			if got := p.CameDown(objects.At(test.since)); got != test.want {
				t.Errorf("came down is %v, want %v", got, test.want)
			}
		})
	}
}
