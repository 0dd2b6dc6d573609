package rollout

import (
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// MaxUnavailable returns the budget of a rolling update, in nodes, as
// updatedDesiredNodeCounts of pkg/controller/daemon (v1.37) computes it from the
// controller's count of desired nodes. It is 0 for OnDelete, and for updates that
// surge, which may make no node unavailable.
func MaxUnavailable(ds *slim.DaemonSet, desired int) int {
	if !ds.RollingUpdate || surges(ds) {
		return 0
	}
	if ds.MaxUnavailable == nil {
		return min(1, desired)
	}
	budget, err := intstr.GetScaledValueFromIntOrPercent(ds.MaxUnavailable, desired, true)
	if err != nil || budget < 0 {
		return 0
	}
	if budget == 0 && desired > 0 {
		return 1
	}
	return budget
}

// MaxSurge returns on how many nodes a rolling update may run a new pod beside the old
// one, as SurgeCount of pkg/controller/daemon/util (v1.37) computes it from the
// controller's count of desired nodes. It is 0 for OnDelete, and for updates that do
// not surge.
func MaxSurge(ds *slim.DaemonSet, desired int) int {
	if !ds.RollingUpdate || !surges(ds) {
		return 0
	}
	surge, err := intstr.GetScaledValueFromIntOrPercent(ds.MaxSurge, desired, true)
	if err != nil {
		return 0
	}
	return max(0, surge)
}

// unavailable reports whether a rolling update without surge counts the node as
// unavailable: it has no pod or too many that are not terminating, or the one that
// it has is not available.
func unavailable(ds *slim.DaemonSet, pods []*slim.Pod, now time.Time) bool {
	var only *slim.Pod
	for _, pod := range pods {
		if pod.Terminating() {
			continue
		}
		if only != nil {
			return true
		}
		only = pod
	}
	return only == nil || !only.CountsAsAvailable(ds.MinReadySeconds, now)
}

// surges reports whether a rolling update starts the new pod before it stops the
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
