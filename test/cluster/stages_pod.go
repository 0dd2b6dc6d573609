package cluster

// podPrelude defines the jq functions of the pod stages.
//
// terminating: deletion was requested. accepted: the kubelet has set a status.
// running: all containers run. gates: all readiness gates are open, which others than
// the kubelet set. wrong: the first container, the one that fails, waits for this
// reason. backoff: the delay before the next start of a crashed container, in seconds.
const podPrelude = `
def terminating: .metadata.deletionTimestamp != null;
def phase($p): (terminating | not) and .status.phase == $p;
def containers: .status.containerStatuses // [];
def first: containers | .[0];
def accepted: containers | length > 0;
def running: accepted and (containers | all(.state.running != null));
def gates: . as $pod | (.spec.readinessGates // []) | all(.conditionType as $type | $pod | condition($type) == "True");
def wrong($reason): first | .state.waiting.reason == $reason;
def backoff: [10 * pow(2; .restartCount - 1), 300] | min;
`

// podStages returns the actions of a kubelet on its pods.
func podStages() []stage {
	var stages []stage
	stages = append(stages, startStages()...)
	stages = append(stages, readinessStages()...)
	stages = append(stages, troubleStages()...)
	stages = append(stages, stopStages()...)
	for i := range stages {
		stages[i].kind = "Pod"
	}
	return stages
}

func startStages() []stage {
	return []stage{
		{
			name: "pod-accept",
			when: `phase("Pending") and (accepted | not) and behaviour != "rejected"`,
			status: observed + `
startTime: {{ $now | Quote }}
hostIP: {{ NodeIPWith .spec.nodeName | Quote }}
hostIPs: [{ip: {{ NodeIPWith .spec.nodeName | Quote }}}]
` + containers(waitFor("ContainerCreating", "")) + conditions(unready()...),
		},
		{
			name: "pod-run",
			when: `phase("Pending") and accepted and (behaviour | IN("image-pull", "container-config") | not)`,
			at:   `(.status.startTime | stamp) + seconds("start-after") | todateiso8601`,
			status: observed + `
{{ $ip := PodIPWith .spec.nodeName (or .spec.hostNetwork false) .metadata.uid .metadata.name .metadata.namespace }}
podIP: {{ $ip | Quote }}
podIPs: [{ip: {{ $ip | Quote }}}]
phase: Running
` + initialized + containers(run) + conditions(append(unready(),
				condition{kind: "PodReadyToStartContainers", status: "True"},
				condition{kind: "Initialized", status: "True"})...),
		},
	}
}

// readinessStages returns the actions that set and clear Ready. They also repair a
// pod whose Ready the node lifecycle controller has cleared while its kubelet was
// stopped: kwok's own stages would not.
func readinessStages() []stage {
	const probed = `phase("Running") and running and (behaviour | IN("never-ready", "evicted") | not) and `
	return []stage{
		{
			name: "pod-ready",
			when: probed + `gates and ([condition("Ready"), condition("ContainersReady")] != ["True", "True"])`,
			status: observed + since + containers(`{{ $ready = true }}`) + conditions(
				condition{kind: "ContainersReady", status: "True"},
				condition{kind: "Ready", status: "True", since: "$since"}),
		},
		{
			name: "pod-gated",
			when: probed + `(gates | not) and (condition("Ready") == "True" or condition("ContainersReady") != "True")`,
			status: observed + containers(`{{ $ready = true }}`) + conditions(
				condition{kind: "ContainersReady", status: "True"},
				condition{
					kind: "Ready", status: "False", reason: "ReadinessGatesNotReady",
					message: "the status of a pod readiness gate is not True",
				}),
		},
		{
			name:   "pod-unready",
			when:   `phase("Running") and running and behaviour == "never-ready" and condition("ContainersReady") == "True"`,
			status: observed + containers(`{{ $ready = false }}`) + conditions(unready()...),
		},
	}
}

// unready returns the conditions of a pod whose containers are not ready.
func unready() []condition {
	const message = `containers with unready status: [{{ range $i, $c := .spec.containers }}{{ if $i }} {{ end }}{{ $c.name }}{{ end }}]`
	return []condition{
		{kind: "ContainersReady", status: "False", reason: "ContainersNotReady", message: message},
		{kind: "Ready", status: "False", reason: "ContainersNotReady", message: message},
	}
}

const (
	// observed sets the generation of the spec that the status is about.
	observed = `observedGeneration: {{ or .metadata.generation 0 }}`

	// since is the transition time of a Ready that becomes True. If the node
	// lifecycle controller cleared it (without a reason, which a kubelet always sets)
	// and the containers were ready all along, a kubelet restores the time from before
	// the outage (recordings/e-outage). The exporter must not trust it.
	since = `
{{ $since := $now }}
{{ range $ready := .status.conditions }}{{ if and (eq .type "Ready") (eq .status "False") (not .reason) }}
{{ range $.status.conditions }}{{ if and (eq .type "ContainersReady") (eq .status "True") }}{{ $since = .lastTransitionTime }}{{ end }}{{ end }}
{{ end }}{{ end }}
`

	// initialized sets the statuses of init containers when the others start:
	// completed, or running if they are sidecars.
	initialized = `
{{ if .spec.initContainers }}
initContainerStatuses:
{{ range .spec.initContainers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: ""
  ready: true
  restartCount: 0
  {{ if eq (or .restartPolicy "") "Always" }}
  started: true
  state: {running: {startedAt: {{ $now | Quote }}}}
  {{ else }}
  started: false
  state: {terminated: {exitCode: 0, reason: Completed, startedAt: {{ $now | Quote }}, finishedAt: {{ $now | Quote }}}}
  {{ end }}
{{ end }}
{{ end }}
`
)
