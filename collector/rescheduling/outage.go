package rescheduling

import "time"

// outage remembers whether a node was not Ready, or gone, while a pod was terminating
// on it. Nodes and pods come by two watches. So an outage that ended within a second
// before the request counts, and one that began within a second before the removal does
// not: whichever of the two is told first, the outcome is the same.
type outage struct {
	// down reports whether the node is not Ready now, since is when that began; zero for
	// long ago.
	down  bool
	since time.Time
	// over reports whether an outage is over, began is when the first of them began.
	over  bool
	began time.Time
}

// Presence is whether a Node object is there.
type Presence struct {
	there, before bool
	turned        time.Time
}

// Set takes that the object is there, or is not, from now on.
func (p *Presence) Set(there bool, now time.Time) {
	if !p.unsettled(now) {
		p.before = p.there
		p.turned = now
	}
	p.there = there
}

// Found takes an object that has been there.
func (p *Presence) Found() { p.there, p.turned = true, time.Time{} }

// Gone reports whether a termination finds no node. One that came or went within the
// last second may as well have done so afterwards.
func (p *Presence) Gone(now time.Time) bool {
	if p.unsettled(now) {
		return !p.before
	}
	return !p.there
}

// CameDown reports whether a node that has not been Ready since that time was so when its
// object came: then its outage began before that, with the object that was there earlier.
func (p *Presence) CameDown(since time.Time) bool { return p.there && !since.After(p.turned) }

func (p *Presence) unsettled(now time.Time) bool {
	return !p.turned.IsZero() && now.Before(p.turned.Add(together))
}

// begin takes the node as it is when the request is seen. One that turned Ready after
// the request was not Ready then.
func (o *outage) begin(node TerminationNode, requested time.Time) {
	switch {
	case !node.Ready:
		o.down, o.since = true, node.StatusSince
	case node.StatusSince.After(requested):
		o.over, o.began = true, earlier(node.DownSince, requested)
	case !node.DownSince.IsZero() && node.StatusSince.After(requested.Add(-together)):
		o.over, o.began = true, node.DownSince
	}
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// follow takes the node as it is now.
func (o *outage) follow(node TerminationNode) {
	switch {
	case !node.Ready && !o.down:
		o.down, o.since = true, node.StatusSince
	case node.Ready && o.down:
		if !o.over {
			o.over, o.began = true, o.since
		}
		o.down = false
	}
}

// lost reports whether the node was lost to a pod that was removed at that time.
func (o *outage) lost(removed time.Time) bool {
	end := removed.Add(-together)
	return o.over && o.began.Before(end) || o.down && o.since.Before(end)
}
