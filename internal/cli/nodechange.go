package cli

import (
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// nodeChange is a change of the nodes that a selector selects.
type nodeChange struct {
	text     string
	selector labels.Selector
	apply    func(node *slim.Node)
}

// parseNodeChanges returns the changes that the flags ask for: labels first, as taints are
// often given by the labels that nodes get.
func parseNodeChanges(set, remove, taints []string) ([]nodeChange, error) {
	var changes []nodeChange
	for _, list := range []struct {
		texts []string
		parse func(string) (nodeChange, error)
	}{{set, parseSetLabel}, {remove, parseRemoveLabel}, {taints, parseTaint}} {
		for _, text := range list.texts {
			change, err := list.parse(text)
			if err != nil {
				return nil, err
			}
			changes = append(changes, change)
		}
	}
	return changes, nil
}

func parseSetLabel(text string) (nodeChange, error) {
	const example = "--label: %q is not SELECTOR=KEY=VALUE (example: pool=gpu=tier=1): %s"
	rest, value, ok := cutLast(text, "=")
	selector, key, ok2 := cutLast(rest, "=")
	if !ok || !ok2 {
		return nodeChange{}, usagef(example, text, "an = is missing")
	}
	if problems := slices.Concat(validation.IsQualifiedName(key), validation.IsValidLabelValue(value)); len(problems) > 0 {
		return nodeChange{}, usagef(example, text, strings.Join(problems, "; "))
	}
	return newNodeChange("--label", selector, func(node *slim.Node) { node.Labels[key] = value })
}

func parseRemoveLabel(text string) (nodeChange, error) {
	const example = "--remove-label: %q is not SELECTOR=KEY (example: pool=gpu=tier): %s"
	selector, key, ok := cutLast(text, "=")
	if !ok {
		return nodeChange{}, usagef(example, text, "an = is missing")
	}
	if problems := validation.IsQualifiedName(key); len(problems) > 0 {
		return nodeChange{}, usagef(example, text, strings.Join(problems, "; "))
	}
	return newNodeChange("--remove-label", selector, func(node *slim.Node) { delete(node.Labels, key) })
}

func parseTaint(text string) (nodeChange, error) {
	const example = "--taint: %q is not SELECTOR=KEY=VALUE:EFFECT (example: pool=gpu=dedicated=gpu:NoSchedule): %s"
	rest, effect, ok := cutLast(text, ":")
	rest, value, ok2 := cutLast(rest, "=")
	selector, key, ok3 := cutLast(rest, "=")
	if !ok || !ok2 || !ok3 {
		return nodeChange{}, usagef(example, text, "a : or = is missing")
	}
	taint := corev1.Taint{Key: key, Value: value, Effect: corev1.TaintEffect(effect)}
	effects := []corev1.TaintEffect{corev1.TaintEffectNoSchedule, corev1.TaintEffectNoExecute, corev1.TaintEffectPreferNoSchedule}
	if !slices.Contains(effects, taint.Effect) {
		return nodeChange{}, usagef(example, text, "the effect is not NoSchedule, NoExecute or PreferNoSchedule")
	}
	if problems := slices.Concat(validation.IsQualifiedName(key), validation.IsValidLabelValue(value)); len(problems) > 0 {
		return nodeChange{}, usagef(example, text, strings.Join(problems, "; "))
	}
	return newNodeChange("--taint", selector, func(node *slim.Node) {
		node.Taints = slices.DeleteFunc(node.Taints, func(t corev1.Taint) bool { return t.Key == taint.Key && t.Effect == taint.Effect })
		node.Taints = append(node.Taints, taint)
	})
}

func cutLast(text, separator string) (before, after string, found bool) {
	if i := strings.LastIndex(text, separator); i >= 0 {
		return text[:i], text[i+len(separator):], true
	}
	return text, "", false
}

func newNodeChange(flag, selector string, apply func(*slim.Node)) (nodeChange, error) {
	parsed, err := labels.Parse(selector)
	if err != nil {
		return nodeChange{}, usagef("%s: %q is not a label selector: %w", flag, selector, err)
	}
	return nodeChange{text: selector, selector: parsed, apply: apply}, nil
}

// changeNodes returns the nodes after the changes, each selecting among what the earlier
// ones have made, and the selectors that matched none. The nodes given are not changed.
func changeNodes(nodes []*slim.Node, changes []nodeChange) (after []*slim.Node, unmatched []string) {
	after = make([]*slim.Node, 0, len(nodes))
	for _, node := range nodes {
		changed := *node
		if changed.Labels = maps.Clone(node.Labels); changed.Labels == nil {
			changed.Labels = map[string]string{}
		}
		changed.Taints = slices.Clone(node.Taints)
		after = append(after, &changed)
	}
	for _, change := range changes {
		matched := false
		for _, node := range after {
			if change.selector.Matches(labels.Set(node.Labels)) {
				change.apply(node)
				matched = true
			}
		}
		if !matched {
			unmatched = append(unmatched, change.text)
		}
	}
	return after, unmatched
}
