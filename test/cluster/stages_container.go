package cluster

import "fmt"

// containers is the template of all container statuses. It is a list without
// keys, so each patch writes all of it: every container keeps what it had but
// for what change, a piece of template, does to these variables:
//
//	$i $c          the container's index and its spec
//	$state $last   state and lastState
//	$ready $started $restarts $id
func containers(change string) string {
	return `
containerStatuses:
{{ range $i, $c := .spec.containers }}
{{ $was := dict }}{{ if $.status.containerStatuses }}{{ $was = index $.status.containerStatuses $i }}{{ end }}
{{ $state := or $was.state dict }}{{ $last := or $was.lastState dict }}
{{ $ready := or $was.ready false }}{{ $started := or $was.started false }}
{{ $restarts := $was.restartCount | toString | atoi }}{{ $id := or $was.containerID "" }}
` + change + `
- name: {{ $c.name | Quote }}
  image: {{ $c.image | Quote }}
  imageID: {{ if $id }}sha256:{{ sha256sum $c.image }}{{ else }}""{{ end }}
  containerID: {{ $id | Quote }}
  ready: {{ $ready }}
  started: {{ $started }}
  restartCount: {{ $restarts }}
  state: {{ $state | toJson }}
  lastState: {{ $last | toJson }}
{{ end }}
`
}

// run starts a container: a new process, hence a new id.
const run = `
{{ $id = printf "containerd://%s" (printf "%s/%s/%d" $.metadata.uid $c.name $restarts | sha256sum) }}
{{ $started = true }}{{ $state = dict "running" (dict "startedAt" $now) }}
`

// waitFor is a container that waits.
func waitFor(reason, message string) string {
	return fmt.Sprintf(`{{ $ready = false }}{{ $started = false }}{{ $state = dict "waiting" (dict "reason" %q "message" %s) }}`,
		reason, orEmpty(message))
}

// exit ends a container that runs, with a template expression for the exit code.
func exit(code string) string {
	return fmt.Sprintf(`
{{ $ready = false }}{{ $started = false }}
{{ $state = dict "terminated" (dict "exitCode" %s "reason" (ternary "Completed" "Error" (eq %s 0))
	"startedAt" $state.running.startedAt "finishedAt" $now "containerID" $id) }}
`, code, code)
}

// onlyFirst leaves the other containers as they are.
func onlyFirst(change string) string {
	return `{{ if eq $i 0 }}` + change + `{{ end }}`
}

// orEmpty is an operand in a template: an expression, or no text.
func orEmpty(expression string) string {
	if expression == "" {
		return `""`
	}
	return expression
}
