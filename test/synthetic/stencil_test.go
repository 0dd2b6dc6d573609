package synthetic

import (
	"bytes"
	"testing"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
)

func TestStencil(t *testing.T) {
	t.Parallel()
	t.Run("equals the pod that is encoded without it", func(t *testing.T) {
		t.Parallel()
		size := Size{Nodes: 400, DaemonSets: 7, BrokenPercent: 50}
		made := podMaker{size: size}
		seen := map[trouble]int{}
		for index := range size.Cells() {
			set, node := index/size.Nodes, size.nodeAt(index%size.Nodes)
			wrong := size.troubleOf(set, node)
			if seen[wrong]++; wrong == missing {
				continue
			}
			got := check.Must(made.at(index))(t)
			encoded := make([]byte, got.Size())
			check.Must(got.MarshalToSizedBuffer(encoded))(t)
			pod := daemonSetPod(set)
			setFacts(pod, factsOf(index, node), wrong)
			want := check.Must(pod.Marshal())(t)
			check.Require(t, bytes.Equal(encoded, want), "pod %d, trouble %d: the stencil differs", index, wrong)
		}
		for wrong := works; wrong < troubles; wrong++ {
			check.That(t, seen[wrong] != 0, "no cell has trouble %d", wrong)
		}
	})
}
