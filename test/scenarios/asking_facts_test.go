package scenarios

import (
	"fmt"

	"github.com/daemonset-exporter/daemonset_exporter/test/exporter"
)

// factsOf returns what a scrape says of each scenario, of that which report tells too.
func factsOf(samples exporter.Samples) map[string]facts {
	all := newFactBook()
	for _, s := range samples {
		of, ds := subject(s.Labels), s.Labels["namespace"]+"/"+s.Labels["daemonset"]
		switch s.Name {
		case "daemonset_expected_nodes":
			all.add(of, ds+" expected", s.Value)
		case "daemonset_covered_nodes":
			all.add(of, ds+" covered", s.Value)
		case "daemonset_rollout_outdated_nodes":
			all.add(of, ds+" outdated", s.Value)
		case "daemonset_excluded_nodes":
			all.add(of, ds+" excluded by "+s.Labels["reason"], s.Value)
		case "daemonset_misplaced_nodes":
			all.add(of, ds+" misplaced, "+s.Labels["verdict"], s.Value)
		case "daemonset_gap_start_timestamp_seconds":
			all.add(of, fmt.Sprintf("%s on %s: %s, %s, %s, zone %q", ds, s.Labels["node"], s.Labels["cause"], s.Labels["reason"], s.Labels["lifecycle"], s.Labels["zone"]), 1)
		case "daemonset_node_not_ready_start_timestamp_seconds":
			all.add(of, fmt.Sprintf("node %s is %s, %s", s.Labels["node"], s.Labels["status"], s.Labels["lifecycle"]), 1)
		case "daemonset_node_gaps":
			all.add(of, "node "+s.Labels["node"]+" has gaps", s.Value)
		}
	}
	return all.facts()
}

// factBook sums up numbers of scenarios, and makes facts of those that are not zero.
type factBook map[string]map[string]float64

func newFactBook() factBook { return factBook{} }

func (b factBook) add(subject, what string, value float64) {
	if b[subject] == nil {
		b[subject] = map[string]float64{}
	}
	b[subject][what] += value
}

func (b factBook) facts() map[string]facts {
	all := map[string]facts{}
	for subject, numbers := range b {
		all[subject] = facts{}
		for what, value := range numbers {
			if value != 0 {
				all[subject][fmt.Sprintf("%s: %g", what, value)] = true
			}
		}
	}
	return all
}

// reported is what report prints.
type reported struct {
	DaemonSets []struct {
		Namespace, DaemonSet        string
		Expected, Covered, Outdated float64
		Excluded                    map[string]float64
	}
	Gaps []struct{ Namespace, DaemonSet, Node, Zone, Lifecycle, Cause, Reason string }
	// Misplaced are pods that are not expected.
	Misplaced     []struct{ Namespace, DaemonSet, Node, Verdict string }
	TroubledNodes []struct {
		Node, Status, Lifecycle string
		Gaps                    float64
	}
}

func (r *reported) facts() map[string]facts {
	all := newFactBook()
	for _, d := range r.DaemonSets {
		of, ds := subject(map[string]string{"daemonset": d.DaemonSet}), d.Namespace+"/"+d.DaemonSet
		all.add(of, ds+" expected", d.Expected)
		all.add(of, ds+" covered", d.Covered)
		all.add(of, ds+" outdated", d.Outdated)
		for reason, count := range d.Excluded {
			all.add(of, ds+" excluded by "+reason, count)
		}
	}
	for _, m := range r.Misplaced {
		all.add(subject(map[string]string{"daemonset": m.DaemonSet}), m.Namespace+"/"+m.DaemonSet+" misplaced, "+m.Verdict, 1)
	}
	for _, g := range r.Gaps {
		all.add(subject(map[string]string{"daemonset": g.DaemonSet}), fmt.Sprintf("%s/%s on %s: %s, %s, %s, zone %q", g.Namespace, g.DaemonSet, g.Node, g.Cause, g.Reason, g.Lifecycle, g.Zone), 1)
	}
	for _, n := range r.TroubledNodes {
		of := subject(map[string]string{"node": n.Node})
		if n.Status != "ready" {
			all.add(of, fmt.Sprintf("node %s is %s, %s", n.Node, n.Status, n.Lifecycle), 1)
		}
		all.add(of, "node "+n.Node+" has gaps", n.Gaps)
	}
	return all.facts()
}

// explanations is what explain prints.
type explanations struct {
	Items []struct{ Node, Verdict, Reason string }
}

// facts returns the nodes with a gap, with its reason.
func (e *explanations) facts() facts {
	all := facts{}
	for _, item := range e.Items {
		if item.Verdict == "gap" {
			all[item.Node+" "+item.Reason] = true
		}
	}
	return all
}
