package cluster

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"
)

const (
	kwokConfig = "kwok.yaml"
	// noNodeIP is the address that kwok returns for nodes that it does not simulate.
	noNodeIP = "192.0.2.255"
)

// stage is one action of the simulated kubelet on an object.
//
// At most one stage of a kind may match an object: kwok chooses at random among
// several. Stages are idempotent, and each patch has the version of the object that
// it was made for, so that kwok, which reads from a cache, cannot act on old state.
type stage struct {
	name string
	kind string
	// when is a jq expression that is true for matching objects; preludes define its
	// functions.
	when string
	// at is a jq expression for the time (RFC 3339) or the delay (as in "2s").
	at string
	// status is the template of a patch of the status; without it the object is
	// deleted without a grace period.
	status string
}

// writeKwokConfig writes the configuration of kwok.
func writeKwokConfig(dir *workdir) error {
	var b strings.Builder
	for _, s := range append(nodeStages(), podStages()...) {
		doc, err := yaml.Marshal(s.object())
		if err != nil {
			return fmt.Errorf("make stage %s: %w", s.name, err)
		}
		fmt.Fprintf(&b, "---\n%s", doc)
	}
	if err := os.WriteFile(dir.file(kwokConfig), []byte(b.String()), 0o600); err != nil {
		return fmt.Errorf("write stages: %w", err)
	}
	return nil
}

// object returns the stage in the format of kwok v0.8.0 (pkg/apis/v1alpha1/stage_types.go).
func (s stage) object() map[string]any {
	step := map[string]any{"delete": true}
	if s.status != "" {
		step = map[string]any{"patch": map[string]any{
			"subresource": "status",
			"template":    s.template(),
		}}
	}
	spec := map[string]any{
		"resourceRef": map[string]any{"apiGroup": "v1", "kind": s.kind},
		"selector": map[string]any{"matchExpressions": []any{map[string]any{"jq": map[string]any{
			"key":      s.prelude() + s.when,
			"operator": "In",
			"values":   []any{"true"},
		}}}},
		"steps": []any{step},
	}
	if s.at != "" {
		spec["delay"] = map[string]any{"durationFrom": map[string]any{"jq": map[string]any{
			"expression": s.prelude() + s.at,
		}}}
	}
	return map[string]any{
		"apiVersion": "kwok.x-k8s.io/v1alpha1",
		"kind":       "Stage",
		"metadata":   map[string]any{"name": s.name},
		"spec":       spec,
	}
}

func (s stage) prelude() string {
	if s.kind == "Pod" {
		return prelude + podPrelude
	}
	return prelude
}

// template returns the template of the patch. kwok executes planned actions on a pod
// also when its node was unplugged since; the patch is empty then.
func (s stage) template() string {
	patch := `{{ $now := Now }}
metadata:
  resourceVersion: {{ .metadata.resourceVersion | Quote }}
status:
` + indent(s.status)
	if s.kind != "Pod" {
		return patch
	}
	return `{{ if eq (NodeIPWith .spec.nodeName) "` + noNodeIP + `" }}{}{{ else }}` + patch + `{{ end }}`
}

// prelude defines jq functions for any object.
const prelude = `
def condition($type): (.status.conditions // []) | map(select(.type == $type)) | .[0].status // "";
def annotation($key; $default): .metadata.annotations["` + annotationPrefix + `" + $key] // $default;
def behaviour: annotation("behaviour"; "");
def seconds($key): annotation($key; "0") | tonumber;
def stamp: fromdateiso8601;
`

// condition is one of an object's status conditions.
type condition struct {
	kind, status, reason, message string
	// since is the template variable with the time of a transition; $now without it.
	since string
	// beat adds lastHeartbeatTime, which conditions of nodes have.
	beat bool
}

// conditions returns the template of a patch of conditions, which merges by type. As
// with a real kubelet the transition time changes only with the status.
func conditions(list ...condition) string {
	var b strings.Builder
	b.WriteString("conditions:\n")
	for _, c := range list {
		if c.since == "" {
			c.since = "$now"
		}
		fmt.Fprintf(&b, `{{ $at := %s }}
{{ range .status.conditions }}{{ if and (eq .type %q) (eq .status %q) }}{{ $at = .lastTransitionTime }}{{ end }}{{ end }}
- type: %s
  status: %q
  reason: %s
  message: %s
  lastTransitionTime: {{ $at | Quote }}
`, c.since, c.kind, c.status, c.kind, c.status, orNull(c.reason), orNull(c.message))
		if c.beat {
			b.WriteString("  lastHeartbeatTime: {{ $now | Quote }}\n")
		}
	}
	return b.String()
}

// orNull returns a YAML value; null removes the field in a patch.
func orNull(s string) string {
	if s == "" {
		return "null"
	}
	return strconv.Quote(s)
}

func indent(s string) string {
	return "  " + strings.ReplaceAll(strings.TrimSpace(s), "\n", "\n  ")
}
