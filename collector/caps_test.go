package collector

import (
	"fmt"
	"strings"
	"testing"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

// Keys of taints can be unique to a node: 120 nodes with one each make 120 series, of
// which a cap of 100 leaves out 20.
func TestSeriesCap(t *testing.T) {
	t.Parallel()
	for family, key := range map[string]string{
		"daemonset_repelled_nodes": "example.com/node-%d",
		"daemonset_withheld_nodes": "readiness.k8s.io/node-%d",
	} {
		t.Run(family, func(t *testing.T) {
			t.Parallel()
			s := newScenario(t).synced()
			for node := range 120 {
				s.node(fmt.Sprint("n", node), objects.Tainted(fmt.Sprintf(key, node), "NoSchedule"))
			}
			series := 0
			for name := range s.scrape() {
				if strings.HasPrefix(name, family) {
					series++
				}
			}
			check.That(t, series == 100, "%d series, want 100", series)
			s.expect("20 are dropped", fmt.Sprintf("daemonset_exporter_series_dropped{family=%q}", family),
				exposition(`daemonset_exporter_series_dropped{family=%q} 20`, family))
		})
	}
}
