package rescheduling_test

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

// endings are a pod before the request at 10 s with 5 s of grace, what it is in the
// end, and its outcome.
func endings() map[string]struct {
	before, end []objects.Option
	want        string
} {
	unseen := objects.ExitedBecause("ContainerStatusUnknown", 137, 0)
	return map[string]struct {
		before, end []objects.Option
		want        string
	}{
		"exit code 0":                   {nil, []objects.Option{objects.Finished(0, 14)}, "graceful"},
		"exit code 143":                 {nil, []objects.Option{objects.Finished(143, 14)}, "graceful"},
		"killed":                        {nil, []objects.Option{objects.Finished(137, 14)}, "grace_exceeded"},
		"out of memory":                 {nil, []objects.Option{objects.Finished(137, 14), objects.OOMKilled(14)}, "oom_killed"},
		"not seen by its kubelet":       {nil, []objects.Option{objects.Finished(137, 14), unseen}, "unknown"},
		"in crash back-off":             {[]objects.Option{objects.Exited(3, 5)}, []objects.Option{objects.Finished(3, 5)}, "not_running"},
		"before its container started":  {[]objects.Option{objects.Starting(5)}, []objects.Option{objects.Finished(137, 14), unseen}, "not_running"},
		"ended before":                  {[]objects.Option{objects.Finished(137, 5)}, nil, "not_running"},
		"collected by the pod GC":       {nil, []objects.Option{objects.Disrupted("DeletionByPodGC", 14), objects.Phase(corev1.PodFailed)}, "node_lost"},
		"removed without a status more": {nil, nil, "unknown"},
	}
}

func outcomeOnly(got string) string {
	got, _, _ = strings.Cut(got, " ")
	return got
}

// The last version of a pod says how it ended: which of those between the request
// and the removal were seen changes nothing.
func TestOutcomeLaw(t *testing.T) {
	t.Parallel()
	for name, test := range endings() {
		t.Run(name, func(t *testing.T) {
			between := versions{is(11, objects.Label("observed", "2")), is(13), is(14.1, test.end...), is(14.3)}
			for seen := range 1 << len(between) {
				p := newTerminating()
				p.see(is(5, test.before...))
				p.see(asked(10, 5))
				for i, version := range between {
					if seen>>i&1 == 1 {
						p.see(version)
					}
				}
				last := objects.Updated(p.pod, append(test.end, objects.Terminating(14, 0))...)
				if got := outcomeOnly(p.end(14.5, slim.FromPod(last))); got != test.want {
					t.Errorf("of the versions between %04b seen: %s, want %s", seen, got, test.want)
				}
			}
		})
	}
}

// A kubelet whose clock is wrong changes no outcome, as long as somebody watches; nor
// does an object that stays.
func TestOutcomeClockLaw(t *testing.T) {
	t.Parallel()
	cases := endings()
	cases["cut off at the end of the grace period"] = struct {
		before, end []objects.Option
		want        string
	}{nil, []objects.Option{objects.Finished(0, 15)}, "grace_exceeded"}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			for _, skew := range []int64{-86400, -3600, -60, -10, -5, -3, -2, -1, 0, 1, 2, 3, 5, 10, 60, 3600, 86400} {
				for _, stays := range []float64{0, 100} {
					at := 14.2
					if test.want == "grace_exceeded" {
						at = 15.3
					}
					p := newTerminating()
					p.skew = skew
					p.see(is(5, test.before...))
					p.see(asked(10, 5))
					p.see(is(at, test.end...))
					want := test.want
					if stays > 0 && test.end == nil && test.before == nil {
						want = "grace_exceeded" // its containers run until then
					}
					if got := outcomeOnly(p.end(at+stays, p.skewed())); got != want {
						t.Errorf("a clock that is %d s ahead, the object stays for %v s: %s, want %s", skew, stays, got, want)
					}
				}
			}
		})
	}
}
