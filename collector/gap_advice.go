package collector

import (
	"fmt"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
	"github.com/daemonset-exporter/daemonset_exporter/collector/state"
)

// adviceOn returns what would close a gap, in the order in which to try it.
func adviceOn(cell *state.Cell) []string {
	node := cell.Node.Object().Name
	switch cell.Reason {
	case coverage.ReasonNodeUnreachable:
		return []string{
			fmt.Sprintf("bring node %s back: its kubelet does not answer", node),
			"delete the Node object if the machine is gone for good",
		}
	case coverage.ReasonNodeNeverReady:
		return []string{fmt.Sprintf("look at the kubelet and the network plugin of node %s: it has never been Ready", node)}
	case coverage.ReasonNodeNotReady:
		return []string{fmt.Sprintf("look at the conditions of node %s: its kubelet answers and says that it is not ready", node)}
	case coverage.ReasonNodeTainted:
		return []string{"wait until what set the condition taint takes it away, or let the DaemonSet tolerate it"}
	case coverage.ReasonPodMissing:
		return []string{"look at the events of the DaemonSet: its controller is down or cannot create the pod (quota, admission)"}
	case coverage.ReasonAwaitingScheduler:
		return []string{"look at the scheduler that the pod names and at its schedulingGates: no scheduler has tried it"}
	case coverage.ReasonInsufficientResources:
		return []string{fmt.Sprintf("free the resource that the scheduler names on node %s, lower the requests, or give the DaemonSet a higher priority", node)}
	case coverage.ReasonPodUnschedulable:
		return []string{"mend what the scheduler says about the pod: a port, a volume or a rule of affinity"}
	case coverage.ReasonPodTerminating:
		return []string{"wait for the end of the grace period; if it is over, look at the kubelet and the pod's finalizers"}
	case coverage.ReasonPodEvicted:
		return []string{fmt.Sprintf("relieve node %s: its kubelet evicts pods", node)}
	case coverage.ReasonPodFailed:
		return []string{"look at the logs of the pod: it has ended; its controller replaces it with a back-off"}
	case coverage.ReasonImagePull:
		return []string{fmt.Sprintf("mend the image's name, its tag, its pull secret or the way from node %s to the registry", node)}
	case coverage.ReasonContainerConfig:
		return []string{"mend what the container needs to be created: a ConfigMap, a Secret, a command, a mount"}
	case coverage.ReasonCrashLoop:
		return []string{"look at the logs of the last run (kubectl logs --previous)"}
	case coverage.ReasonPodStarting:
		return []string{"wait; if it takes long, look at the pod's events: volumes, network, init containers"}
	case coverage.ReasonReadinessGate:
		return []string{"look at what sets the pod's readiness gate"}
	case coverage.ReasonPodNotReady:
		return []string{"look at the readiness probe and the logs of the containers that are not ready"}
	case coverage.ReasonMinReadySeconds:
		return []string{"wait: it is available once it has been Ready for minReadySeconds"}
	case coverage.ReasonNone, coverage.ReasonOther:
	}
	return []string{"look at the pod: this exporter does not know its state"}
}
