package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/daemonset-exporter/daemonset_exporter/test/cluster"
	"github.com/daemonset-exporter/daemonset_exporter/test/exporter"
)

// outage is what goes wrong on node b, and its end. Both return when the exporter that
// watches sees it.
type outage struct {
	name  string
	set   daemonSet
	begin func(*fixture)
	end   func(*fixture)
}

const (
	missingPod  = "a pod that is missing"
	crashingPod = "a pod that crashes"
)

// guessed is how long before a pod was made an exporter that starts later takes the
// creation of its DaemonSet for the reason. What else it was, no object tells.
const guessed = time.Minute

// unknowable are the metrics in which an exporter that is started inside an outage may
// differ from one that has watched it begin, with the reason.
func unknowable() []struct{ outage, metric, why string } {
	const (
		noStamp = "a missing pod carries no stamp: its gap starts with the exporter"
		twice   = "exposed for pods that the exporter itself saw restart twice"
	)
	return []struct{ outage, metric, why string }{
		{missingPod, "daemonset_gap_start_timestamp_seconds", noStamp},
		{missingPod, "daemonset_gap_duration_seconds_sum", noStamp},
		{missingPod, "daemonset_pod_rescheduling_duration_seconds_sum", noStamp},
		{missingPod, "daemonset_pod_rescheduling_stage_duration_seconds_sum", noStamp},
		{crashingPod, "daemonset_pod_restarts_total", twice},
	}
}

func outages() []outage {
	return []outage{
		{
			name: "a node that is unreachable",
			begin: func(f *fixture) {
				f.loseNode("b")
			},
			end: func(f *fixture) { f.must(f.PlugIn(f.t.Context(), "b")) },
		},
		{
			name: "a machine that is switched off",
			begin: func(f *fixture) {
				f.loseNode("b")
				f.taint("b", noSchedule(shutdown), noSchedule(corev1.TaintNodeUnreachable))
				f.waitTaint("b", shutdown)
			},
			end: func(f *fixture) {
				f.must(f.PlugIn(f.t.Context(), "b"))
				f.must(f.WaitNodeReady(f.t.Context(), "b", corev1.ConditionTrue))
				f.taint("b")
			},
		},
		{
			name: missingPod,
			set:  daemonSet{grace: 1},
			begin: func(f *fixture) {
				f.must(f.Apply(f.t.Context(), []byte("apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: none}\nspec: {hard: {pods: \"0\"}}\n")))
				f.deletePodOn("b")
				f.gap("scheduling", "pod_missing")
			},
			end: func(f *fixture) {
				f.must(f.Client().CoreV1().ResourceQuotas("default").Delete(f.t.Context(), "none", metav1.DeleteOptions{}))
				// The controller's next attempt may be minutes away; a change is one now.
				_, err := f.Client().AppsV1().DaemonSets("default").Patch(f.t.Context(), "agent", "application/merge-patch+json",
					[]byte(`{"metadata":{"annotations":{"example.com/again":"1"}}}`), metav1.PatchOptions{})
				f.must(err)
			},
		},
		{
			name: crashingPod,
			begin: func(f *fixture) {
				f.must(f.SetPodBehaviour(f.t.Context(), "default", f.podOn("agent", "b"), cluster.CrashLoop))
				f.gap("pod", "crash_loop")
			},
			end: func(f *fixture) {
				f.must(f.SetPodBehaviour(f.t.Context(), "default", f.podOn("agent", "b"), cluster.Healthy))
			},
		},
		{
			name: "an image that cannot be pulled",
			set:  daemonSet{grace: 1, annotations: map[string]string{cluster.StartAfterAnnotation: "3"}},
			begin: func(f *fixture) {
				f.deletePodOn("b")
				f.gap("pod", "pod_starting")
				f.must(f.SetPodBehaviour(f.t.Context(), "default", f.podOn("agent", "b"), cluster.ImagePull))
				f.gap("pod", "image_pull")
			},
			end: func(f *fixture) {
				f.must(f.SetPodBehaviour(f.t.Context(), "default", f.podOn("agent", "b"), cluster.Healthy))
			},
		},
		{
			name: "a pod that is stuck on a dead node",
			// Whether what takes about a second is a rescheduling, the two may see differently.
			set: daemonSet{grace: 2, annotations: map[string]string{cluster.StartAfterAnnotation: "3"}},
			begin: func(f *fixture) {
				f.loseNode("b")
				f.deletePodOn("b")
				f.expect("the pod is terminating on a node that is lost",
					`daemonset_pods_terminating{daemonset="agent",state="node_lost"} 1`)
			},
			end: func(f *fixture) {
				f.must(f.PlugIn(f.t.Context(), "b"))
				f.expect("the pod has ended", `daemonset_pods_terminating{daemonset="agent"} 0`)
			},
		},
	}
}

// An exporter that is killed and started inside an outage tells the same as one that has
// watched all along: every gauge at once, and every counter of what both see from then on.
func TestRestart(t *testing.T) {
	t.Parallel()
	for _, tc := range outages() {
		run(t, "inside an outage changes nothing: "+tc.name, workers("a", "b"), func(f *fixture) {
			tc.set.name = "agent"
			f.apply(tc.set)
			f.expect("both nodes are covered", `daemonset_covered_nodes{daemonset="agent"} 2`)
			watching := f.exporter
			// Its history is the cluster's, not the start's: both have seen the pods come.
			killed := f.newExporter()
			f.agree(tc.name, watching, killed, nil)

			f.lasts(time.Now(), guessed)
			tc.begin(f)
			f.lasts(time.Now(), 5*time.Second) // longer than all tolerances
			f.must(killed.Kill())
			started := f.newExporter()
			before := f.agree(tc.name, watching, started, nil)

			tc.end(f)
			f.expect("both nodes are covered again",
				`daemonset_covered_nodes{daemonset="agent",lifecycle="active"} 2`,
				`daemonset_gap_nodes{daemonset="agent"} 0`,
				`daemonset_pod_rescheduling_pending{daemonset="agent"} 0`)
			f.agree(tc.name, watching, started, before)
		})
	}
}

// agree waits until two exporters tell the same, but for what cannot be known of the
// outage, and returns what they told. Their counters are compared from an earlier moment
// on; without one they are left out.
func (f *fixture) agree(outage string, watching, started *exporter.Exporter, earlier *[2]exporter.Samples) *[2]exporter.Samples {
	f.t.Helper()
	ctx, cancel := f.deadline()
	defer cancel()
	var told [2]exporter.Samples
	_, err := watching.Wait(ctx, "two exporters to agree", func(first exporter.Samples) error {
		second, err := started.Scrape(ctx)
		if err != nil {
			return err
		}
		told = [2]exporter.Samples{first, second}
		if earlier == nil {
			first, second = first.Levels(), second.Levels()
		} else {
			first, second = first.Since(earlier[0]), second.Since(earlier[1])
		}
		return unexpected(outage, exporter.Differences(first, second))
	})
	f.must(err)
	return &told
}

// unexpected returns an error with the differences that cannot be explained.
func unexpected(outage string, differences []exporter.Difference) error {
	var lines []string
	for _, difference := range differences {
		if !slices.ContainsFunc(unknowable(), func(row struct{ outage, metric, why string }) bool {
			return row.outage == outage && row.metric == difference.Name
		}) {
			lines = append(lines, difference.String())
		}
	}
	if len(lines) == 0 {
		return nil
	}
	return fmt.Errorf("the exporter that watched, and the one that was started during the outage:\n%s", strings.Join(lines, "\n"))
}

// loseNode pulls the plug of a node, and returns when it is a gap.
func (f *fixture) loseNode(name string) {
	f.t.Helper()
	f.must(f.PullPlug(f.t.Context(), name))
	f.must(f.WaitNodeReady(f.t.Context(), name, corev1.ConditionUnknown))
	f.gap("node", "node_unreachable")
}

func (f *fixture) deletePodOn(node string) {
	f.t.Helper()
	f.must(f.Client().CoreV1().Pods("default").Delete(f.t.Context(), f.podOn("agent", node), metav1.DeleteOptions{}))
}

// gap waits until a node has a gap of this reason.
func (f *fixture) gap(cause, reason string) {
	f.t.Helper()
	f.expect("a gap of "+reason, `daemonset_gap_nodes{daemonset="agent",lifecycle="active",cause="`+cause+`",reason="`+reason+`"} 1`)
}
