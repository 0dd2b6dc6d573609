package cluster

import "fmt"

// stopStages returns the actions of a kubelet on a terminating pod (recordings
// a-graceful, a-exit143, b-ignore, d-image): it stays Ready until its containers have
// ended, then has their exit codes, then is removed.
//
// The API server removes a pod that is deleted without a grace period, and the ends
// of its containers are not reported (b-force).
func stopStages() []stage {
	return []stage{
		{
			name: "pod-stop",
			when: `terminating and (.status.phase | IN("Pending", "Running"))`,
			at: `if containers | any(.state.running != null) then
				(.metadata.deletionTimestamp | stamp) as $end |
				[$end, $end - .metadata.deletionGracePeriodSeconds + seconds("stop-after")] | min | todateiso8601
				else "0s" end`,
			status: observed + exitCode() + containers(stop()) + stopSidecars + `
phase: {{ if $failed }}Failed{{ else }}Succeeded{{ end }}
{{ $reason := ternary "PodFailed" "PodCompleted" $failed }}
` + conditions(
				condition{kind: "ContainersReady", status: "False", reason: "{{ $reason }}"},
				condition{kind: "Ready", status: "False", reason: "{{ $reason }}"}),
		},
		{
			name: "pod-remove",
			when: `terminating and (.status.phase | IN("Failed", "Succeeded"))`,
		},
	}
}

// exitCode sets the exit code of the containers: their own, or 137 if they take as
// long as the grace period, because they are killed at its end.
func exitCode() string {
	return fmt.Sprintf(`
{{ $failed := false }}{{ $notes := or .metadata.annotations dict }}
{{ $code := index $notes %q | toString | atoi }}
{{ $need := index $notes %q | toString | atoi }}
{{ if and $need (ge $need (.metadata.deletionGracePeriodSeconds | toString | atoi)) }}{{ $code = 137 }}{{ end }}
`, ExitCodeAnnotation, StopAfterAnnotation)
}

// stop returns a change that ends a container. One that waits for its next start
// keeps its last exit code; one that never ran has 137.
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

// stopSidecars ends the sidecars after all other containers. Their kubelet kills them
// when those have ended.
const stopSidecars = `
{{ if .status.initContainerStatuses }}
initContainerStatuses:
{{ range $i, $c := .spec.initContainers }}
{{ $was := index $.status.initContainerStatuses $i }}
- name: {{ $c.name | Quote }}
  image: {{ $c.image | Quote }}
  imageID: ""
  restartCount: 0
  started: false
  {{ if $was.state.running }}
  ready: false
  state: {terminated: {exitCode: 137, reason: Error, startedAt: {{ $was.state.running.startedAt | Quote }}, finishedAt: {{ $now | Quote }}}}
  {{ else }}
  ready: {{ $was.ready }}
  state: {{ $was.state | toJson }}
  {{ end }}
{{ end }}
{{ end }}
`
