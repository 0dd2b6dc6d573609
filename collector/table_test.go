package collector

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

// troubledScenario returns six nodes: well is covered, dead unreachable, broken has a pod
// that crashes, gpu excludes agent by its taint, cordoned is cordoned and covered, and
// stray has a pod of gpu-agent, which only node gpu should have.
func troubledScenario(t *testing.T) *scenario {
	t.Helper()
	s := newScenario(t, "well", "dead", "broken", "gpu", "cordoned", "stray")
	s.daemonSet("gpu-agent", objects.NodeSelector("gpu", "yes"), objects.Tolerating(objects.TolerateAll()), objects.Created(-8000))
	s.node("gpu", objects.Tainted("gpu", "NoSchedule"), objects.Label("gpu", "yes"), objects.Label("karpenter.sh/nodepool", "gpus"))
	s.pod("gpu-gpu", objects.OwnedBy(s.daemonSets["gpu-agent"]), objects.On("gpu"), objects.Created(-7000), objects.Ready(-6990))
	s.pod("stray-gpu", objects.OwnedBy(s.daemonSets["gpu-agent"]), objects.On("stray"), objects.Created(-7000), objects.Ready(-6990))
	s.deletePod("gpu-1")
	s.node("dead", objects.Label("topology.kubernetes.io/zone", "z1"))
	s.node("cordoned", objects.Cordoned())
	s.synced().at(100)
	s.node("dead", objects.Unreachable(100))
	s.pod("broken-1", objects.CrashLooping(100))
	s.at(160)
	return s
}

// shorten returns a table as text: a line for the columns, and one for each row.
func shorten(table *Table) (lines []string) {
	columns := make([]string, 0, len(table.Columns))
	for i := range table.Columns {
		c := &table.Columns[i]
		columns = append(columns, fmt.Sprintf("%s/%s expected %d covered %d gaps %d excluded %d misplaced %d",
			c.Namespace, c.DaemonSet, c.Expected, c.Covered, c.Gaps, c.Excluded, c.Misplaced))
	}
	lines = append(lines, strings.Join(columns, ", "))
	for i := range table.Rows {
		row := &table.Rows[i]
		cells := make([]string, 0, len(row.Cells))
		for _, cell := range row.Cells {
			text := string(cell.Verdict)
			if cell.Reason != "" {
				text += " " + cell.Reason
			}
			if cell.Since != nil {
				text += fmt.Sprint(" since ", objects.Seconds(*cell.Since))
			}
			cells = append(cells, text)
		}
		lines = append(lines, fmt.Sprintf("%s %s %s %s%s: %s", row.Node, row.Status, row.Lifecycle, row.Zone, row.Pool, strings.Join(cells, "; ")))
	}
	return lines
}

func TestTable(t *testing.T) {
	t.Parallel()
	const (
		agent  = "default/agent expected 5 covered 3 gaps 2 excluded 1 misplaced 0"
		ofGPUs = "default/gpu-agent expected 1 covered 1 gaps 0 excluded 5 misplaced 1"

		well     = "well ready active : covered; excluded node_selector"
		dead     = "dead unreachable active z1: gap node_unreachable since 100; excluded node_selector"
		broken   = "broken ready active : gap crash_loop since 100; excluded node_selector"
		gpu      = "gpu ready active gpus: excluded taint; covered"
		cordoned = "cordoned ready cordoned : covered; excluded node_selector"
		stray    = "stray ready active : covered; misplaced node_selector"
	)
	first := func(line string) string { line, _, _ = strings.Cut(line, ";"); return line }
	for _, tc := range []struct {
		name  string
		query TableQuery
		want  []string
	}{
		{"nodes in trouble, those that are not ready first, then those with gaps", TableQuery{}, []string{agent + ", " + ofGPUs, dead, broken, cordoned, stray}},
		{"all", TableQuery{All: true}, []string{agent + ", " + ofGPUs, broken, cordoned, dead, gpu, stray, well}},
		{"of a zone", TableQuery{Zone: "z1"}, []string{agent + ", " + ofGPUs, dead}},
		{"of a pool that is well", TableQuery{Pool: "gpus"}, []string{agent + ", " + ofGPUs}},
		{"of a pool", TableQuery{Pool: "gpus", All: true}, []string{agent + ", " + ofGPUs, gpu}},
		{"of a lifecycle", TableQuery{Lifecycle: "cordoned"}, []string{agent + ", " + ofGPUs, cordoned}},
		{"a node", TableQuery{Node: "well", All: true}, []string{agent + ", " + ofGPUs, well}},
		{"a DaemonSet", TableQuery{Namespace: "default", DaemonSet: "agent"}, []string{agent, first(dead), first(broken), first(cordoned)}},
		{"another namespace", TableQuery{Namespace: "other", Node: "dead"}, []string{"", "dead unreachable active z1: "}},
		{"by the reason of a gap", TableQuery{Reason: "crash_loop"}, []string{agent, first(broken)}},
		{"by the reason of an exclusion, which healthy nodes have too", TableQuery{Reason: "taint"}, []string{agent, first(gpu)}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			tc.query.PageSize = 10
			table, ok := troubledScenario(t).collector.Table(tc.query)
			if !ok {
				t.Fatal("it has not started")
			}
			if diff := cmp.Diff(tc.want, shorten(&table)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	t.Run("in pages", func(t *testing.T) {
		t.Parallel()
		s := troubledScenario(t)
		for page, want := range map[int][]string{1: {"dead", "broken", "cordoned"}, 2: {"stray"}, 99: {"stray"}} {
			table, _ := s.collector.Table(TableQuery{Page: page, PageSize: 3})
			var nodes []string
			for i := range table.Rows {
				nodes = append(nodes, table.Rows[i].Node)
			}
			if diff := cmp.Diff(want, nodes); diff != "" || table.Page != min(page, 2) || table.Pages != 2 || table.Matching != 4 {
				t.Errorf("page %d of %d, %d rows: %s", table.Page, table.Pages, table.Matching, diff)
			}
		}
	})
	t.Run("with what to filter by", func(t *testing.T) {
		t.Parallel()
		table, _ := troubledScenario(t).collector.Table(TableQuery{PageSize: 1})
		want := []Facet{
			{FacetNamespace, []FacetValue{{"default", 2}}},
			{FacetReason, []FacetValue{{"node_selector", 5}, {"crash_loop", 1}, {"node_unreachable", 1}, {"taint", 1}}},
			{FacetLifecycle, []FacetValue{{"active", 3}, {"cordoned", 1}}},
			{FacetZone, []FacetValue{{"z1", 1}}},
			{FacetPool, []FacetValue{}},
		}
		if diff := cmp.Diff(want, table.Facets); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
	t.Run("not before all objects have come in", func(t *testing.T) {
		t.Parallel()
		if _, ok := newScenario(t, "a").collector.Table(TableQuery{}); ok {
			t.Error("there is a table")
		}
	})
	t.Run("agrees with what is explained", func(t *testing.T) {
		t.Parallel()
		s := troubledScenario(t)
		table, _ := s.collector.Table(TableQuery{All: true, PageSize: 10})
		for i := range table.Rows {
			for j, cell := range table.Rows[i].Cells {
				e, err := s.collector.Explain(table.Columns[j].Namespace, table.Columns[j].DaemonSet, table.Rows[i].Node)
				if err != nil || e.Verdict != cell.Verdict || e.Reason != cell.Reason {
					t.Errorf("%s on %s: %s %s, explained as %s %s, %v", table.Columns[j].DaemonSet, table.Rows[i].Node, cell.Verdict, cell.Reason, e.Verdict, e.Reason, err)
				}
			}
		}
	})
}

func TestPoolOf(t *testing.T) {
	t.Parallel()
	if pool := PoolOf(map[string]string{"pool": "x", "eks.amazonaws.com/nodegroup": "workers"}); pool != "workers" {
		t.Errorf("the pool is %q", pool)
	}
	users := []NodeLabel{{Node: "eks.amazonaws.com/nodegroup", Metric: "group"}, {Node: "pool", Metric: "pool"}}
	if pool := PoolOf(map[string]string{"pool": "x", "eks.amazonaws.com/nodegroup": "workers"}, users...); pool != "x" {
		t.Errorf("the pool by --node.label is %q", pool)
	}
	if labels := slices.Compact(slices.Sorted(slices.Values(poolLabels[:]))); len(labels) != len(poolLabels) {
		t.Error("a label is there twice")
	}
}
