package slim_test

import (
	"testing"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/recordings"
)

// Every object of a real kubelet and control plane is trimmed to one that has
// its node, owner and times.
func TestRecordings(t *testing.T) {
	t.Parallel()
	for _, name := range recordings.Names() {
		t.Run(name, func(t *testing.T) {
			events := check.Must(recordings.Read(name))(t)
			nodes := map[slim.Text]bool{slim.Intern("real-0"): true, slim.Intern("sim-1"): true, slim.Intern("sim-2"): true}
			sets := map[slim.UID]bool{}
			for _, event := range events {
				if event.DaemonSet != nil {
					sets[slim.FromDaemonSet(event.DaemonSet).UID] = true
				}
			}
			var pods, heartbeats int
			last := map[slim.Text]*slim.Node{}
			for i, event := range events {
				switch {
				case event.Pod != nil:
					pod := slim.FromPod(event.Pod)
					if len(event.Pod.OwnerReferences) == 0 {
						check.That(t, pod.Owner == (slim.UID{}), "event %d: pod %s without a controller is owned by %x", i, pod.Name, pod.Owner)
						continue
					}
					pods++
					if !nodes[pod.NodeName] || !sets[pod.Owner] || pod.ControllerRevisionHash.Value() == "" || pod.TemplateGeneration == 0 || pod.CreationTimestamp.IsZero() {
						t.Errorf("event %d: pod %s on node %q, owner %x, revision %q of generation %d",
							i, pod.Name, pod.NodeName.Value(), pod.Owner, pod.ControllerRevisionHash.Value(), pod.TemplateGeneration)
					}
				case event.Node != nil:
					node := slim.FromNode(event.Node)
					if before := last[node.NameText]; before != nil && before.Same(node) {
						heartbeats++
					}
					last[node.NameText] = node
					check.That(t, nodes[node.NameText] && node.Ready.Status != slim.ConditionAbsent && !node.Ready.LastTransitionTime.IsZero(), "event %d: node %q, Ready %v", i, node.Name, node.Ready)
				}
			}
			check.That(t, pods != 0 && len(last) == 3 && len(sets) != 0, "%d pod events, %d nodes, %d DaemonSets: recording incomplete", pods, len(last), len(sets))
			t.Logf("%d events of pods, %d heartbeats of nodes", pods, heartbeats)
		})
	}
}

// The last state of a deleted pod, as the object of the DELETED event carries it.
func TestRecordingsLastState(t *testing.T) {
	t.Parallel()
	type last struct {
		Phase  slim.PodPhase
		State  slim.ContainerState
		Reason slim.TerminationReason
		Code   int32
		// FinishedAfterRequest compares finishedAt with the first deletion request.
		FinishedAfterRequest bool
	}
	for name, test := range map[string]struct {
		recording, pod string
		want           last
	}{
		"a graceful termination exits with 0 after the request":            {"a-graceful", "agent-7tdkj", last{slim.PodSucceeded, slim.ContainerTerminated, slim.TerminationCompleted, 0, true}},
		"an exit code of its own makes the pod fail":                       {"a-exit143", "agent-lnwth", last{slim.PodFailed, slim.ContainerTerminated, slim.TerminationError, 143, true}},
		"a kill after the grace period is exit code 137 after the request": {"b-ignore", "agent-2vc89", last{slim.PodFailed, slim.ContainerTerminated, slim.TerminationError, 137, true}},
		"a forced deletion leaves the container running":                   {"b-force", "agent-x9k8l", last{slim.PodRunning, slim.ContainerRunning, slim.TerminationNone, 0, false}},
		"an exit code can be older than the request":                       {"c-crash", "agent-6pvnp", last{slim.PodFailed, slim.ContainerTerminated, slim.TerminationError, 3, false}},
		"a container that never ran has an unknown termination":            {"d-image", "agent-npwd6", last{slim.PodFailed, slim.ContainerTerminated, slim.TerminationUnknown, 137, false}},
		"the garbage collector fails a pod that still runs":                {"g-node-deleted", "agent-6fk8m", last{slim.PodFailed, slim.ContainerRunning, slim.TerminationNone, 0, false}},
	} {
		t.Run(name, func(t *testing.T) {
			events := check.Must(recordings.Read(test.recording))(t)
			var requested slim.Stamp
			for _, event := range events {
				if event.Pod == nil || event.Pod.Name != test.pod {
					continue
				}
				pod := slim.FromPod(event.Pod)
				if requested.IsZero() {
					requested = pod.DeletionRequestedAt()
				}
				if event.Type != "DELETED" {
					continue
				}
				container := pod.Containers[0]
				got := last{pod.Phase, container.State, container.Termination.Reason, container.Termination.ExitCode, container.Termination.FinishedAt >= requested}
				check.Equal(t, got, test.want)
				return
			}
			t.Fatalf("%s is not deleted in %s", test.pod, test.recording)
		})
	}
}
