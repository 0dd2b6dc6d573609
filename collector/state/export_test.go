package state

import "fmt"

// Left says what the Cluster holds that belongs to some object. It is empty for a
// Cluster that has lost all of them and let time pass.
func (c *Cluster) Left() (left []string) {
	say := func(what string, count int) {
		if count != 0 {
			left = append(left, fmt.Sprintf("%d %s", count, what))
		}
	}
	say("DaemonSets", len(c.daemonSets))
	say("nodes", len(c.nodes))
	say("DaemonSets that are ending", len(c.ending))
	say("nodes in trouble", len(c.troubled))
	say("groups of nodes", len(c.groups))
	say("selectors of namespaces", len(c.selectors))
	say("open gaps", c.gaps.kept.Len()+c.gaps.spare.Len())
	if next := c.timers.Next(); !next.IsZero() {
		left = append(left, "a timer that is due at "+next.String())
	}
	say("reschedulings", len(c.reschedulings.open))
	say("counts of pending reschedulings", len(c.reschedulings.pending))
	say("terminations", len(c.terminations.open))
	say("counts of terminations", len(c.terminations.counts))
	say("nodes with terminations", len(c.terminations.onNode))
	say("slots that are neither used nor free", len(c.slots)-len(c.free))
	for _, n := range c.slots {
		if n != nil {
			left = append(left, "the slot of "+n.name.Value())
		}
	}
	for _, heap := range [][]*cell{c.gaps.kept.cells, c.gaps.spare.cells} {
		for _, c := range heap[:cap(heap)] {
			if c != nil {
				left = append(left, "a closed gap of "+c.node.name.Value())
			}
		}
	}
	return left
}

// Slots is how many nodes the Cluster has room for.
func (c *Cluster) Slots() int { return len(c.slots) }

// OpenReschedulings is how many reschedulings are kept, waiting for a pod or for their
// node.
func (c *Cluster) OpenReschedulings() int { return len(c.reschedulings.open) }

// EndAtOnce sets how many cells end at once when their DaemonSet is gone.
func (c *Cluster) EndAtOnce(cells int) { c.maxEnded = cells }
