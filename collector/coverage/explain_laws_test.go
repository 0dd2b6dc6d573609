package coverage_test

import (
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strconv"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/random"
)

// pairsVariable sets how many random pairs are explained, for a longer run.
const pairsVariable = "EXPLAIN_PAIRS"

// The laws of explanations on random pairs: they say what placement decides, and what
// they advise changes it.
func TestExplainLaws(t *testing.T) {
	t.Parallel()
	pairs := 3000
	if text := os.Getenv(pairsVariable); text != "" {
		number, err := strconv.Atoi(text)
		if err != nil {
			t.Fatalf("%s: %v", pairsVariable, err)
		}
		pairs = number
	}
	for name, seed := range random.Seeds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seen := map[string]int{}
			dice := random.Seeded(seed, 1)
			for pair := range pairs {
				if problem := wrongExplanation(dice, seen); problem != "" {
					t.Fatalf("pair %d of seed %d: %s", pair, seed, problem)
				}
			}
			t.Logf("%d pairs of seed %d: %v", pairs, seed, seen)
			for _, kind := range []string{"expected", "node_name", "namespace_selector", "node_selector", "node_affinity", "taint", "plan daemonset expected", "plan node expected", "plan daemonset run"} {
				if seen[kind] == 0 {
					t.Errorf("no pair of the kind %q", kind)
				}
			}
		})
	}
}

// pairToExplain is a DaemonSet, its namespace's selector and a node.
type pairToExplain struct {
	ds        *appsv1.DaemonSet
	namespace labels.Selector
	node      *corev1.Node
}

func randomPair(dice *random.Dice) pairToExplain {
	pair := pairToExplain{ds: random.DaemonSet(dice), node: random.Node(dice)}
	if dice.OneIn(5) {
		text := random.Choose(dice, "zone=a", "type", "zone in (a,b),!type", "cores>4", "zone!=a", "cores<7")
		selector, err := labels.Parse(text)
		if err != nil {
			panic(err)
		}
		pair.namespace = selector
	}
	return pair
}

func (p pairToExplain) decide() coverage.Decision {
	var view coverage.View
	view.Show(slim.FromNode(p.node), &readiness.TaintRules{})
	return coverage.NewPlacement(&slim.FromDaemonSet(p.ds).Template, p.namespace).Decide(&view)
}

// wrongExplanation explains one pair and returns which law the explanation breaks, or
// "". It counts what it saw.
func wrongExplanation(dice *random.Dice, seen map[string]int) string {
	pair := randomPair(dice)
	before := pairToExplain{ds: pair.ds.DeepCopy(), node: pair.node.DeepCopy()}
	decision := pair.decide()
	got := coverage.Explain(&slim.FromDaemonSet(pair.ds).Template, pair.namespace, slim.FromNode(pair.node), &readiness.TaintRules{})
	wrong := ""
	exclusion := decision.Exclusion.String()
	seen[exclusion]++
	if decision.Exclusion == coverage.NotExcluded {
		exclusion = ""
	}
	switch {
	case got.Expected != (exclusion == "") || got.Exclusion != exclusion:
		wrong = fmt.Sprintf("it is excluded by %q", got.Exclusion)
	case got.Upstream != decision.Upstream.String():
		wrong = fmt.Sprintf("upstream says %q", got.Upstream)
	case (got.Difference != "") != (got.Expected && decision.Upstream != coverage.VerdictRun):
		wrong = fmt.Sprintf("the difference is %q", got.Difference)
	case len(got.Rules) != int(coverage.Exclusions)-1:
		wrong = "a rule is missing"
	case !got.Expected && !slices.ContainsFunc(got.Plans, func(p coverage.Plan) bool { return p.On == coverage.OnDaemonSet }):
		wrong = "there is no plan for the DaemonSet"
	case got.Difference != "" && len(got.Plans) != 1:
		wrong = "there is no plan against the condition taints"
	}
	for i, rule := range got.Rules {
		if want := coverage.Exclusion(i + 1).String(); rule.Name != want {
			wrong = fmt.Sprintf("rule %d is %s, want %s", i, rule.Name, want)
		}
	}
	for _, plan := range got.Plans {
		seen["plan "+plan.On+" "+plan.Result]++
		after := pair.with(plan).decide()
		flipped := after.Exclusion == coverage.NotExcluded && (plan.Result == coverage.ResultExpected || after.Upstream == coverage.VerdictRun)
		if !flipped {
			wrong = fmt.Sprintf("after %+v the decision is %+v", plan, after)
		}
	}
	if !reflect.DeepEqual(pair.ds, before.ds) || !reflect.DeepEqual(pair.node, before.node) {
		wrong = "explaining changes the objects"
	}
	if wrong == "" {
		return ""
	}
	return fmt.Sprintf("%s; the decision is %+v\nexplanation %+v\nnode %q with labels %v, taints %v\nDaemonSet %+v\nnamespace %v",
		wrong, decision, got, pair.node.Name, pair.node.Labels, pair.node.Spec.Taints, pair.ds.Spec.Template.Spec, pair.namespace)
}

// with returns the pair after the changes of a plan, made to objects of the API.
func (p pairToExplain) with(plan coverage.Plan) pairToExplain {
	changed := pairToExplain{ds: p.ds.DeepCopy(), node: p.node.DeepCopy(), namespace: p.namespace}
	spec := &changed.ds.Spec.Template.Spec
	for _, change := range plan.Changes {
		switch change.Action {
		case coverage.AddToleration:
			spec.Tolerations = append(spec.Tolerations, *change.Toleration)
		case coverage.RemoveNodeName:
			spec.NodeName = ""
		case coverage.RemoveNodeSelector:
			delete(spec.NodeSelector, change.Key)
		case coverage.AddAffinityTerm:
			required := spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution
			required.NodeSelectorTerms = append(required.NodeSelectorTerms, corev1.NodeSelectorTerm{
				MatchFields: []corev1.NodeSelectorRequirement{{Key: change.Key, Operator: corev1.NodeSelectorOpIn, Values: []string{change.Value}}},
			})
		case coverage.ClearNodeSelector:
			changed.namespace = labels.Everything()
		case coverage.SetLabel:
			changed.node.Labels[change.Key] = change.Value
		case coverage.RemoveLabel:
			delete(changed.node.Labels, change.Key)
		case coverage.RemoveTaint:
			changed.node.Spec.Taints = slices.DeleteFunc(changed.node.Spec.Taints, func(t corev1.Taint) bool {
				return t.Key == change.Key && string(t.Effect) == change.Effect
			})
		}
	}
	sameNode := maps.Equal(changed.node.Labels, p.node.Labels) && len(changed.node.Spec.Taints) == len(p.node.Spec.Taints)
	sameTemplate := reflect.DeepEqual(spec, &p.ds.Spec.Template.Spec)
	if plan.On == coverage.OnNode && !sameTemplate || plan.On == coverage.OnDaemonSet && !sameNode {
		panic(fmt.Sprintf("a plan for the %s changes something else: %+v", plan.On, plan))
	}
	return changed
}
