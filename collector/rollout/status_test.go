package rollout_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/daemonset-exporter/daemonset_exporter/collector/rollout"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

// words returns the counts to which a node adds.
func words(node rollout.Node) string {
	var words []string
	for field, value := range reflect.ValueOf(node).Fields() {
		if value.Bool() {
			words = append(words, strings.ToLower(field.Name))
		}
	}
	return strings.Join(words, " ")
}

// Each case is one node, on which the controller wants a pod or does not.
func TestCount(t *testing.T) {
	t.Parallel()
	type pod = []objects.Option
	const all = "desired current ready available updated"
	ended := pod{objects.Terminating(-5, 30), objects.Finished(0, -5), objects.Created(-7500)}
	notReady := pod{objects.NotReady(-5)}
	minReady := objects.MinReadySeconds(60)
	for name, test := range map[string]struct {
		ds   []objects.Option
		run  bool
		pods []pod
		want string
	}{
		"a pod that works is everything":                      {nil, true, []pod{{}}, all},
		"no pod":                                              {nil, true, nil, "desired unavailable"},
		"a pod that is not Ready":                             {nil, true, []pod{notReady}, "desired current updated unavailable"},
		"a pod that cannot be scheduled is current":           {nil, true, []pod{{objects.Unbound()}}, "desired current updated unavailable"},
		"a Ready pod is not yet available":                    {[]objects.Option{minReady}, true, []pod{{objects.Ready(-59)}}, "desired current ready updated unavailable"},
		"a Ready pod is available after minReadySeconds":      {[]objects.Option{minReady}, true, []pod{{objects.Ready(-60)}}, all},
		"a pod of another revision is not updated":            {nil, true, []pod{{objects.Revision("second", 2)}}, "desired current ready available"},
		"a pod that has failed":                               {nil, true, []pod{{objects.Finished(1, -5)}}, "desired current updated unavailable"},
		"a terminal pod that still claims Ready is believed":  {nil, true, []pod{{objects.Phase(corev1.PodFailed)}}, all},
		"a terminating pod counts, and spends the budget":     {nil, true, []pod{{objects.Terminating(-5, 30)}}, all + " unavailable"},
		"one that has ended does not count":                   {nil, true, []pod{ended}, "desired unavailable"},
		"its successor does, though it is younger":            {nil, true, []pod{ended, {}}, all},
		"its successor spends the budget until it is Ready":   {nil, true, []pod{ended, notReady}, "desired current updated unavailable"},
		"of two pods the oldest":                              {nil, true, []pod{append(pod{objects.Created(-7100)}, notReady...), {}}, "desired current updated unavailable"},
		"of two pods the oldest, in whatever order":           {nil, true, []pod{{}, append(pod{objects.Created(-7100)}, notReady...)}, "desired current updated unavailable"},
		"of two of one second the first by name":              {nil, true, []pod{append(pod{objects.Named("y")}, notReady...), {objects.Named("x")}}, all + " unavailable"},
		"a bound pod before an older one that is not":         {nil, true, []pod{{objects.Unbound(), objects.Created(-7100)}, {}}, all + " unavailable"},
		"a bound pod before an older one, in whatever order":  {nil, true, []pod{{}, {objects.Unbound(), objects.Created(-7100)}}, all + " unavailable"},
		"one of its generation is: the controller says so":    {nil, true, []pod{{objects.Revision("second", 1)}}, all},
		"a misplaced pod":                                     {nil, false, []pod{{}}, "misscheduled"},
		"a misplaced pod that is not Ready spends the budget": {nil, false, []pod{notReady}, "misscheduled unavailable"},
		"two misplaced pods are one node":                     {nil, false, []pod{{}, {}}, "misscheduled unavailable"},
		"a misplaced pod that has ended is not misplaced":     {nil, false, []pod{ended}, ""},
		"nothing":                              {nil, false, nil, ""},
		"OnDelete spends nothing":              {[]objects.Option{objects.OnDelete()}, true, []pod{notReady}, "desired current updated"},
		"an update that surges spends nothing": {[]objects.Option{objects.RollingUpdate("0", "1")}, true, []pod{notReady}, "desired current updated"},
	} {
		t.Run(name, func(t *testing.T) {
			var pods []*slim.Pod
			for _, options := range test.pods {
				pods = append(pods, slim.FromPod(objects.PodOf("agent", "a", options...)))
			}
			ds := slim.FromDaemonSet(objects.DaemonSet("agent", test.ds...))
			for _, current := range []rollout.Revision{revision("first", 1), known("first", 1)} {
				node := rollout.Count(ds, current, test.run, pods, objects.Noon)
				check.Equal(t, words(node), test.want, current)
			}
		})
	}
}

func TestCountsAdd(t *testing.T) {
	t.Parallel()
	var counts rollout.Counts
	working := rollout.Node{Desired: true, Current: true, Ready: true, Available: true, Updated: true}
	for _, node := range []rollout.Node{
		working, working,
		{Desired: true, Current: true, Ready: true, Available: true, Unavailable: true},
		{Desired: true, Current: true, Ready: true},
		{Desired: true, Current: true},
		{Desired: true},
		{Misscheduled: true},
	} {
		counts.Add(node, 1)
	}
	counts.Add(working, -1)
	want := rollout.Counts{Desired: 5, Current: 4, Ready: 3, Available: 2, Updated: 1, Misscheduled: 1}
	check.Equal(t, counts, want)
}

func TestDifferences(t *testing.T) {
	t.Parallel()
	// One of five nodes failed: what the controller's rules give.
	counts := rollout.Counts{Desired: 4, Current: 4, Ready: 4, Available: 4, Updated: 4, Misscheduled: 1}
	for name, test := range map[string]struct {
		status appsv1.DaemonSetStatus
		counts rollout.Counts
		want   []int32
	}{
		"a status that was left as it was": {
			appsv1.DaemonSetStatus{DesiredNumberScheduled: 5, CurrentNumberScheduled: 5, NumberReady: 4, NumberAvailable: 4, NumberUnavailable: 1, UpdatedNumberScheduled: 5},
			counts,
			[]int32{1, 1, 0, 0, 1, 1, -1},
		},
		"a status that says all is well": {
			appsv1.DaemonSetStatus{DesiredNumberScheduled: 4, CurrentNumberScheduled: 4, NumberReady: 4, NumberAvailable: 4, UpdatedNumberScheduled: 4, NumberMisscheduled: 1},
			counts,
			[]int32{0, 0, 0, 0, 0, 0, 0},
		},
		"each field has its own": {
			appsv1.DaemonSetStatus{
				DesiredNumberScheduled: 11, CurrentNumberScheduled: 21, NumberReady: 31, NumberAvailable: 41,
				NumberUnavailable: 50, UpdatedNumberScheduled: 61, NumberMisscheduled: 70,
			},
			rollout.Counts{Desired: 1, Current: 1, Ready: 1, Available: 1, Updated: 1},
			[]int32{10, 20, 30, 40, 50, 60, 70},
		},
		"unavailable is what is desired and not available": {
			appsv1.DaemonSetStatus{DesiredNumberScheduled: 5, NumberAvailable: 2, NumberUnavailable: 3},
			rollout.Counts{Desired: 5, Available: 2},
			[]int32{0, 0, 0, 0, 0, 0, 0},
		},
	} {
		t.Run(name, func(t *testing.T) {
			status := slim.FromDaemonSet(objects.DaemonSet("agent", objects.Status(test.status))).Status
			var got []int32
			var fields []string
			for _, difference := range rollout.Differences(&slim.DaemonSet{Status: status}, test.counts) {
				got, fields = append(got, difference.Nodes), append(fields, difference.Field)
			}
			check.Equal(t, got, test.want, fields)
			want := []string{"desired", "current", "ready", "available", "unavailable", "updated", "misscheduled"}
			check.That(t, slices.Equal(fields, want) && slices.Equal(rollout.Fields(), want), "fields %v, by Fields %v, want %v", fields, rollout.Fields(), want)
		})
	}
}
