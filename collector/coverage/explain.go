package coverage

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// RuleVerdict is what one rule of placement says about a node.
type RuleVerdict string

// The verdicts of rules.
const (
	// RuleUnset: the DaemonSet has no such rule.
	RuleUnset RuleVerdict = "unset"
	// RulePasses: the node passes.
	RulePasses RuleVerdict = "passes"
	// RuleExcludes: the node is excluded.
	RuleExcludes RuleVerdict = "excludes"
	// RuleWithholds: the node is expected, but the controller makes no pod as long as
	// the node has a condition taint.
	RuleWithholds RuleVerdict = "withholds"
)

// Explanation is why a node is expected to hold a working pod of a DaemonSet, or why
// it is not: every rule in order with its evidence. It is the same decision as
// Placement.Decide, in words.
type Explanation struct {
	// Expected reports whether the node should hold a working pod.
	Expected bool `json:"expected"`
	// Exclusion is the label reason of an excluded node; empty for an expected one.
	Exclusion string `json:"exclusion,omitempty"`
	// Upstream is the verdict of the DaemonSet controller: run, keep or stop.
	Upstream string `json:"upstream"`
	// Difference says why the controller's verdict is another one than ours; empty
	// where they agree.
	Difference string `json:"difference,omitempty"`
	// Rules has all rules in the order in which the first that excludes decides.
	Rules []Rule `json:"rules"`
	// Plans are what would change the verdict. Each does so on its own.
	Plans []Plan `json:"plans,omitempty"`
	// Notes are what a reader of the rules may overlook.
	Notes []string `json:"notes,omitempty"`
}

// Rule is one rule of placement with its evidence.
type Rule struct {
	// Name is the label reason of nodes that the rule excludes.
	Name    string      `json:"name"`
	Verdict RuleVerdict `json:"verdict"`
	// NodeName is the template's node name, of the rule node_name.
	NodeName string `json:"nodeName,omitempty"`
	// Requirements are those of namespace_selector and node_selector. All must hold.
	Requirements []Requirement `json:"requirements,omitempty"`
	// Terms are those of node_affinity. One must hold.
	Terms []Term `json:"terms,omitempty"`
	// Taints are all taints of the node, of the rule taint.
	Taints []Taint `json:"taints,omitempty"`
}

// Requirement is a requirement on a label or a field of the node.
type Requirement struct {
	Key      string   `json:"key"`
	Operator string   `json:"operator"`
	Values   []string `json:"values,omitempty"`
	// Holds reports whether the node meets it.
	Holds bool `json:"holds"`
	// Has is the node's value; empty also where the node has no such label.
	Has string `json:"has,omitempty"`
	// Absent reports whether the node has no such label.
	Absent bool `json:"absent,omitempty"`
	// Field reports whether it is about a field of the node, not a label.
	Field bool `json:"field,omitempty"`
	// Invalid reports whether it cannot be parsed. No node meets it then.
	Invalid bool `json:"invalid,omitempty"`
}

// Term is one term of a node affinity. All its requirements must hold; a term without
// requirements matches no node.
type Term struct {
	Holds        bool          `json:"holds"`
	Requirements []Requirement `json:"requirements,omitempty"`
}

// Taint is a taint of the node with what it does to the DaemonSet.
type Taint struct {
	Key    string `json:"key"`
	Value  string `json:"value,omitempty"`
	Effect string `json:"effect,omitempty"`
	// Class is what the key says about the node: placement, condition, startup or
	// leaving. Condition and startup taints exclude nothing.
	Class string `json:"class"`
	// Verdict is passes for a taint that is tolerated or keeps no pod away.
	Verdict RuleVerdict `json:"verdict"`
	// Toleration is the first one that tolerates the taint; nil if none does.
	Toleration *corev1.Toleration `json:"toleration,omitempty"`
	// ToleratedBy is template or controller; empty if nothing tolerates the taint.
	ToleratedBy string `json:"toleratedBy,omitempty"`
}

// Who a toleration is from.
const (
	FromTemplate   = "template"
	FromController = "controller"
)

// Explain returns why a node is expected to hold a working pod of a DaemonSet with this
// template, in a namespace that selects these nodes (nil for all), or why it is not.
func Explain(template *slim.PodTemplate, namespace labels.Selector, node *slim.Node, taints *readiness.TaintRules) Explanation {
	e := explain(template, namespace, node, taints)
	e.Difference = e.difference(node)
	e.Notes = notes(template, node, &e)
	e.Plans = plans(template, namespace, node, taints, &e)
	return e
}

// explain returns the rules, and the verdicts that follow from them.
func explain(template *slim.PodTemplate, namespace labels.Selector, node *slim.Node, taints *readiness.TaintRules) Explanation {
	rules := []Rule{
		explainNodeName(template, node),
		explainNamespace(namespace, node),
		explainSelector(template, node),
		explainAffinity(template, node),
		explainTaints(template, node, taints),
	}
	e := Explanation{Expected: true, Rules: rules}
	if excluding := e.excluding(); len(excluding) > 0 {
		e.Expected, e.Exclusion = false, excluding[0].Name
	}
	e.Upstream = upstreamOf(rules).String()
	return e
}

// excluding returns the rules that exclude the node.
func (e *Explanation) excluding() (excluding []*Rule) {
	for i := range e.Rules {
		if rule := &e.Rules[i]; rule.Verdict == RuleExcludes {
			excluding = append(excluding, rule)
		}
	}
	return excluding
}

// upstreamOf returns the controller's verdict. A namespace's selector turns run into
// stop and leaves keep alone (Placement.Decide).
func upstreamOf(rules []Rule) Verdict {
	verdict := VerdictRun
	namespace := false
	for i := range rules {
		switch rule := &rules[i]; rule.Name {
		case ExcludedByNamespaceSelector.String():
			namespace = rule.Verdict == RuleExcludes
		case ExcludedByTaint.String():
			verdict = min(verdict, upstreamOfTaints(rule.Taints))
		default:
			if rule.Verdict == RuleExcludes {
				verdict = VerdictStop
			}
		}
	}
	if namespace && verdict == VerdictRun {
		return VerdictStop
	}
	return verdict
}

func upstreamOfTaints(taints []Taint) Verdict {
	verdict := VerdictRun
	for i := range taints {
		switch {
		case taints[i].Verdict == RulePasses:
		case taints[i].Effect == string(corev1.TaintEffectNoExecute):
			verdict = VerdictStop
		default:
			verdict = min(verdict, VerdictKeep)
		}
	}
	return verdict
}

// difference says why the controller makes no pod on an expected node.
func (e *Explanation) difference(node *slim.Node) string {
	if !e.Expected || e.Upstream == VerdictRun.String() {
		return ""
	}
	for _, rule := range e.Rules {
		for i := range rule.Taints {
			if taint := &rule.Taints[i]; taint.Verdict == RuleWithholds {
				return fmt.Sprintf("the taint %s makes the DaemonSet controller count node %s out; it says how the node is, not whom it is for", taint, node.Name)
			}
		}
	}
	return ""
}

// osLabels are the labels that say a node's operating system.
var osLabels = [...]string{corev1.LabelOSStable, "beta.kubernetes.io/os"}

// notes returns what a reader of the rules may overlook: most images are for Linux
// alone, and a template that does not say so is expected on Windows nodes too.
func notes(template *slim.PodTemplate, node *slim.Node, e *Explanation) (notes []string) {
	if e.Expected && node.Labels[corev1.LabelOSStable] == "windows" && !selectsOS(template) {
		notes = append(notes, fmt.Sprintf("node %s is Windows, and the template selects no operating system (nodeSelector %s)", node.Name, corev1.LabelOSStable))
	}
	return notes
}

func selectsOS(template *slim.PodTemplate) bool {
	for _, key := range osLabels {
		if _, ok := template.NodeSelector[key]; ok {
			return true
		}
		for _, term := range termsOf(template) {
			for i := range term.MatchExpressions {
				if term.MatchExpressions[i].Key == key {
					return true
				}
			}
		}
	}
	return false
}
