package cluster

import "fmt"

// containers returns the template of all container statuses. The list has no keys,
// so each patch replaces all of it. change is a template that changes these variables
// of a container:
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

// run starts a container with a new id.
const run = `
{{ $id = printf "containerd://%s" (printf "%s/%s/%d" $.metadata.uid $c.name $restarts | sha256sum) }}
{{ $started = true }}{{ $state = dict "running" (dict "startedAt" $now) }}
`

// waitFor returns a change to a waiting container.
func waitFor(reason, message string) string {
	return fmt.Sprintf(`{{ $ready = false }}{{ $started = false }}{{ $state = dict "waiting" (dict "reason" %q "message" %s) }}`,
		reason, orEmpty(message))
}

// exit returns a change that ends a running container; code is a template expression.
func exit(code string) string {
	return fmt.Sprintf(`
{{ $ready = false }}{{ $started = false }}
{{ $state = dict "terminated" (dict "exitCode" %s "reason" (ternary "Completed" "Error" (eq %s 0))
	"startedAt" $state.running.startedAt "finishedAt" $now "containerID" $id) }}
`, code, code)
}

// onlyFirst returns a change of the first container only.
func onlyFirst(change string) string {
	return `{{ if eq $i 0 }}` + change + `{{ end }}`
}

// orEmpty returns an operand for a template: an expression, or the empty string.
func orEmpty(expression string) string {
	if expression == "" {
		return `""`
	}
	return expression
}
