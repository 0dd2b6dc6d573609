package rollout

import "github.com/daemonset-exporter/daemonset_exporter/informers/slim"

// Revision is what an object says of a pod template: a DaemonSet of its current
// one, a pod of the one it was made from.
type Revision struct {
	// Hash is the label controller-revision-hash. No DaemonSet carries it: it is read
	// from the ControllerRevisions of the DaemonSet or inferred.
	Hash slim.Text
	// TemplateGeneration is 0 where the API server does not tell.
	TemplateGeneration int64
	// Known reports whether the hash of a DaemonSet was read. It is false for pods.
	Known bool
}

// OfPod returns the revision that a pod was made from.
func OfPod(pod *slim.Pod) Revision {
	return Revision{Hash: pod.ControllerRevisionHash, TemplateGeneration: pod.TemplateGeneration}
}

// There are two notions of a pod of the current revision. They differ for pods that
// the DaemonSet adopted: a DaemonSet that was deleted without its pods and made anew
// with another template counts template generations from 1 again, and so do the old
// pods.
//
// Includes is ours: the pod was made from the DaemonSet's present template.
// CountsAsUpdated is the controller's, which decides what .status says and what a rolling update
// replaces.

// Includes reports whether a pod was made from the revision. Where the hash is known
// it decides; else a pod that the controller counts as updated is taken for one.
func (r Revision) Includes(pod *slim.Pod) bool {
	if r.Known && pod.ControllerRevisionHash.Value() != "" {
		return pod.ControllerRevisionHash == r.Hash
	}
	return r.CountsAsUpdated(pod)
}

// CountsAsUpdated reports whether the controller counts a pod as updated: by its hash
// or by its template generation (IsPodUpdated of pkg/controller/daemon/util, v1.37).
func (r Revision) CountsAsUpdated(pod *slim.Pod) bool {
	if r.TemplateGeneration > 0 && pod.TemplateGeneration == r.TemplateGeneration {
		return true
	}
	return r.Hash != slim.Text{} && pod.ControllerRevisionHash == r.Hash
}

// Current returns the revision of the DaemonSet's present template. known is its hash
// as its ControllerRevisions say; the zero Text where they could not be read. Then the
// hash is inferred, given how many pods there are of each revision: it is that of the
// pods with the present template generation. Before there is one, after a change of
// the template or a return to an earlier one, the controller's count of updated nodes
// decides: the hash that so many pods carry. That is wrong where a dead node keeps the
// controller from counting its pods and other revisions are as frequent. There is none
// if no hash fits: then all pods are outdated.
func Current(ds *slim.DaemonSet, known slim.Text, pods map[Revision]int32) Revision {
	if known != (slim.Text{}) {
		return Revision{Hash: known, TemplateGeneration: ds.TemplateGeneration, Known: true}
	}
	return Revision{Hash: inferredHash(ds, pods), TemplateGeneration: ds.TemplateGeneration}
}

func inferredHash(ds *slim.DaemonSet, pods map[Revision]int32) slim.Text {
	var current slim.Text
	best := int32(0)
	for rev, count := range pods {
		if ds.TemplateGeneration > 0 && rev.TemplateGeneration == ds.TemplateGeneration && wins(rev.Hash, count, current, best) {
			current, best = rev.Hash, count
		}
	}
	if best > 0 || ds.Status.UpdatedNumberScheduled == 0 || ds.ObservedGeneration < ds.Generation {
		return current
	}
	counts := map[slim.Text]int32{}
	for rev, count := range pods {
		counts[rev.Hash] += count
	}
	for hash, count := range counts {
		if distance := abs(count - ds.Status.UpdatedNumberScheduled); best == 0 || distance < best-1 ||
			distance == best-1 && hash.Value() < current.Value() {
			current, best = hash, distance+1
		}
	}
	return current
}

// wins makes the choice between two hashes independent of their order.
func wins(hash slim.Text, count int32, current slim.Text, best int32) bool {
	return best == 0 || count > best || count == best && hash.Value() < current.Value()
}

func abs(n int32) int32 { return max(n, -n) }
