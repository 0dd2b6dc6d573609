package coverage

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// What a Change changes.
const (
	OnDaemonSet = "daemonset"
	OnNode      = "node"
	OnNamespace = "namespace"
)

// Action is what a Change does.
type Action string

// The actions.
const (
	AddToleration      Action = "add_toleration"
	RemoveNodeName     Action = "remove_node_name"
	RemoveNodeSelector Action = "remove_node_selector"
	AddAffinityTerm    Action = "add_affinity_term"
	ClearNodeSelector  Action = "clear_namespace_selector"
	SetLabel           Action = "set_label"
	RemoveLabel        Action = "remove_label"
	RemoveTaint        Action = "remove_taint"
)

// The results of plans.
const (
	// ResultExpected: the node is expected.
	ResultExpected = "expected"
	// ResultRun: the DaemonSet controller makes the pod although the node has a
	// condition taint.
	ResultRun = "run"
)

// Plan is a list of changes that, all made, change the verdict.
type Plan struct {
	// On is what is changed: the DaemonSet (and its namespace) or the node.
	On string `json:"on"`
	// Result is the verdict after it: expected, or run.
	Result  string   `json:"result"`
	Changes []Change `json:"changes"`
}

// Change is one change of a plan.
type Change struct {
	On     string `json:"on"`
	Action Action `json:"action"`
	// Key and Value are of the label, the taint or the node selector.
	Key   string `json:"key,omitempty"`
	Value string `json:"value,omitempty"`
	// Effect is of the taint.
	Effect string `json:"effect,omitempty"`
	// Toleration is the one to add.
	Toleration *corev1.Toleration `json:"toleration,omitempty"`
	// Text is the change in words.
	Text string `json:"text"`
}

// draft is what plans are tried on: copies, so that a plan is only offered if it works.
type draft struct {
	template  slim.PodTemplate
	namespace labels.Selector
	node      slim.Node
	taints    *readiness.TaintRules
	changes   []Change
}

func newDraft(template *slim.PodTemplate, namespace labels.Selector, node *slim.Node, taints *readiness.TaintRules) *draft {
	d := &draft{template: *template, namespace: namespace, node: *node, taints: taints}
	d.template.NodeSelector = maps.Clone(template.NodeSelector)
	d.template.Tolerations = slices.Clone(template.Tolerations)
	d.node.Labels = maps.Clone(node.Labels)
	if d.node.Labels == nil {
		d.node.Labels = map[string]string{}
	}
	d.node.Taints = slices.Clone(node.Taints)
	return d
}

func (d *draft) explain() Explanation { return explain(&d.template, d.namespace, &d.node, d.taints) }

func (d *draft) note(change Change) { d.changes = append(d.changes, change) }

// plans returns what would make an excluded node expected, and what would make the
// controller run a pod that a condition taint withholds. Each plan has been tried.
func plans(template *slim.PodTemplate, namespace labels.Selector, node *slim.Node, taints *readiness.TaintRules, e *Explanation) (offered []Plan) {
	offer := func(on, result string, d *draft, works func(after Explanation) bool) {
		if len(d.changes) > 0 && works(d.explain()) {
			offered = append(offered, Plan{On: on, Result: result, Changes: d.changes})
		}
	}
	expected := func(after Explanation) bool { return after.Expected }
	switch {
	case !e.Expected:
		d := newDraft(template, namespace, node, taints)
		d.changeDaemonSet(e)
		offer(OnDaemonSet, ResultExpected, d, expected)
		for _, term := range affinityChoices(e) {
			d = newDraft(template, namespace, node, taints)
			if d.changeNode(e, term) {
				before := len(offered)
				offer(OnNode, ResultExpected, d, expected)
				if len(offered) > before {
					break
				}
			}
		}
	case e.Upstream != VerdictRun.String():
		d := newDraft(template, namespace, node, taints)
		d.tolerate(e, RuleWithholds)
		offer(OnDaemonSet, ResultRun, d, func(after Explanation) bool {
			return after.Expected && after.Upstream == VerdictRun.String()
		})
	}
	return offered
}

// changeDaemonSet makes the DaemonSet and its namespace accept the node.
func (d *draft) changeDaemonSet(e *Explanation) {
	for _, rule := range e.excluding() {
		switch rule.Name {
		case ExcludedByNodeName.String():
			d.template.NodeName = ""
			d.note(Change{On: OnDaemonSet, Action: RemoveNodeName, Value: rule.NodeName, Text: fmt.Sprintf("remove nodeName %s from the pod template", rule.NodeName)})
		case ExcludedByNamespaceSelector.String():
			d.namespace = nil
			d.note(Change{On: OnNamespace, Action: ClearNodeSelector, Text: `set the namespace's annotation openshift.io/node-selector to ""`})
		case ExcludedByNodeSelector.String():
			d.dropNodeSelectors(rule.Requirements)
		case ExcludedByNodeAffinity.String():
			d.addAffinityTerm()
		case ExcludedByTaint.String():
			d.tolerate(e, RuleExcludes)
		}
	}
}

func (d *draft) dropNodeSelectors(requirements []Requirement) {
	for i := range requirements {
		if r := &requirements[i]; !r.Holds {
			delete(d.template.NodeSelector, r.Key)
			d.note(Change{On: OnDaemonSet, Action: RemoveNodeSelector, Key: r.Key, Value: r.Values[0], Text: fmt.Sprintf("remove %s from the nodeSelector of the pod template", r)})
		}
	}
}

// addAffinityTerm adds a term that holds for the node alone.
func (d *draft) addAffinityTerm() {
	terms := append(slices.Clone(termsOf(&d.template)), corev1.NodeSelectorTerm{MatchFields: []corev1.NodeSelectorRequirement{{
		Key: metav1.ObjectNameField, Operator: corev1.NodeSelectorOpIn, Values: []string{d.node.Name},
	}}})
	d.template.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
		RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: terms},
	}}
	d.note(Change{
		On: OnDaemonSet, Action: AddAffinityTerm, Key: metav1.ObjectNameField, Value: d.node.Name,
		Text: fmt.Sprintf("add a term that matches the node to the required node affinity (matchFields %s In [%s])", metav1.ObjectNameField, d.node.Name),
	})
}

// tolerate adds a toleration for each taint of this verdict.
func (d *draft) tolerate(e *Explanation, verdict RuleVerdict) {
	for _, rule := range e.Rules {
		for i := range rule.Taints {
			if taint := &rule.Taints[i]; taint.Verdict == verdict {
				toleration := tolerationFor(taint)
				d.template.Tolerations = append(d.template.Tolerations, toleration)
				d.note(Change{On: OnDaemonSet, Action: AddToleration, Toleration: &toleration, Text: "add the toleration " + tolerationText(&toleration)})
			}
		}
	}
}

func tolerationFor(taint *Taint) corev1.Toleration {
	toleration := exists(taint.Key, corev1.TaintEffect(taint.Effect))
	if taint.Value != "" {
		toleration.Operator, toleration.Value = corev1.TolerationOpEqual, taint.Value
	}
	return toleration
}

func tolerationText(t *corev1.Toleration) string {
	text := fmt.Sprintf("{key: %s, operator: %s", t.Key, t.Operator)
	if t.Value != "" {
		text += ", value: " + strconv.Quote(t.Value)
	}
	return text + fmt.Sprintf(", effect: %s}", t.Effect)
}

// affinityChoices returns the terms of a node affinity that excludes the node, one nil
// if it does not.
func affinityChoices(e *Explanation) []*Term {
	for _, rule := range e.excluding() {
		if rule.Name == ExcludedByNodeAffinity.String() {
			terms := make([]*Term, 0, len(rule.Terms))
			for j := range rule.Terms {
				terms = append(terms, &rule.Terms[j])
			}
			return terms
		}
	}
	return []*Term{nil}
}

// changeNode makes the node one that the DaemonSet accepts, where need be by this term
// of its affinity. It reports whether that can be done.
func (d *draft) changeNode(e *Explanation, term *Term) bool {
	possible := true
	if term != nil {
		possible = len(term.Requirements) > 0 && d.meet(term.Requirements)
	}
	for _, rule := range e.excluding() {
		switch rule.Name {
		case ExcludedByNodeName.String():
			return false
		case ExcludedByTaint.String():
			d.removeTaints(rule.Taints)
		default:
			possible = possible && d.meet(rule.Requirements)
		}
	}
	return possible
}

func (d *draft) removeTaints(taints []Taint) {
	for i := range taints {
		taint := &taints[i]
		if taint.Verdict != RuleExcludes {
			continue
		}
		d.node.Taints = slices.DeleteFunc(d.node.Taints, func(t corev1.Taint) bool {
			return t.Key == taint.Key && string(t.Effect) == taint.Effect
		})
		d.note(Change{On: OnNode, Action: RemoveTaint, Key: taint.Key, Value: taint.Value, Effect: taint.Effect, Text: fmt.Sprintf("remove the taint %s from the node", taint)})
	}
}

// meet changes the node's labels so that the requirements hold, and reports whether that
// can be done.
func (d *draft) meet(requirements []Requirement) bool {
	for i := range requirements {
		r := &requirements[i]
		if r.Holds {
			continue
		}
		value, remove, possible := r.wanted()
		switch {
		case !possible:
			return false
		case remove:
			delete(d.node.Labels, r.Key)
			d.note(Change{On: OnNode, Action: RemoveLabel, Key: r.Key, Text: fmt.Sprintf("remove the label %s from the node", r.Key)})
		default:
			d.node.Labels[r.Key] = value
			d.note(Change{On: OnNode, Action: SetLabel, Key: r.Key, Value: value, Text: fmt.Sprintf("label the node with %s=%s", r.Key, value)})
		}
	}
	return true
}

// wanted returns a value of the label with which the requirement holds, or that the
// label must go, and whether a node can be given that.
func (r *Requirement) wanted() (value string, remove, possible bool) {
	if r.Field || r.Invalid || len(validation.IsQualifiedName(r.Key)) > 0 {
		return "", false, false
	}
	possible = true
	switch corev1.NodeSelectorOperator(r.Operator) {
	case corev1.NodeSelectorOpNotIn, corev1.NodeSelectorOpDoesNotExist:
		return "", true, true
	case corev1.NodeSelectorOpExists:
		value = "true"
	case corev1.NodeSelectorOpIn:
		if possible = len(r.Values) > 0; possible {
			value = r.Values[0]
		}
	case corev1.NodeSelectorOpGt:
		value, possible = r.beyond(1)
	case corev1.NodeSelectorOpLt:
		value, possible = r.beyond(-1)
	default:
		return "", false, false
	}
	return value, false, possible && len(validation.IsValidLabelValue(value)) == 0
}

// beyond returns the number next to the requirement's.
func (r *Requirement) beyond(step int64) (value string, possible bool) {
	if len(r.Values) != 1 {
		return "", false
	}
	number, err := strconv.ParseInt(r.Values[0], 10, 64)
	return strconv.FormatInt(number+step, 10), err == nil
}
