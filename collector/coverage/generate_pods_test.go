package coverage_test

import (
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

func sortedNames[V any](from map[string]V) []string { return slices.Sorted(maps.Keys(from)) }

// ownerOf is the UID of the DaemonSet of that name, or of one that is gone or
// yet to come.
func (s *story) ownerOf(name string) types.UID {
	if set := s.sets[name]; set != nil {
		return set.uid
	}
	return types.UID(fmt.Sprintf("%s-%d", name, s.serial+s.roll(3)-1))
}

// changePod makes a pod, changes one or takes one away.
func (s *story) changePod() []event {
	names := sortedNames(s.pods)
	if len(names) == 0 || len(names) < 12 && s.one(3) {
		s.serial++
		name := fmt.Sprintf("pod-%d", s.serial)
		set, node := choose(&s.dice, setNames...), choose(&s.dice, nodeNames...)
		made := s.pod(name, set, node, s.ownerOf(set), s.stamp())
		s.pods[name] = made
		return []event{s.event(made, false)}
	}
	name := choose(&s.dice, names...)
	before := s.pods[name]
	if s.one(4) {
		delete(s.pods, name)
		return []event{s.event(before, true)}
	}
	set := choose(&s.dice, setNames...)
	created := int(int64(before.CreationTimestamp) - at(0).Unix())
	after := s.pod(name, set, before.NodeName.Value(), s.ownerOf(set), created)
	if !s.one(12) {
		after.Owner = before.Owner // few pods change hands
	}
	after.ControllerRevisionHash, after.TemplateGeneration = before.ControllerRevisionHash, before.TemplateGeneration
	after.Bound = after.Bound || before.Bound && after.Phase != slim.PodPending
	s.pods[name] = after
	changed := s.event(after, false)
	changed.before = before
	return []event{changed}
}

// pod is in any state that a pod may be in. Its stamps are of now, so that it
// has changed since the last time.
func (s *story) pod(name, set, node string, owner types.UID, created int) *slim.Pod {
	now := s.stamp()
	revisions := 1 + s.roll(3)
	options := []func(*corev1.Pod){
		called(name), podCreated(created), revision(fmt.Sprintf("hash-%d", revisions), revisions+s.roll(2)),
		func(p *corev1.Pod) { p.OwnerReferences[0].UID = owner },
	}
	if s.one(30) {
		options = append(options, func(p *corev1.Pod) { p.OwnerReferences = nil })
	}
	notReady := podIs("False", now)
	options = append(options, choose(&s.dice,
		[]func(*corev1.Pod){podIs("True", now)},
		[]func(*corev1.Pod){podIs("True", now)},
		[]func(*corev1.Pod){podIs("True", now)},
		[]func(*corev1.Pod){unbound},
		[]func(*corev1.Pod){unschedulable("0/4 nodes are available: 1 Insufficient cpu.")},
		[]func(*corev1.Pod){starting(now)},
		[]func(*corev1.Pod){notReady},
		[]func(*corev1.Pod){notReady, containerIs(waiting("ErrImagePull"), 0)},
		[]func(*corev1.Pod){notReady, containerIs(waiting("CreateContainerConfigError"), 0)},
		[]func(*corev1.Pod){notReady, containerIs(waiting("CrashLoopBackOff"), 2)},
		[]func(*corev1.Pod){notReady, containerIs(terminated(1), 2)},
		[]func(*corev1.Pod){notReady, containerIs(waiting("SomethingNew"), 0)},
		[]func(*corev1.Pod){notReady, phase("Failed")},
		[]func(*corev1.Pod){notReady, phase("Failed"), func(p *corev1.Pod) { p.Status.Reason = "Evicted" }},
		[]func(*corev1.Pod){notReady, func(p *corev1.Pod) {
			p.Status.Conditions[len(p.Status.Conditions)-1].Reason = "ReadinessGatesNotReady"
		}},
	)...)
	if s.one(6) {
		options = append(options, deleted(now+30, 30))
	}
	return pod(set, node, options...)
}
