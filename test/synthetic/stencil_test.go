package synthetic

import (
	"bytes"
	"testing"
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
			got, err := made.at(index)
			if err != nil {
				t.Fatal(err)
			}
			encoded := make([]byte, got.Size())
			if _, err := got.MarshalToSizedBuffer(encoded); err != nil {
				t.Fatal(err)
			}
			pod := daemonSetPod(set)
			setFacts(pod, factsOf(index, node), wrong)
			want, err := pod.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(encoded, want) {
				t.Fatalf("pod %d, trouble %d: the stencil differs", index, wrong)
			}
		}
		for wrong := works; wrong < troubles; wrong++ {
			if seen[wrong] == 0 {
				t.Errorf("no cell has trouble %d", wrong)
			}
		}
	})
}
