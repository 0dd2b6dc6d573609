package cluster

// podPrelude are the words of the pod stages.
//
// leaving: its deletion was asked for. accepted: the kubelet has taken it in
// hand. running: all of its containers run. gates: all readiness gates are open,
// which is for others than the kubelet to say. wrong: the first container, the
// one that troubles happen to, waits for this reason. backoff: how long a
// container that crashed waits for its next start, in seconds.
const podPrelude = `
def leaving: .metadata.deletionTimestamp != null;
def phase($p): (leaving | not) and .status.phase == $p;
def containers: .status.containerStatuses // [];
def first: containers | .[0];
def accepted: containers | length > 0;
def running: accepted and (containers | all(.state.running != null));
def gates: . as $pod | (.spec.readinessGates // []) | all(.conditionType as $type | $pod | condition($type) == "True");
def wrong($reason): first | .state.waiting.reason == $reason;
def backoff: [10 * pow(2; .restartCount - 1), 300] | min;
`

// podStages are what a kubelet does to its pods.
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

// readinessStages set and clear Ready as the containers and their probes do.
// They also find a pod whose Ready the node lifecycle controller has cleared
// while its kubelet was away: kwok's own stages would leave it so.
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

// unready are the conditions of a pod whose containers are not ready.
func unready() []condition {
	const message = `containers with unready status: [{{ range $i, $c := .spec.containers }}{{ if $i }} {{ end }}{{ $c.name }}{{ end }}]`
	return []condition{
		{kind: "ContainersReady", status: "False", reason: "ContainersNotReady", message: message},
		{kind: "Ready", status: "False", reason: "ContainersNotReady", message: message},
	}
}

const (
	// observed tells which version of the spec the status speaks of.
	observed = `observedGeneration: {{ or .metadata.generation 0 }}`

	// since is the stamp of a Ready that turns True. If the node lifecycle
	// controller cleared it (it gives no reason, a kubelet always does) and the
	// containers were ready all along, a kubelet writes the stamp from before the
	// outage again (recordings/e-outage). No clock may trust it, so it is here.
	since = `
{{ $since := $now }}
{{ range $ready := .status.conditions }}{{ if and (eq .type "Ready") (eq .status "False") (not .reason) }}
{{ range $.status.conditions }}{{ if and (eq .type "ContainersReady") (eq .status "True") }}{{ $since = .lastTransitionTime }}{{ end }}{{ end }}
{{ end }}{{ end }}
`

	// initialized reports init containers when the others start: all done, or
	// running if they are sidecars.
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
