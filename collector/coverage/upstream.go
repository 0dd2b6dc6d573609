package coverage

import (
	"slices"
	"strings"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// UpstreamCounts are the counts of a DaemonSet's status, in nodes, as the
// DaemonSet controller's own rules give them on the objects that we see.
type UpstreamCounts struct {
	Desired, Current, Ready, Available, Updated, Misscheduled int32
}

// upstream is what one node adds to those counts, and to what a rolling update
// counts as unavailable.
type upstream struct {
	desired, current, ready, available, updated, misscheduled bool
	// spends tells that the node spends the budget of a rolling update.
	spends bool
}

// upstreamOf follows updateDaemonSetStatus and rollingUpdate of
// pkg/controller/daemon (v1.37) for one node. Pods that have ended and are
// being deleted do not count; of several pods the oldest bound one does.
func upstreamOf(set *daemonSet, verdict Verdict, pods []*slim.Pod, now time.Time) upstream {
	pods = slices.DeleteFunc(pods, func(pod *slim.Pod) bool {
		return pod.Terminal() && !pod.DeletionTimestamp.IsZero()
	})
	run, scheduled := verdict == VerdictRun, len(pods) > 0
	counts := upstream{
		desired:      run,
		current:      run && scheduled,
		misscheduled: !run && scheduled,
		spends:       (run || scheduled) && set.object.RollingUpdate && !surges(set.object) && spends(set, pods, now),
	}
	if counts.current {
		oldest := slices.MinFunc(pods, byBindingAndAge)
		counts.ready = oldest.Ready.Status == slim.ConditionTrue
		counts.available = availableUpstream(oldest, set.object.MinReadySeconds, now)
		counts.updated = set.updated(oldest)
	}
	return counts
}

// byBindingAndAge is podByCreationTimestampAndPhase: bound pods first, then the
// oldest, then by name.
func byBindingAndAge(a, b *slim.Pod) int {
	switch {
	case a.Bound != b.Bound && a.Bound:
		return -1
	case a.Bound != b.Bound:
		return 1
	case a.CreationTimestamp != b.CreationTimestamp && a.CreationTimestamp < b.CreationTimestamp:
		return -1
	case a.CreationTimestamp != b.CreationTimestamp:
		return 1
	default:
		return strings.Compare(a.Name, b.Name)
	}
}

// spends tells whether a rolling update without surge counts the node as
// unavailable: it has no pod or too many that are not being deleted, or the one
// that it has is not available.
func spends(set *daemonSet, pods []*slim.Pod, now time.Time) bool {
	var only *slim.Pod
	for _, pod := range pods {
		if !pod.DeletionTimestamp.IsZero() {
			continue
		}
		if only != nil {
			return true
		}
		only = pod
	}
	return only == nil || !availableUpstream(only, set.object.MinReadySeconds, now)
}

// surges tells whether a rolling update starts the new pod before it stops the
// old one. Such an update spends no unavailability.
func surges(ds *slim.DaemonSet) bool {
	if ds.MaxSurge == nil {
		return false
	}
	number := ds.MaxSurge.IntVal
	if percent := strings.TrimSuffix(ds.MaxSurge.StrVal, "%"); percent != "" {
		return strings.Trim(percent, "0") != ""
	}
	return number > 0
}
