package random

import (
	"fmt"

	"k8s.io/apimachinery/pkg/types"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

// changePod creates, changes or deletes a Pod.
func (c *Cluster) changePod() []Event {
	names := sortedKeys(c.pods)
	if len(names) == 0 || len(names) < 12 && c.OneIn(3) {
		c.serial++
		name := fmt.Sprintf("pod-%d", c.serial)
		set, node := Choose(c.Dice, daemonSetNames...), Choose(c.Dice, nodeNames[:]...)
		c.pods[name] = c.pod(name, set, node, c.ownerOf(set), c.second())
		return []Event{c.event(c.pods[name], false)}
	}
	name := Choose(c.Dice, names...)
	before := c.pods[name]
	if c.OneIn(4) {
		delete(c.pods, name)
		return []Event{c.event(before, true)}
	}
	set := Choose(c.Dice, daemonSetNames...)
	after := c.pod(name, set, before.NodeName.Value(), c.ownerOf(set), objects.Seconds(before.CreationTimestamp.Time()))
	if !c.OneIn(12) {
		after.Owner = before.Owner // few pods change hands
	}
	after.ControllerRevisionHash, after.TemplateGeneration = before.ControllerRevisionHash, before.TemplateGeneration
	after.Bound = after.Bound || before.Bound && after.Phase != slim.PodPending
	c.pods[name] = after
	return []Event{c.event(after, false)}
}

// ownerOf returns the UID of the DaemonSet with a name, or of an earlier or later one.
func (c *Cluster) ownerOf(name string) types.UID {
	if set := c.daemonSets[name]; set != nil {
		return set.uid
	}
	return types.UID(fmt.Sprintf("%s-%d", name, c.serial+c.Roll(3)-1))
}

// pod returns a Pod in any state. Its timestamps are now, so that it differs from the
// last version.
func (c *Cluster) pod(name, set, node string, owner types.UID, created float64) *slim.Pod {
	type options = []objects.Option
	now := c.second()
	revisions := 1 + c.Roll(3)
	pod := objects.PodOf(set, node, objects.Named(name), objects.Created(created),
		objects.OwnedBy(objects.DaemonSet(set, objects.UID(owner))),
		objects.Revision(fmt.Sprintf("hash-%d", revisions), revisions+c.Roll(2)))
	if c.OneIn(30) {
		objects.Orphaned()(pod)
	}
	for _, change := range Choose(c.Dice,
		options{objects.Ready(now)},
		options{objects.Ready(now)},
		options{objects.Ready(now)},
		options{objects.Unbound()},
		options{objects.Unschedulable("0/4 nodes are available: 1 Insufficient cpu.")},
		options{objects.Unschedulable("0/4 nodes are available: 1 node(s) didn't have free ports.")},
		options{objects.SchedulingGated()},
		options{objects.Starting(now)},
		options{objects.NotReady(now)},
		options{objects.Waiting("ErrImagePull", now)},
		options{objects.Waiting("CreateContainerConfigError", now)},
		options{objects.CrashLooping(now), objects.RestartCount(2)},
		options{objects.Exited(1, now), objects.RestartCount(2)},
		options{objects.ExitedBecause("StartError", 128, now)},
		options{objects.Restarted(2, 128, "StartError", now), objects.CrashLooping(now)},
		options{objects.Restarted(2, 128, "StartError", now), objects.Ready(now)},
		options{objects.Restarted(1, 255, "Unknown", now), objects.ExitedBecause("Unknown", 255, now)},
		options{objects.Waiting("SomethingNew", now)},
		options{objects.NotReady(now), objects.Phase("Failed")},
		options{objects.NotReady(now), objects.Evicted()},
		options{objects.ReadinessGatesNotReady(now)},
	) {
		change(pod)
	}
	if c.OneIn(6) {
		objects.Terminating(now, 30)(pod)
	}
	return slim.FromPod(pod)
}
