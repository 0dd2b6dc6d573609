package coverage

import "fmt"

// Left says what the ledger holds that belongs to some object. It is empty for a
// ledger that has lost all of them and let time pass.
func (l *Ledger) Left() (left []string) {
	say := func(what string, count int) {
		if count != 0 {
			left = append(left, fmt.Sprintf("%d %s", count, what))
		}
	}
	say("DaemonSets", len(l.sets))
	say("nodes", len(l.nodes))
	say("nodes in trouble", len(l.troubled))
	say("groups of nodes", len(l.groups))
	say("open gaps", len(l.gaps))
	say("timers", l.queue.Len())
	say("slots that are neither used nor free", len(l.slots)-len(l.free))
	for _, n := range l.slots {
		if n != nil {
			left = append(left, "the slot of "+n.name.Value())
		}
	}
	for _, c := range l.gaps[:cap(l.gaps)] {
		if c != nil {
			left = append(left, "a closed gap of "+c.node.name.Value())
		}
	}
	return left
}

// Slots is how many nodes the ledger has room for.
func (l *Ledger) Slots() int { return len(l.slots) }
