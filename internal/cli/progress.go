package cli

import (
	"fmt"
	"strings"

	"github.com/daemonset-exporter/daemonset_exporter/informers"
)

// clearLine erases the line of a terminal.
const clearLine = "\r\x1b[2K"

// progress shows what has come in, where somebody looks.
func (e *Environment) progress(healths []informers.ResourceHealth) {
	if !e.ErrTerminal {
		return
	}
	counts := make([]string, 0, len(healths))
	for _, health := range healths {
		counts = append(counts, fmt.Sprintf("%d %s", health.Objects, health.Resource))
	}
	e.say("reading: " + strings.Join(counts, ", "))
}

// say shows one line in place of the last, where somebody looks.
func (e *Environment) say(text string) {
	if e.ErrTerminal {
		_, _ = fmt.Fprint(e.Err, clearLine+text)
	}
}

// tell shows one line in place of the last, or below it where nobody looks.
func (e *Environment) tell(text string) {
	if e.ErrTerminal {
		e.say(text)
		return
	}
	_, _ = fmt.Fprintln(e.Err, text)
}

// clearProgress removes the line.
func (e *Environment) clearProgress() { e.say("") }
