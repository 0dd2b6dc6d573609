package cluster

import "fmt"

// stopStages end a pod whose deletion was asked for in the steps that a kubelet
// takes (recordings a-graceful, a-exit143, b-ignore, d-image): it stays Ready
// until its containers have ended, shows how they ended, and then goes.
//
// A pod deleted with no grace is removed by the API server, and its containers
// are not heard of again (b-force).
func stopStages() []stage {
	return []stage{
		{
			name: "pod-stop",
			when: `leaving and (.status.phase | IN("Pending", "Running"))`,
			at: `if containers | any(.state.running != null) then
				(.metadata.deletionTimestamp | stamp) as $end |
				[$end, $end - .metadata.deletionGracePeriodSeconds + seconds("stop-after")] | min | todateiso8601
				else "0s" end`,
			status: observed + exitCode() + containers(stop()) + `
phase: {{ if $failed }}Failed{{ else }}Succeeded{{ end }}
{{ $reason := ternary "PodFailed" "PodCompleted" $failed }}
` + conditions(
				condition{kind: "ContainersReady", status: "False", reason: "{{ $reason }}"},
				condition{kind: "Ready", status: "False", reason: "{{ $reason }}"}),
		},
		{
			name: "pod-remove",
			when: `leaving and (.status.phase | IN("Failed", "Succeeded"))`,
		},
	}
}

// exitCode is what the containers end with: their own code, or 137 if they need
// as long as the grace period, because they are killed when it is over.
func exitCode() string {
	return fmt.Sprintf(`
{{ $failed := false }}{{ $notes := or .metadata.annotations dict }}
{{ $code := index $notes %q | toString | atoi }}
{{ $need := index $notes %q | toString | atoi }}
{{ if and $need (ge $need (.metadata.deletionGracePeriodSeconds | toString | atoi)) }}{{ $code = 137 }}{{ end }}
`, ExitCodeAnnotation, StopAfterAnnotation)
}

// stop ends each container. One that waits for its next start keeps the end it
// had; of one that never ran nothing is known, which reads as 137 as well.
func stop() string {
	return `
{{ if $state.running }}` + exit("$code") + `
{{ else if $state.terminated }}
{{ else if $last.terminated }}{{ $state = $last }}
{{ else }}{{ $state = dict "terminated" (dict "exitCode" 137 "reason" "ContainerStatusUnknown"
	"message" "The container could not be located when the pod was terminated" "startedAt" nil "finishedAt" nil) }}
{{ end }}
{{ if ne ($state.terminated.exitCode | toString) "0" }}{{ $failed = true }}{{ end }}
`
}
