package coverage

import "github.com/daemonset-exporter/daemonset_exporter/informers/slim"

// revision is what a pod says of the template that it was made from.
type revision struct {
	hash       slim.Text
	generation int64
}

func revisionOf(pod *slim.Pod) revision {
	return revision{hash: pod.ControllerRevisionHash, generation: pod.TemplateGeneration}
}

// updated is IsPodUpdated of pkg/controller/daemon/util (v1.37): the pod is of
// the current revision, by its hash or by its template generation.
func (s *daemonSet) updated(pod *slim.Pod) bool {
	if generation := s.object.TemplateGeneration; generation > 0 && pod.TemplateGeneration == generation {
		return true
	}
	return s.current != slim.Text{} && pod.ControllerRevisionHash == s.current
}

// currentRevision infers the hash of the present template, which stands in no
// object that we watch. It is that of the pods with the present template
// generation. Before there is one, after a change of the template or a return
// to an earlier one, the controller's count of updated nodes decides: the hash
// that so many pods carry. No Text if no hash fits: all pods are outdated.
func currentRevision(ds *slim.DaemonSet, pods map[revision]int32) slim.Text {
	var current slim.Text
	best := int32(0)
	for rev, count := range pods {
		if ds.TemplateGeneration > 0 && rev.generation == ds.TemplateGeneration && wins(rev.hash, count, current, best) {
			current, best = rev.hash, count
		}
	}
	if best > 0 || ds.Status.UpdatedNumberScheduled == 0 || ds.ObservedGeneration < ds.Generation {
		return current
	}
	counts := map[slim.Text]int32{}
	for rev, count := range pods {
		counts[rev.hash] += count
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
