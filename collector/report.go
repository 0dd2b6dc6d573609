package collector

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/collector/state"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// Report is the state of all DaemonSets and nodes at one moment.
type Report struct {
	Time       time.Time         `json:"time"`
	DaemonSets []DaemonSetReport `json:"daemonsets"`
	// Gaps are all open gaps, by namespace, DaemonSet and node.
	Gaps []GapReport `json:"gaps"`
	// Misplaced are the pods that are where none is expected.
	Misplaced []MisplacedReport `json:"misplaced"`
	// Nodes is how many nodes there are, TroubledNodes are those that are not Ready, have
	// gaps, or are cordoned or leaving.
	Nodes         int          `json:"nodes"`
	TroubledNodes []NodeReport `json:"troubledNodes"`
}

// DaemonSetReport counts the nodes of one DaemonSet.
type DaemonSetReport struct {
	Namespace string `json:"namespace"`
	DaemonSet string `json:"daemonset"`
	Expected  int    `json:"expected"`
	Covered   int    `json:"covered"`
	Gaps      int    `json:"gaps"`
	// Excluded is by the label reason.
	Excluded  map[string]int `json:"excluded"`
	Misplaced int            `json:"misplaced"`
	// Outdated is how many expected nodes have a pod that is not of the current revision.
	Outdated int `json:"outdated"`
	// RevisionInferred reports whether the current revision is inferred from the pods.
	RevisionInferred bool `json:"revisionInferred,omitempty"`
}

// GapReport is an open gap.
type GapReport struct {
	Namespace string    `json:"namespace"`
	DaemonSet string    `json:"daemonset"`
	Node      string    `json:"node"`
	Zone      string    `json:"zone,omitempty"`
	Lifecycle string    `json:"lifecycle"`
	Cause     string    `json:"cause"`
	Reason    string    `json:"reason"`
	Start     time.Time `json:"start"`
}

// MisplacedReport is a pod where none is expected.
type MisplacedReport struct {
	Namespace string `json:"namespace"`
	DaemonSet string `json:"daemonset"`
	Node      string `json:"node"`
	Lifecycle string `json:"lifecycle"`
	// Verdict is the controller's: keep or stop.
	Verdict string `json:"verdict"`
	// Reason is why the node is excluded.
	Reason string `json:"reason"`
}

// NodeReport is a node in trouble.
type NodeReport struct {
	Node      string `json:"node"`
	Zone      string `json:"zone,omitempty"`
	Status    string `json:"status"`
	Lifecycle string `json:"lifecycle"`
	// Since is when the node turned Ready, or ceased to be.
	Since time.Time `json:"since"`
	// LifecycleSince is since when it has been cordoned or leaving.
	LifecycleSince *time.Time `json:"lifecycleSince,omitempty"`
	Gaps           int        `json:"gaps"`
}

// Report returns the state of all DaemonSets and nodes.
func (c *Collector) Report() Report {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.config.Clock.Now()
	c.cluster.Advance(now)
	c.cluster.Settle(now)
	report := Report{Time: now.UTC(), DaemonSets: []DaemonSetReport{}, Gaps: []GapReport{}, Misplaced: []MisplacedReport{}, TroubledNodes: []NodeReport{}}
	nodes := c.cluster.Nodes()
	report.Nodes = len(nodes)
	for _, node := range nodes {
		if troubled(node) {
			report.TroubledNodes = append(report.TroubledNodes, nodeReportOf(node))
		}
	}
	inferred := map[slim.UID]bool{}
	for summary := range c.cluster.Summaries() {
		inferred[summary.DaemonSet.UID] = summary.RevisionInferred
	}
	for _, ds := range c.cluster.DaemonSets() {
		counts := DaemonSetReport{Namespace: ds.Namespace.Value(), DaemonSet: ds.Name, Excluded: map[string]int{}, RevisionInferred: inferred[ds.UID]}
		for cell := range c.cluster.Cells(ds.UID) {
			report.add(&counts, &cell)
		}
		report.DaemonSets = append(report.DaemonSets, counts)
	}
	slices.SortFunc(report.Gaps, func(a, b GapReport) int {
		return cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.DaemonSet, b.DaemonSet), strings.Compare(a.Node, b.Node))
	})
	slices.SortFunc(report.Misplaced, func(a, b MisplacedReport) int {
		return cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.DaemonSet, b.DaemonSet), strings.Compare(a.Node, b.Node))
	})
	return report
}

// add counts one cell.
func (r *Report) add(counts *DaemonSetReport, cell *state.Cell) {
	node := cell.Node.Object()
	switch verdictOf(cell) {
	case VerdictCovered:
		counts.Expected++
		counts.Covered++
	case VerdictGap:
		counts.Expected++
		counts.Gaps++
		r.Gaps = append(r.Gaps, GapReport{
			Namespace: counts.Namespace, DaemonSet: counts.DaemonSet, Node: node.Name, Zone: node.Labels[zoneLabel().Node],
			Lifecycle: cell.Node.Lifecycle().String(), Cause: cell.Reason.Cause().String(), Reason: cell.Reason.String(),
			Start: cell.Opened.UTC(),
		})
	case VerdictMisplaced:
		counts.Misplaced++
		r.Misplaced = append(r.Misplaced, MisplacedReport{
			Namespace: counts.Namespace, DaemonSet: counts.DaemonSet, Node: node.Name, Lifecycle: cell.Node.Lifecycle().String(),
			Verdict: cell.Decision.Upstream.String(), Reason: cell.Decision.Exclusion.String(),
		})
	case VerdictExcluded, VerdictDeleted:
	}
	if cell.Decision.Exclusion != coverage.NotExcluded {
		counts.Excluded[cell.Decision.Exclusion.String()]++
	}
	if cell.Outdated {
		counts.Outdated++
	}
}

func troubled(node state.NodeReport) bool {
	return node.State.Status() != readiness.StatusReady || node.Gaps > 0 || node.State.Lifecycle().Dated()
}

func nodeReportOf(node state.NodeReport) NodeReport {
	report := NodeReport{
		Node: node.State.Object().Name, Zone: node.State.Object().Labels[zoneLabel().Node],
		Status: node.State.Status().String(), Lifecycle: node.State.Lifecycle().String(),
		Since: node.State.Since().UTC(), Gaps: node.Gaps,
	}
	if node.State.Lifecycle().Dated() {
		report.LifecycleSince = timeOrNil(node.State.LifecycleSince())
	}
	return report
}

// SetRevisions takes the newest ControllerRevisions of DaemonSets, by the DaemonSet's
// UID, where they are not read from an API server.
func (c *Collector) SetRevisions(newest map[slim.UID]slim.ControllerRevision) {
	c.handle(func(now time.Time) {
		for _, ds := range c.cluster.DaemonSets() {
			if revision, ok := newest[ds.UID]; ok {
				c.cluster.SetRevision(revision, ds.Generation, now)
			}
		}
	})
}
