package state_test

import (
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
	"github.com/daemonset-exporter/daemonset_exporter/collector/rollout"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// withoutEnded are the pods that getNodesToDaemonPods of Kubernetes maps to
// their node: not those that have ended and are being deleted.
func withoutEnded(pods []*slim.Pod) (kept []*slim.Pod) {
	for _, pod := range pods {
		if pod.DeletionTimestamp == 0 || pod.Phase != slim.PodFailed && pod.Phase != slim.PodSucceeded {
			kept = append(kept, pod)
		}
	}
	return kept
}

// modelUpstream adds one node to the counts of updateDaemonSetStatus, and tells
// whether rollingUpdate counts it as unavailable.
func modelUpstream(ds *slim.DaemonSet, verdict coverage.Verdict, pods []*slim.Pod, current string, now time.Time, counts *rollout.Counts) (spends bool) {
	pods = withoutEnded(pods)
	if verdict == coverage.VerdictRun {
		counts.Desired++
	}
	switch {
	case verdict == coverage.VerdictRun && len(pods) > 0:
		counts.Current++
		oldest := pods[0]
		for _, pod := range pods {
			if less(pod, oldest) {
				oldest = pod
			}
		}
		if oldest.Ready.Status == slim.ConditionTrue {
			counts.Ready++
			if modelAvailable(oldest, ds, now) {
				counts.Available++
			}
		}
		if modelUpdated(ds, oldest, current) {
			counts.Updated++
		}
	case len(pods) > 0:
		counts.Misscheduled++
	case verdict != coverage.VerdictRun:
		return false
	}
	if surge, err := intstr.GetScaledValueFromIntOrPercent(orZero(ds.MaxSurge), 100, true); err != nil || surge > 0 || !ds.RollingUpdate {
		return false
	}
	var old, updated []*slim.Pod
	for _, pod := range pods {
		switch {
		case pod.DeletionTimestamp != 0:
		case modelUpdated(ds, pod, current):
			updated = append(updated, pod)
		default:
			old = append(old, pod)
		}
	}
	switch {
	case len(old) > 1 || len(updated) > 1: // more than the update can handle
		return true
	case len(old) == len(updated): // none, or one of each
		return true
	case len(updated) == 1:
		return !modelAvailable(updated[0], ds, now)
	default:
		return !modelAvailable(old[0], ds, now)
	}
}

func orZero(value *intstr.IntOrString) *intstr.IntOrString {
	if value == nil {
		return &intstr.IntOrString{}
	}
	return value
}

// modelUpdated is IsPodUpdated of Kubernetes: the template generation or the
// hash of the current revision.
func modelUpdated(ds *slim.DaemonSet, pod *slim.Pod, current string) bool {
	return ds.TemplateGeneration != 0 && pod.TemplateGeneration == ds.TemplateGeneration ||
		current != "" && pod.ControllerRevisionHash.Value() == current
}

// modelRevision infers the current hash: that of the pods of the present
// template generation; where there are none, the hash that as many pods carry as
// the controller says are updated, if it has seen the present template. Of
// several the most frequent, the closest, the first by name.
func modelRevision(ds *slim.DaemonSet, pods []*slim.Pod) string {
	present, all := map[string]int{}, map[string]int{}
	for _, pod := range pods {
		all[pod.ControllerRevisionHash.Value()]++
		if ds.TemplateGeneration != 0 && pod.TemplateGeneration == ds.TemplateGeneration {
			present[pod.ControllerRevisionHash.Value()]++
		}
	}
	best := func(counts map[string]int, distance func(count int) int) (hash string) {
		for _, candidate := range slices.Sorted(maps.Keys(counts)) {
			if hash == "" || distance(counts[candidate]) < distance(counts[hash]) {
				hash = candidate
			}
		}
		return hash
	}
	if len(present) > 0 {
		return best(present, func(count int) int { return -count })
	}
	updated := int(ds.Status.UpdatedNumberScheduled)
	if updated == 0 || ds.ObservedGeneration < ds.Generation {
		return ""
	}
	return best(all, func(count int) int { return max(count-updated, updated-count) })
}

// modelOutdated tells that the pod that works is not of the current revision or,
// where none does, that none is. A known revision is told by the hash alone, where a
// pod has one.
func modelOutdated(ds *slim.DaemonSet, pods []*slim.Pod, current string, known bool, now time.Time) bool {
	var working []*slim.Pod
	for _, pod := range pods {
		if pod.Phase != slim.PodFailed && pod.Phase != slim.PodSucceeded && modelAvailable(pod, ds, now) {
			working = append(working, pod)
		}
	}
	if len(working) > 0 {
		pods = working
	}
	for _, pod := range pods {
		hash := pod.ControllerRevisionHash.Value()
		if hash == current && known || modelUpdated(ds, pod, current) && (!known || hash == "") {
			return false
		}
	}
	return len(pods) > 0
}
