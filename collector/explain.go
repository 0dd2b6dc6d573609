package collector

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
	"github.com/daemonset-exporter/daemonset_exporter/collector/state"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// Verdict is how a node and a DaemonSet stand to each other.
type Verdict string

// The verdicts.
const (
	// VerdictCovered: a working pod is expected, and there.
	VerdictCovered Verdict = "covered"
	// VerdictGap: a working pod is expected, and not there.
	VerdictGap Verdict = "gap"
	// VerdictExcluded: none is expected.
	VerdictExcluded Verdict = "excluded"
	// VerdictMisplaced: none is expected, yet a pod is there.
	VerdictMisplaced Verdict = "misplaced"
	// VerdictDeleted: the DaemonSet is being deleted and promises nothing any more.
	VerdictDeleted Verdict = "deleted"
)

// Explanation is why a DaemonSet has a working pod on a node, or why it has none.
type Explanation struct {
	Namespace string  `json:"namespace"`
	DaemonSet string  `json:"daemonset"`
	Node      string  `json:"node"`
	Zone      string  `json:"zone,omitempty"`
	Verdict   Verdict `json:"verdict"`
	// Reason is the label reason: of the gap, or of the exclusion.
	Reason string `json:"reason,omitempty"`
	// Cause is the label cause of a gap.
	Cause string `json:"cause,omitempty"`
	// Since is when the present state began, GapStart when the gap opened.
	Since    *time.Time `json:"since,omitempty"`
	GapStart *time.Time `json:"gapStart,omitempty"`
	// NodeStatus and Lifecycle are the labels of the same names.
	NodeStatus      string     `json:"nodeStatus"`
	NodeStatusSince *time.Time `json:"nodeStatusSince,omitempty"`
	Lifecycle       string     `json:"lifecycle"`
	// Outdated reports whether the pod is not of the current revision.
	Outdated bool `json:"outdated,omitempty"`
	// Placement has the rules in order.
	Placement coverage.Explanation `json:"placement"`
	Pods      []PodExplanation     `json:"pods,omitempty"`
	// Events are what the DaemonSet controller last said of pods that it could not
	// create; only where there is no pod, and only read live.
	Events []string `json:"events,omitempty"`
	// Advice is what would close the gap.
	Advice []string `json:"advice,omitempty"`
}

// PodExplanation is a pod of the DaemonSet on the node.
type PodExplanation struct {
	Name string `json:"name"`
	// Reason is why the pod is not available; empty if it is.
	Reason      string     `json:"reason,omitempty"`
	Since       *time.Time `json:"since,omitempty"`
	Bound       bool       `json:"bound"`
	Terminating bool       `json:"terminating,omitempty"`
	// Scheduler is what the scheduler says of a pod that is not bound; only read live.
	Scheduler  string                 `json:"scheduler,omitempty"`
	Containers []ContainerExplanation `json:"containers,omitempty"`
}

// ContainerExplanation is a container that is not ready. Its words are only read live.
type ContainerExplanation struct {
	Name     string `json:"name"`
	State    string `json:"state"`
	Reason   string `json:"reason,omitempty"`
	Message  string `json:"message,omitempty"`
	ExitCode *int32 `json:"exitCode,omitempty"`
	Restarts int32  `json:"restarts,omitempty"`
	// Last is how the previous run ended.
	Last string `json:"last,omitempty"`
}

// String returns the container's state in words.
func (c *ContainerExplanation) String() string {
	text := c.Name + ": " + c.State
	if c.Reason != "" {
		text += ", " + c.Reason
	}
	if c.ExitCode != nil {
		text += fmt.Sprintf(", exit code %d", *c.ExitCode)
	}
	if c.Restarts > 0 {
		text += fmt.Sprintf(", %d restarts", c.Restarts)
	}
	if c.Message != "" {
		text += ": " + c.Message
	}
	return text
}

// Explain returns why a DaemonSet has a working pod on a node, or why it has none. It
// returns an error if there is no such DaemonSet or node.
func (c *Collector) Explain(namespace, daemonSet, node string) (Explanation, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ds := c.daemonSetNamed(namespace, daemonSet)
	if ds == nil {
		return Explanation{}, fmt.Errorf("there is no DaemonSet %s in namespace %s", daemonSet, namespace)
	}
	cell, ok := c.cluster.CellOn(ds.UID, node)
	if !ok {
		return Explanation{}, fmt.Errorf("there is no node %s", node)
	}
	return c.explain(&cell), nil
}

// ExplainDaemonSet returns the explanation of a DaemonSet on every node, sorted by node.
func (c *Collector) ExplainDaemonSet(namespace, daemonSet string) ([]Explanation, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ds := c.daemonSetNamed(namespace, daemonSet)
	if ds == nil {
		return nil, fmt.Errorf("there is no DaemonSet %s in namespace %s", daemonSet, namespace)
	}
	var all []Explanation
	for cell := range c.cluster.Cells(ds.UID) {
		all = append(all, c.explain(&cell))
	}
	slices.SortFunc(all, func(a, b Explanation) int { return strings.Compare(a.Node, b.Node) })
	return all, nil
}

// ExplainNode returns the explanation of every DaemonSet on a node, sorted by namespace
// and name.
func (c *Collector) ExplainNode(node string) ([]Explanation, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !slices.ContainsFunc(c.cluster.Nodes(), func(n state.NodeReport) bool { return n.State.Object().Name == node }) {
		return nil, fmt.Errorf("there is no node %s", node)
	}
	all := []Explanation{}
	for _, ds := range c.cluster.DaemonSets() {
		if cell, ok := c.cluster.CellOn(ds.UID, node); ok {
			all = append(all, c.explain(&cell))
		}
	}
	return all, nil
}

// NamespacesOf returns the namespaces that have a DaemonSet of this name, sorted.
func (c *Collector) NamespacesOf(daemonSet string) (namespaces []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, ds := range c.cluster.DaemonSets() {
		if ds.Name == daemonSet {
			namespaces = append(namespaces, ds.Namespace.Value())
		}
	}
	return namespaces
}

func (c *Collector) daemonSetNamed(namespace, name string) *slim.DaemonSet {
	for _, ds := range c.cluster.DaemonSets() {
		if ds.Name == name && ds.Namespace.Value() == namespace {
			return ds
		}
	}
	return nil
}

// explain returns the explanation of a cell. The lock must be held.
func (c *Collector) explain(cell *state.Cell) Explanation {
	node := cell.Node.Object()
	e := Explanation{
		Namespace:       cell.DaemonSet.Namespace.Value(),
		DaemonSet:       cell.DaemonSet.Name,
		Node:            node.Name,
		Zone:            node.Labels[zoneLabel().Node],
		Verdict:         verdictOf(cell),
		Since:           timeOrNil(cell.Since),
		GapStart:        timeOrNil(cell.Opened),
		NodeStatus:      cell.Node.Status().String(),
		NodeStatusSince: timeOrNil(cell.Node.Since()),
		Lifecycle:       cell.Node.Lifecycle().String(),
		Outdated:        cell.Outdated,
		Placement:       c.cluster.Explain(cell),
	}
	switch e.Verdict {
	case VerdictGap:
		e.Reason, e.Cause = cell.Reason.String(), cell.Reason.Cause().String()
		e.Advice = adviceOn(cell)
	case VerdictExcluded, VerdictMisplaced:
		e.Reason = e.Placement.Exclusion
	case VerdictCovered, VerdictDeleted:
	}
	if cell.Expected && cell.Reason != coverage.ReasonNodeTainted {
		e.Placement.Plans = nil // to tolerate the taint of a dead node mends nothing
	}
	for _, pod := range cell.Pods {
		e.Pods = append(e.Pods, explainPod(pod, cell.DaemonSet.MinReadySeconds, c.config.Clock.Now()))
	}
	return e
}

func verdictOf(cell *state.Cell) Verdict {
	switch {
	case !cell.DaemonSet.DeletionTimestamp.IsZero():
		return VerdictDeleted
	case cell.Gap():
		return VerdictGap
	case cell.Expected:
		return VerdictCovered
	case cell.Misplaced:
		return VerdictMisplaced
	default:
		return VerdictExcluded
	}
}

func timeOrNil(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	at = at.UTC()
	return &at
}

func explainPod(pod *slim.Pod, minReadySeconds int32, now time.Time) PodExplanation {
	e := PodExplanation{Name: pod.Name, Bound: pod.Bound, Terminating: pod.Terminating()}
	reason := coverage.PodReason(pod, minReadySeconds, now)
	if reason != coverage.ReasonNone {
		e.Reason = reason.String()
	}
	e.Since = timeOrNil(reason.PodSince(pod, minReadySeconds).Time())
	for i := range pod.Containers {
		if container := &pod.Containers[i]; !container.Ready && (!container.Init || container.State != slim.ContainerTerminated) {
			e.Containers = append(e.Containers, explainContainer(container))
		}
	}
	return e
}

var containerStates = [...]string{slim.ContainerWaiting: "waiting", slim.ContainerRunning: "running", slim.ContainerTerminated: "terminated"}

func explainContainer(container *slim.Container) ContainerExplanation {
	e := ContainerExplanation{Name: container.Name.Value(), State: containerStates[container.State], Restarts: container.RestartCount}
	if container.State == slim.ContainerTerminated {
		code := container.Termination.ExitCode
		e.ExitCode = &code
	}
	return e
}

// Started reports whether all objects have come in.
func (c *Collector) Started() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cluster.Started()
}
