package cli

import (
	"cmp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/daemonset-exporter/daemonset_exporter/collector"
	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// What becomes of a pod on a node that is lost.
const (
	podStopped = "stopped"
	podKept    = "kept"
)

// predictionDocument is the output of what-if.
type predictionDocument struct {
	collector.Document
	Remarks []string `json:"remarks,omitempty"`
	// Lost and Won are the nodes of all DaemonSets.
	Lost int `json:"lost"`
	Won  int `json:"won"`
	// Unmatched are the selectors that match no node.
	Unmatched  []string             `json:"unmatched,omitempty"`
	DaemonSets []predictedDaemonSet `json:"daemonsets"`
}

// nowhere reports whether a DaemonSet of a manifest is expected on no node.
func (p *predictionDocument) nowhere() bool {
	return slices.ContainsFunc(p.DaemonSets, func(d predictedDaemonSet) bool { return d.FromManifest && d.After == 0 })
}

// predictedDaemonSet is a DaemonSet that changes, or is in a manifest.
type predictedDaemonSet struct {
	Namespace string `json:"namespace"`
	DaemonSet string `json:"daemonset"`
	// FromManifest reports whether a manifest has it, New whether the cluster has not.
	FromManifest bool `json:"fromManifest,omitempty"`
	New          bool `json:"new,omitempty"`
	// Before and After are on how many nodes it is expected.
	Before int             `json:"before"`
	After  int             `json:"after"`
	Won    []predictedNode `json:"won"`
	Lost   []predictedNode `json:"lost"`
	// Pods are the nodes on which it will have a pod, once the controller has done all
	// that the change makes it do.
	Pods []string `json:"pods"`
}

// predictedNode is a node that a DaemonSet wins or loses.
type predictedNode struct {
	Node string `json:"node"`
	Zone string `json:"zone,omitempty"`
	Pool string `json:"pool,omitempty"`
	// Rule is the one that excludes a lost node, or that excluded a won one: the label
	// reason, with the taint, the label or the term that decides.
	Rule string `json:"rule"`
	// Pod is what becomes of the pod on a lost node: stopped or kept; empty without one.
	Pod string `json:"pod,omitempty"`
}

// pair is a DaemonSet before and after; nil where it is not there.
type pair struct{ before, after *slim.DaemonSet }

// predict returns what the changes do.
func predict(now collector.Objects, manifests []*slim.DaemonSet, changes []nodeChange) *predictionDocument {
	after, unmatched := changeNodes(now.Nodes, changes)
	prediction := &predictionDocument{Document: collector.DocumentOf("Prediction"), Unmatched: unmatched, DaemonSets: []predictedDaemonSet{}}
	for _, p := range pairsOf(now.DaemonSets, manifests) {
		predicted := p.predict(&now, after)
		if !predicted.FromManifest && len(predicted.Won)+len(predicted.Lost) == 0 {
			continue
		}
		prediction.Lost += len(predicted.Lost)
		prediction.Won += len(predicted.Won)
		prediction.DaemonSets = append(prediction.DaemonSets, predicted)
	}
	return prediction
}

// pairsOf returns the DaemonSets of the cluster with those of the manifests, sorted.
func pairsOf(present, manifests []*slim.DaemonSet) []pair {
	byName := map[[2]string]*pair{}
	var pairs []*pair
	of := func(ds *slim.DaemonSet) *pair {
		name := [2]string{ds.Namespace.Value(), ds.Name}
		if byName[name] == nil {
			byName[name] = &pair{}
			pairs = append(pairs, byName[name])
		}
		return byName[name]
	}
	for _, ds := range present {
		of(ds).before = ds
	}
	for _, ds := range manifests {
		of(ds).after = ds
	}
	slices.SortFunc(pairs, func(a, b *pair) int {
		x, y := a.any(), b.any()
		return cmp.Or(strings.Compare(x.Namespace.Value(), y.Namespace.Value()), strings.Compare(x.Name, y.Name))
	})
	all := make([]pair, 0, len(pairs))
	for _, p := range pairs {
		all = append(all, *p)
	}
	return all
}

func (p pair) any() *slim.DaemonSet {
	if p.after != nil {
		return p.after
	}
	return p.before
}

// predict predicts one DaemonSet on all nodes. after are the nodes as they will be, in
// the order of those that are.
func (p pair) predict(now *collector.Objects, after []*slim.Node) predictedDaemonSet {
	ds := p.any()
	d := predictedDaemonSet{
		Namespace: ds.Namespace.Value(), DaemonSet: ds.Name, FromManifest: p.after != nil, New: p.before == nil,
		Won: []predictedNode{}, Lost: []predictedNode{}, Pods: []string{},
	}
	selector, replaces := now.Selectors[d.Namespace], p.replaces()
	for i, node := range now.Nodes {
		var was coverage.Explanation
		if p.before != nil && p.before.DeletionTimestamp.IsZero() {
			was = coverage.Explain(&p.before.Template, selector, node, &now.Taints)
		}
		is := coverage.Explain(&ds.Template, selector, after[i], &now.Taints)
		occupied := p.before != nil && now.Occupied[p.before.UID][node.Name] > 0
		// On a node that is expected and down, a pod is made again once it is back.
		keeps := is.Upstream == coverage.VerdictKeep.String() && (is.Expected || !replaces)
		if was.Expected {
			d.Before++
		}
		if is.Expected {
			d.After++
		}
		if is.Upstream == coverage.VerdictRun.String() || occupied && keeps {
			d.Pods = append(d.Pods, node.Name)
		}
		switch {
		case is.Expected && !was.Expected:
			d.Won = append(d.Won, predictedOn(after[i], ruleOf(&was, "new DaemonSet"), ""))
		case was.Expected && !is.Expected:
			d.Lost = append(d.Lost, predictedOn(after[i], ruleOf(&is, ""), fateOf(occupied, keeps)))
		}
	}
	return d
}

// replaces reports whether a rolling update replaces all pods: it deletes also those that
// the controller would keep, and none is made in their place (rollingUpdate in
// pkg/controller/daemon/update.go, v1.37.2). A manifest that changes a template is known
// by what decides placement; pods that it keeps are then of the present template.
func (p pair) replaces() bool {
	return p.before != nil && p.after != nil && p.after.RollingUpdate && !equality.Semantic.DeepEqual(p.before.Template, p.after.Template)
}

func fateOf(occupied, keeps bool) string {
	switch {
	case !occupied:
		return ""
	case keeps:
		return podKept
	default:
		return podStopped
	}
}

func predictedOn(node *slim.Node, rule, pod string) predictedNode {
	return predictedNode{
		Node: node.Name, Zone: node.Labels[corev1.LabelTopologyZone], Pool: collector.PoolOf(node.Labels), Rule: rule, Pod: pod,
	}
}

// ruleOf returns the rule that excludes a node, with what decides; other if none does.
func ruleOf(e *coverage.Explanation, other string) string {
	for i := range e.Rules {
		rule := &e.Rules[i]
		if rule.Verdict != coverage.RuleExcludes {
			continue
		}
		var evidence []string
		for j := range rule.Requirements {
			if !rule.Requirements[j].Holds {
				evidence = append(evidence, rule.Requirements[j].String())
			}
		}
		for j := range rule.Taints {
			if rule.Taints[j].Verdict == coverage.RuleExcludes {
				evidence = append(evidence, rule.Taints[j].String())
			}
		}
		if rule.NodeName != "" {
			evidence = append(evidence, rule.NodeName)
		}
		if len(evidence) == 0 {
			return rule.Name
		}
		return rule.Name + " " + strings.Join(evidence, " and ")
	}
	return other
}
