package cluster

// troubleStages returns the actions of the behaviours of pods. Each writes what a
// real kubelet v1.37 wrote; the recordings are named where there is one.
func troubleStages() []stage {
	return []stage{
		// d-image: ErrImagePull and ImagePullBackOff alternate, phase Pending.
		{
			name: "pod-image-pull",
			when: `phase("Pending") and accepted and behaviour == "image-pull" and (wrong("ErrImagePull") | not)`,
			at:   `if wrong("ImagePullBackOff") then "10s" else "0s" end`,
			status: observed + containers(waitFor("ErrImagePull",
				`(printf "failed to pull and unpack image %q: no such host" $c.image)`)),
		},
		{
			name: "pod-image-backoff",
			when: `phase("Pending") and accepted and behaviour == "image-pull" and wrong("ErrImagePull")`,
			at:   `"2s"`,
			status: observed + containers(waitFor("ImagePullBackOff",
				`(printf "Back-off pulling image %q: ErrImagePull: no such host" $c.image)`)),
		},
		{
			name: "pod-container-config",
			when: `phase("Pending") and accepted and behaviour == "container-config" and (wrong("CreateContainerConfigError") | not)`,
			status: observed + containers(waitFor("CreateContainerConfigError",
				`"configmap \"agent\" not found"`)),
		},
		// c-crash: restarted at once the first time, with a back-off after that. The
		// state is CrashLoopBackOff for most of the first back-off; in later ones it is
		// terminated, and CrashLoopBackOff for an instant at the end.
		{
			name: "pod-crash",
			when: `phase("Running") and running and behaviour == "crash-loop" and
				condition("ContainersReady") == "True" and (condition("Ready") == "True") == gates`,
			at:     `(first | .state.running.startedAt | stamp) + 2 | todateiso8601`,
			status: observed + containers(onlyFirst(exit("1"))) + conditions(unready()...),
		},
		{
			name: "pod-crash-backoff",
			when: `phase("Running") and (first | .state.terminated != null and .restartCount > 0)`,
			at: `first | if .restartCount == 1 then "1s" else
				(.state.terminated.finishedAt | stamp) + backoff - 1 | todateiso8601 end`,
			status: observed + containers(onlyFirst(`{{ $last = $state }}`+waitFor("CrashLoopBackOff",
				`(printf "back-off restarting failed container=%s pod=%s_%s(%s)" $c.name $.metadata.name $.metadata.namespace $.metadata.uid)`))),
		},
		{
			name: "pod-restart",
			when: `phase("Running") and ((first | .state.terminated != null and .restartCount == 0) or wrong("CrashLoopBackOff"))`,
			at: `first | if .restartCount == 0 then "0s" else
				(.lastState.terminated.finishedAt | stamp) + backoff | todateiso8601 end`,
			status: observed + containers(onlyFirst(
				`{{ if $state.terminated }}{{ $last = $state }}{{ end }}{{ $restarts = add1 $restarts }}`+run)),
		},
		// Not recorded. The messages are those of pkg/kubelet/eviction v1.37.
		{
			name: "pod-evict",
			when: `phase("Running") and running and behaviour == "evicted"`,
			status: observed + `
phase: Failed
reason: Evicted
message: "The node was low on resource: memory. Threshold quantity: 100Mi, available: 52Mi. "
` + containers(exit("137")) + conditions(
				condition{
					kind: "DisruptionTarget", status: "True", reason: "TerminationByKubelet",
					message: "The node was low on resource: memory. Threshold quantity: 100Mi, available: 52Mi. ",
				},
				condition{kind: "ContainersReady", status: "False", reason: "PodFailed"},
				condition{kind: "Ready", status: "False", reason: "PodFailed"}),
		},
		// Not recorded. Admission in the kubelet, before anything starts.
		{
			name: "pod-reject",
			when: `phase("Pending") and (accepted | not) and behaviour == "rejected"`,
			status: observed + `
phase: Failed
reason: UnexpectedAdmissionError
message: "Pod was rejected: Allocate failed due to no device available, which is unexpected"
startTime: {{ $now | Quote }}
`,
		},
	}
}
