package coverage

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	schedulingv1 "k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
	"k8s.io/klog/v2"

	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

func explainNodeName(template *slim.PodTemplate, node *slim.Node) Rule {
	rule := Rule{Name: ExcludedByNodeName.String(), Verdict: RuleUnset, NodeName: template.NodeName}
	if template.NodeName != "" {
		rule.Verdict = verdictOf(template.NodeName == node.Name)
	}
	return rule
}

func verdictOf(passes bool) RuleVerdict {
	if passes {
		return RulePasses
	}
	return RuleExcludes
}

func explainNamespace(namespace labels.Selector, node *slim.Node) Rule {
	rule := Rule{Name: ExcludedByNamespaceSelector.String(), Verdict: RuleUnset}
	if namespace == nil || namespace.Empty() {
		return rule
	}
	rule.Verdict = verdictOf(namespace.Matches(labels.Set(node.Labels)))
	requirements, _ := namespace.Requirements()
	for i := range requirements {
		r := &requirements[i]
		requirement := Requirement{
			Key: r.Key(), Operator: operatorName(r.Operator()),
			Values: slices.Sorted(slices.Values(r.ValuesUnsorted())), Holds: r.Matches(labels.Set(node.Labels)),
		}
		requirement.read(node)
		rule.Requirements = append(rule.Requirements, requirement)
	}
	return rule
}

// operatorName returns an operator of a label selector as a node affinity writes it.
func operatorName(operator selection.Operator) string {
	switch operator {
	case selection.In, selection.Equals, selection.DoubleEquals:
		return string(corev1.NodeSelectorOpIn)
	case selection.NotIn, selection.NotEquals:
		return string(corev1.NodeSelectorOpNotIn)
	case selection.Exists:
		return string(corev1.NodeSelectorOpExists)
	case selection.DoesNotExist:
		return string(corev1.NodeSelectorOpDoesNotExist)
	case selection.GreaterThan:
		return string(corev1.NodeSelectorOpGt)
	case selection.LessThan:
		return string(corev1.NodeSelectorOpLt)
	default:
		return string(operator)
	}
}

func explainSelector(template *slim.PodTemplate, node *slim.Node) Rule {
	rule := Rule{Name: ExcludedByNodeSelector.String(), Verdict: RuleUnset}
	passes := true
	for _, key := range slices.Sorted(maps.Keys(template.NodeSelector)) {
		requirement := Requirement{Key: key, Operator: string(corev1.NodeSelectorOpIn), Values: []string{template.NodeSelector[key]}}
		requirement.read(node)
		requirement.Holds = !requirement.Absent && requirement.Has == template.NodeSelector[key]
		passes = passes && requirement.Holds
		rule.Requirements = append(rule.Requirements, requirement)
	}
	if len(rule.Requirements) > 0 {
		rule.Verdict = verdictOf(passes)
	}
	return rule
}

// read notes what the node has.
func (r *Requirement) read(node *slim.Node) {
	if r.Field {
		r.Has = node.Name
		return
	}
	value, ok := node.Labels[r.Key]
	r.Has, r.Absent = value, !ok
}

// termsOf returns the terms of the required node affinity.
func termsOf(template *slim.PodTemplate) []corev1.NodeSelectorTerm {
	if required := requiredOf(template); required != nil {
		return required.NodeSelectorTerms
	}
	return nil
}

func requiredOf(template *slim.PodTemplate) *corev1.NodeSelector {
	if template.Affinity == nil || template.Affinity.NodeAffinity == nil {
		return nil
	}
	return template.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution
}

func explainAffinity(template *slim.PodTemplate, node *slim.Node) Rule {
	rule := Rule{Name: ExcludedByNodeAffinity.String(), Verdict: RuleUnset}
	required := requiredOf(template)
	if required == nil {
		return rule
	}
	passes := false
	for i := range required.NodeSelectorTerms {
		term := explainTerm(&required.NodeSelectorTerms[i], node)
		passes = passes || term.Holds
		rule.Terms = append(rule.Terms, term)
	}
	rule.Verdict = verdictOf(passes)
	return rule
}

func explainTerm(term *corev1.NodeSelectorTerm, node *slim.Node) Term {
	explained := Term{Holds: len(term.MatchExpressions)+len(term.MatchFields) > 0}
	for i := range term.MatchExpressions {
		explained.add(explainRequirement(&term.MatchExpressions[i], false, node))
	}
	for i := range term.MatchFields {
		explained.add(explainRequirement(&term.MatchFields[i], true, node))
	}
	return explained
}

func (t *Term) add(requirement Requirement) {
	t.Holds = t.Holds && requirement.Holds
	t.Requirements = append(t.Requirements, requirement)
}

// explainRequirement asks the matcher about one requirement alone.
func explainRequirement(r *corev1.NodeSelectorRequirement, field bool, node *slim.Node) Requirement {
	requirement := Requirement{Key: r.Key, Operator: string(r.Operator), Values: r.Values, Field: field}
	requirement.read(node)
	alone := corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{*r}}
	if field {
		alone = corev1.NodeSelectorTerm{MatchFields: alone.MatchExpressions}
	}
	parsed := nodeaffinity.NewLazyErrorNodeSelector(&corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{alone}})
	var matched corev1.Node
	matched.Name, matched.Labels = node.Name, node.Labels
	holds, err := parsed.Match(&matched)
	requirement.Holds, requirement.Invalid = holds, err != nil
	return requirement
}

func explainTaints(template *slim.PodTemplate, node *slim.Node, rules *readiness.TaintRules) Rule {
	rule := Rule{Name: ExcludedByTaint.String(), Verdict: RuleUnset}
	tolerations := tolerationsOf(template)
	for i := range node.Taints {
		taint := explainTaint(&node.Taints[i], tolerations, len(template.Tolerations), rules)
		rule.Verdict = worse(rule.Verdict, taint.Verdict)
		rule.Taints = append(rule.Taints, taint)
	}
	return rule
}

// worse returns the verdict of a rule of which a part says next.
func worse(verdict, next RuleVerdict) RuleVerdict {
	order := []RuleVerdict{RuleUnset, RulePasses, RuleWithholds, RuleExcludes}
	if slices.Index(order, next) > slices.Index(order, verdict) {
		return next
	}
	return verdict
}

// explainTaint explains one taint. The first tolerations are the template's, the others
// the controller's.
func explainTaint(taint *corev1.Taint, tolerations []corev1.Toleration, ofTemplate int, rules *readiness.TaintRules) Taint {
	class := rules.Class(taint.Key)
	explained := Taint{Key: taint.Key, Value: taint.Value, Effect: string(taint.Effect), Class: class.String(), Verdict: RulePasses}
	for i := range tolerations {
		if !schedulingv1.TolerationsTolerateTaint(klog.Logger{}, tolerations[i:i+1], taint, false) {
			continue
		}
		explained.Toleration, explained.ToleratedBy = &tolerations[i], FromTemplate
		if i >= ofTemplate {
			explained.ToleratedBy = FromController
		}
		return explained
	}
	switch {
	case !blocks(taint.Effect):
	case class.Conditional():
		explained.Verdict = RuleWithholds
	default:
		explained.Verdict = RuleExcludes
	}
	return explained
}

// String returns the taint as kubectl writes it.
func (t *Taint) String() string { return taintText(t.Key, t.Value, t.Effect) }

func taintText(key, value, effect string) string {
	if value != "" {
		key += "=" + value
	}
	if effect != "" {
		key += ":" + effect
	}
	return key
}

// String returns what the requirement wants.
func (r *Requirement) String() string {
	switch corev1.NodeSelectorOperator(r.Operator) {
	case corev1.NodeSelectorOpIn:
		if len(r.Values) == 1 {
			return r.Key + "=" + r.Values[0]
		}
		return fmt.Sprintf("%s in (%s)", r.Key, strings.Join(r.Values, ", "))
	case corev1.NodeSelectorOpNotIn:
		return fmt.Sprintf("%s not in (%s)", r.Key, strings.Join(r.Values, ", "))
	case corev1.NodeSelectorOpExists:
		return "any " + r.Key
	case corev1.NodeSelectorOpDoesNotExist:
		return "no " + r.Key
	case corev1.NodeSelectorOpGt:
		return fmt.Sprintf("%s > %s", r.Key, strings.Join(r.Values, ", "))
	case corev1.NodeSelectorOpLt:
		return fmt.Sprintf("%s < %s", r.Key, strings.Join(r.Values, ", "))
	default:
		return fmt.Sprintf("%s %s (%s)", r.Key, cmp.Or(r.Operator, "without operator"), strings.Join(r.Values, ", "))
	}
}

// Found returns what the node has instead, or as well.
func (r *Requirement) Found() string {
	switch {
	case r.Invalid:
		return "cannot be parsed, no node matches"
	case r.Absent:
		return "label absent"
	case r.Field:
		return "the node is " + r.Has
	default:
		return fmt.Sprintf("the node has %q", r.Has)
	}
}
