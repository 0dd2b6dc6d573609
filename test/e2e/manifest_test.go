package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/daemonset-exporter/daemonset_exporter/test/cluster"
)

// daemonSet describes a DaemonSet. With a name only it runs on every node without
// taints.
type daemonSet struct {
	name            string
	image           string
	behaviour       cluster.Behaviour
	annotations     map[string]string
	nodeSelector    map[string]string
	nodeName        string
	affinity        string // to nodes; YAML, in one line
	tolerations     string // YAML, in one line
	cpu             string
	minReadySeconds int
	strategy        string // YAML, in one line
	grace           int
	scheduler       string
	initContainers  string // YAML, in one line
	finalizers      string // of the pods; YAML, in one line
}

func (d daemonSet) manifest() []byte {
	annotations := maps.Clone(d.annotations)
	if annotations == nil {
		annotations = map[string]string{}
	}
	if d.behaviour != cluster.Healthy {
		annotations[cluster.BehaviourAnnotation] = string(d.behaviour)
	}
	cpu, image, grace, strategy, tolerations := d.cpu, d.image, d.grace, d.strategy, d.tolerations
	scheduler := d.scheduler
	if scheduler == "" {
		scheduler = "default-scheduler"
	}
	if cpu == "" {
		cpu = "10m"
	}
	if image == "" {
		image = "example.com/agent:1"
	}
	if grace == 0 {
		grace = 30
	}
	if strategy == "" {
		strategy = "{type: RollingUpdate, rollingUpdate: {maxUnavailable: 1}}"
	}
	initContainers, finalizers := d.initContainers, d.finalizers
	affinity, nodeName := "{}", ""
	if d.affinity != "" {
		affinity = "{nodeAffinity: " + d.affinity + "}"
	}
	if d.nodeName != "" {
		nodeName = "nodeName: " + d.nodeName
	}
	for _, list := range []*string{&tolerations, &initContainers, &finalizers} {
		if *list == "" {
			*list = "[]"
		}
	}
	return fmt.Appendf(nil, `
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: %[1]s, namespace: default}
spec:
  selector: {matchLabels: {app: %[1]s}}
  minReadySeconds: %[2]d
  updateStrategy: %[3]s
  template:
    metadata:
      labels: {app: %[1]s}
      annotations: %[4]s
      finalizers: %[12]s
    spec:
      terminationGracePeriodSeconds: %[5]d
      schedulerName: %[10]s
      nodeSelector: %[6]s
      affinity: %[13]s
      %[14]s
      tolerations: %[7]s
      initContainers: %[11]s
      containers:
      - name: agent
        image: %[8]s
        resources: {requests: {cpu: %[9]s}}
`, d.name, d.minReadySeconds, strategy, flow(annotations), grace, flow(d.nodeSelector), tolerations, image, cpu, scheduler, initContainers, finalizers, affinity, nodeName)
}

// flow returns a map as one line of YAML.
func flow(m map[string]string) string {
	var pairs []string
	for _, key := range slices.Sorted(maps.Keys(m)) {
		pairs = append(pairs, fmt.Sprintf("%q: %q", key, m[key]))
	}
	return "{" + strings.Join(pairs, ", ") + "}"
}
