package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/collector"
	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
)

// The outcomes of waiting.
const (
	outcomeWaiting = "waiting"
	outcomeDone    = "done"
	outcomeTimeout = "timeout"
	outcomeFailed  = "failed"
	outcomeDeleted = "deleted"
)

// waitResult is the output of wait.
type waitResult struct {
	collector.Document
	// Outcome is done, timeout, failed (the new revision cannot start) or deleted.
	Outcome    string       `json:"outcome"`
	DaemonSets []waitStatus `json:"daemonsets"`
}

// waitStatus is how far a DaemonSet is.
type waitStatus struct {
	Namespace string `json:"namespace"`
	DaemonSet string `json:"daemonset"`
	Outcome   string `json:"outcome"`
	// Expected is on how many nodes it is expected, Ready on how many of them that count,
	// Done how many of those have what is waited for.
	Expected int `json:"expected"`
	Ready    int `json:"ready"`
	Done     int `json:"done"`
	// Waiting are the nodes that count and do not have it, SetAside those that do not
	// count.
	Waiting  []waitNode `json:"waiting"`
	SetAside []waitNode `json:"setAside"`
	// Message says what it waits for beside nodes, or why it failed.
	Message string `json:"message,omitempty"`
}

// waitNode is a node, with why it is not done or does not count.
type waitNode struct {
	Node   string `json:"node"`
	Reason string `json:"reason"`
}

// look returns how far the DaemonSets are.
func (c *waitCommand) look(cluster *live, targets []*target, now time.Time) *waitResult {
	result := &waitResult{Document: collector.DocumentOf("WaitResult"), Outcome: outcomeDone}
	for _, t := range targets {
		state, ok := cluster.collector.DaemonSetState(t.namespace, t.name)
		status := waitStatus{Namespace: t.namespace, DaemonSet: t.name, Waiting: []waitNode{}, SetAside: []waitNode{}}
		if !ok || state.Deleting {
			status.Outcome, status.Message = outcomeDeleted, "it is being deleted, or gone"
		} else {
			c.judge(&status, &state, cluster.inferring.Load(), t, now)
		}
		result.DaemonSets = append(result.DaemonSets, status)
		switch {
		case status.Outcome == outcomeFailed || status.Outcome == outcomeDeleted:
			result.Outcome = status.Outcome
		case status.Outcome == outcomeWaiting && result.Outcome == outcomeDone:
			result.Outcome = outcomeWaiting
		}
	}
	return result
}

// judge tells how far one DaemonSet is. inferring reports whether its revision cannot be
// read, so that an inferred one must do.
func (c *waitCommand) judge(status *waitStatus, state *collector.DaemonSetState, inferring bool, t *target, now time.Time) {
	status.Expected = len(state.Nodes)
	revisionKnown := state.Observed && (!state.RevisionInferred || inferring)
	for i := range state.Nodes {
		node := &state.Nodes[i]
		if why := setAside(node); why != "" {
			status.SetAside = append(status.SetAside, waitNode{node.Node, why})
			continue
		}
		status.Ready++
		switch {
		case node.Reason != coverage.ReasonNone:
			status.Waiting = append(status.Waiting, waitNode{node.Node, node.Reason.String()})
		case c.what == forUpdated && node.Outdated:
			status.Waiting = append(status.Waiting, waitNode{node.Node, "outdated"})
		default:
			status.Done++
		}
		if revisionKnown && c.failing(t, node, now) {
			status.Outcome = outcomeFailed
			status.Message = fmt.Sprintf("node %s shows %s on the current revision for %s", node.Node, node.Reason, c.failAfter)
		}
	}
	switch {
	case status.Outcome == outcomeFailed:
	case c.what == forUpdated && !state.Observed:
		status.Outcome, status.Message = outcomeWaiting, "the controller has not seen the present template yet"
	case c.what == forUpdated && !revisionKnown:
		status.Outcome, status.Message = outcomeWaiting, "the current revision has not been read yet"
	case status.Ready < c.minNodes:
		status.Outcome, status.Message = outcomeWaiting, fmt.Sprintf("it is expected on %d nodes that count, and %d are asked for (--min-nodes)", status.Ready, c.minNodes)
	case len(status.Waiting) > 0:
		status.Outcome = outcomeWaiting
	default:
		status.Outcome = outcomeDone
	}
}

// setAside returns why a node does not count; empty if it does.
func setAside(node *collector.ExpectedNode) string {
	switch {
	case node.Status != readiness.StatusReady:
		return node.Status.String()
	case node.Lifecycle == readiness.LifecycleLeaving || node.Lifecycle == readiness.LifecycleJoining:
		return node.Lifecycle.String()
	default:
		return ""
	}
}

// failing reports whether a node has shown for too long that the current revision cannot
// start there. A pod that crashes is not Ready in between: only one that works, or another
// revision, ends it.
func (c *waitCommand) failing(t *target, node *collector.ExpectedNode, now time.Time) bool {
	since, known := t.failing[node.Node]
	switch node.Reason { //nolint:exhaustive // all others say nothing about the revision
	case coverage.ReasonNone:
		delete(t.failing, node.Node)
		return false
	case coverage.ReasonImagePull, coverage.ReasonContainerConfig, coverage.ReasonCrashLoop:
		if node.Outdated {
			delete(t.failing, node.Node)
			return false
		}
		if !known {
			since = node.Since
			t.failing[node.Node] = since
		}
		return now.Sub(since) >= c.failAfter
	default:
		return false
	}
}

// progress returns how far all are, in one line.
func (r *waitResult) progress() string {
	texts := make([]string, 0, len(r.DaemonSets))
	for i := range r.DaemonSets {
		s := &r.DaemonSets[i]
		text := fmt.Sprintf("%s/%s: %d of %d nodes", s.Namespace, s.DaemonSet, s.Done, s.Ready)
		if len(s.SetAside) > 0 {
			text += fmt.Sprintf(", %d set aside", len(s.SetAside))
		}
		if s.Message != "" {
			text += ", " + s.Message
		} else if len(s.Waiting) > 0 {
			text += fmt.Sprintf(", waiting for %s (%s)", s.Waiting[0].Node, s.Waiting[0].Reason)
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, "; ")
}

// waitResult prints what came of it: also which nodes were set aside.
func (p *printer) waitResult(r *waitResult) {
	colours := map[string]colour{outcomeDone: green, outcomeTimeout: red, outcomeFailed: red, outcomeDeleted: red}
	for i := range r.DaemonSets {
		s := &r.DaemonSets[i]
		outcome := s.Outcome
		if outcome == outcomeWaiting {
			outcome = r.Outcome
		}
		p.line("%s/%s: %s, %d of %d nodes", s.Namespace, s.DaemonSet, p.in(colours[outcome], outcome), s.Done, s.Ready)
		if s.Message != "" {
			p.line("  %s", s.Message)
		}
		for _, node := range s.Waiting {
			p.line("  waiting for %s: %s", node.Node, node.Reason)
		}
		for _, node := range s.SetAside {
			p.line("  set aside %s: %s", node.Node, node.Reason)
		}
	}
}
