package coverage

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	schedulingv1 "k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
	"k8s.io/klog/v2"

	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// Verdict is what the DaemonSet controller decides for a node.
type Verdict uint8

// The verdicts. Verdicts is their number.
const (
	// VerdictStop: no pod may be there.
	VerdictStop Verdict = iota
	// VerdictKeep: no new pod, but an existing one may stay.
	VerdictKeep
	// VerdictRun: a pod should be there.
	VerdictRun
	Verdicts
)

var verdictNames = [Verdicts]string{"stop", "keep", "run"}

// String returns the value of the label verdict.
func (v Verdict) String() string { return verdictNames[v] }

// Exclusion is why a node is not expected to run a DaemonSet's pod.
type Exclusion uint8

// The exclusions, first that holds. Exclusions is their number.
const (
	// NotExcluded: the node should hold a working pod.
	NotExcluded Exclusion = iota
	ExcludedByNodeName
	ExcludedByNamespaceSelector
	ExcludedByNodeSelector
	ExcludedByNodeAffinity
	ExcludedByTaint
	Exclusions
)

var exclusionNames = [Exclusions]string{"expected", "node_name", "namespace_selector", "node_selector", "node_affinity", "taint"}

// String returns the value of the label reason of excluded nodes.
func (e Exclusion) String() string { return exclusionNames[e] }

// Decision is what a DaemonSet's placement decides for one node.
type Decision struct {
	// Upstream is the DaemonSet controller's verdict, in which the taints of a
	// failed node count.
	Upstream Verdict
	// Exclusion is ours, in which they do not: a node failure is not a change
	// of placement.
	Exclusion Exclusion
	// Sole is the index of the one taint that alone excludes the node, or -1.
	Sole int8
	// Withheld is the index of the condition taint for which the controller makes no
	// pod, or -1: the first of them, but one that only repeats the node's Ready
	// condition comes last.
	Withheld int8
	// HeldBack reports whether a condition taint withholds the pod that does more than
	// repeat the node's Ready condition. Those lag behind it for a moment.
	HeldBack bool
}

// Placement is a DaemonSet's rules for where its pods go, parsed once for each
// generation of its template and each selector of its namespace.
type Placement struct {
	nodeName    string
	namespace   labels.Selector
	selector    nodeaffinity.RequiredNodeAffinity
	affinity    nodeaffinity.RequiredNodeAffinity
	tolerations []corev1.Toleration
	logger      klog.Logger
}

// NewPlacement returns the placement of a template in a namespace that selects these
// nodes; nil for all. A node affinity that cannot be parsed matches as much as the
// DaemonSet controller lets it match: its error is dropped.
func NewPlacement(template *slim.PodTemplate, namespace labels.Selector) *Placement {
	if namespace == nil {
		namespace = labels.Everything()
	}
	return &Placement{
		nodeName:    template.NodeName,
		namespace:   namespace,
		selector:    nodeaffinity.NewRequiredNodeAffinity(template.NodeSelector, nil),
		affinity:    nodeaffinity.NewRequiredNodeAffinity(nil, template.Affinity),
		tolerations: tolerationsOf(template),
	}
}

// View is a node in the form that component-helpers match. One view serves any
// number of placements.
type View struct {
	node corev1.Node
	// conditional reports of each taint whether it says how the node is.
	conditional []bool
}

// Show points the view at a node.
func (v *View) Show(node *slim.Node, taints *readiness.TaintRules) {
	v.node.Name = node.Name
	v.node.Labels = node.Labels
	v.node.Spec.Taints = node.Taints
	v.conditional = v.conditional[:0]
	for i := range node.Taints {
		v.conditional = append(v.conditional, taints.Class(node.Taints[i].Key).Conditional())
	}
}

// Decide returns the decision for the node in view. It follows
// nodeShouldRunDaemonPod of pkg/controller/daemon (v1.37), and decides beside it
// what holds once node-condition taints are left out.
//
// A namespace's selector follows OpenShift's patch of it (patch_nodeselector.go of
// the same package): it turns run into stop and leaves keep alone.
func (p *Placement) Decide(view *View) Decision {
	if p.nodeName != "" && p.nodeName != view.node.Name {
		return excluded(ExcludedByNodeName)
	}
	decision := p.decideTemplate(view)
	if !p.namespace.Matches(labels.Set(view.node.Labels)) {
		upstream := decision.Upstream
		decision = excluded(ExcludedByNamespaceSelector)
		if upstream == VerdictKeep {
			decision.Upstream = VerdictKeep
		}
	}
	return decision
}

// decideTemplate decides by the selector, the affinity and the tolerations of the
// template.
func (p *Placement) decideTemplate(view *View) Decision {
	if matches, _ := p.selector.Match(&view.node); !matches {
		return excluded(ExcludedByNodeSelector)
	}
	if matches, _ := p.affinity.Match(&view.node); !matches {
		return excluded(ExcludedByNodeAffinity)
	}
	return p.decideTaints(view)
}

// excluded returns the decision for a node that something other than a taint
// excludes.
func excluded(by Exclusion) Decision {
	return Decision{Upstream: VerdictStop, Exclusion: by, Sole: -1, Withheld: -1}
}

func (p *Placement) decideTaints(view *View) Decision {
	decision := Decision{Upstream: VerdictRun, Exclusion: NotExcluded, Sole: -1, Withheld: -1}
	taints, repelling := view.node.Spec.Taints, 0
	for i := range taints {
		taint := &taints[i]
		if !blocks(taint.Effect) || p.tolerates(taint) {
			continue
		}
		if taint.Effect == corev1.TaintEffectNoExecute {
			decision.Upstream = VerdictStop
		} else {
			decision.Upstream = min(decision.Upstream, VerdictKeep)
		}
		if view.conditional[i] {
			repeats := taint.Key == corev1.TaintNodeNotReady || taint.Key == corev1.TaintNodeUnreachable
			if decision.Withheld < 0 || !decision.HeldBack && !repeats {
				decision.Withheld = int8(min(i, maxTaintIndex))
			}
			decision.HeldBack = decision.HeldBack || !repeats
			continue
		}
		decision.Exclusion = ExcludedByTaint
		repelling++
		decision.Sole = int8(min(i, maxTaintIndex))
	}
	if repelling != 1 {
		decision.Sole = -1
	}
	if repelling > 0 {
		decision.Withheld, decision.HeldBack = -1, false
	}
	return decision
}

// maxTaintIndex is the last taint that a Decision can point at. Nodes with
// more taints do not exist; one that did would name a wrong taint, not panic.
const maxTaintIndex = 127

// tolerates reports whether the pod tolerates a taint, without the alpha gate
// TaintTolerationComparisonOperators, which is off by default in v1.37.
func (p *Placement) tolerates(taint *corev1.Taint) bool {
	return schedulingv1.TolerationsTolerateTaint(p.logger, p.tolerations, taint, false)
}

// blocks reports whether a taint of this effect keeps pods away; PreferNoSchedule
// does not.
func blocks(effect corev1.TaintEffect) bool {
	return effect == corev1.TaintEffectNoSchedule || effect == corev1.TaintEffectNoExecute
}

// tolerationsOf returns the template's tolerations and those that the controller
// adds to every pod (AddOrUpdateDaemonPodTolerations of
// pkg/controller/daemon/util, v1.37). They are not in the template, which is
// shared and must not be appended to.
func tolerationsOf(template *slim.PodTemplate) []corev1.Toleration {
	added := []corev1.Toleration{
		exists(corev1.TaintNodeNotReady, corev1.TaintEffectNoExecute),
		exists(corev1.TaintNodeUnreachable, corev1.TaintEffectNoExecute),
		exists(corev1.TaintNodeDiskPressure, corev1.TaintEffectNoSchedule),
		exists(corev1.TaintNodeMemoryPressure, corev1.TaintEffectNoSchedule),
		exists(corev1.TaintNodePIDPressure, corev1.TaintEffectNoSchedule),
		exists(corev1.TaintNodeUnschedulable, corev1.TaintEffectNoSchedule),
	}
	if template.HostNetwork {
		added = append(added, exists(corev1.TaintNodeNetworkUnavailable, corev1.TaintEffectNoSchedule))
	}
	return slices.Concat(template.Tolerations, added)
}

func exists(key string, effect corev1.TaintEffect) corev1.Toleration {
	return corev1.Toleration{Key: key, Operator: corev1.TolerationOpExists, Effect: effect}
}
