package cli_test

import (
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/daemonset-exporter/daemonset_exporter/internal/cli"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/apiserver"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/async"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

// revision is a ControllerRevision of the DaemonSet agent.
func revision(hash string, number int64) *appsv1.ControllerRevision {
	return revisionOf("agent", hash, number)
}

func revisionOf(daemonSet, hash string, number int64) *appsv1.ControllerRevision {
	ds := objects.DaemonSet(daemonSet)
	return &appsv1.ControllerRevision{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "default", Name: daemonSet + "-" + hash, Labels: map[string]string{appsv1.ControllerRevisionHashLabelKey: hash},
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(ds, appsv1.SchemeGroupVersion.WithKind("DaemonSet"))},
		},
		Revision: number,
	}
}

func TestWait(t *testing.T) {
	t.Parallel()
	ds, first := objects.DaemonSet("agent"), revision("first", 1)
	covered, pod := objects.Node("covered"), objects.PodOf("agent", "covered")
	for _, tc := range []struct {
		name    string
		objects []apiserver.Object
		args    []string
		code    int
		want    string
		// last is the last line of progress before the time is over.
		last string
	}{
		{"all nodes are covered", []apiserver.Object{ds, first, covered, pod}, nil, cli.ExitNothing, "default/agent: done, 1 of 1 nodes\n", ""},
		{
			"nodes that are down, leaving or new are named and set aside",
			[]apiserver.Object{
				ds, first, covered, pod, objects.Node("dead", objects.Unreachable(0)),
				objects.Node("going", objects.Tainted("karpenter.sh/disrupted", "PreferNoSchedule")), objects.Node("new", objects.Created(0)),
			},
			nil, cli.ExitNothing,
			"default/agent: done, 1 of 1 nodes\n  set aside dead: unreachable\n  set aside going: leaving\n  set aside new: joining\n", "",
		},
		{
			"a DaemonSet that is expected nowhere is no success",
			[]apiserver.Object{objects.DaemonSet("agent", objects.NodeSelector("no", "node")), first, covered},
			nil, cli.ExitFinding,
			"default/agent: timeout, 0 of 0 nodes\n  it is expected on 0 nodes that count, and 1 are asked for (--min-nodes)\n", "asked for (--min-nodes)",
		},
		{
			"a node without a pod",
			[]apiserver.Object{ds, first, covered, pod, objects.Node("empty")},
			nil, cli.ExitFinding,
			"default/agent: timeout, 1 of 2 nodes\n  waiting for empty: pod_missing\n", "waiting for empty (pod_missing)",
		},
		{
			"a pod of an earlier revision",
			[]apiserver.Object{ds, first, revision("second", 2), covered, pod},
			nil, cli.ExitFinding,
			"default/agent: timeout, 0 of 1 nodes\n  waiting for covered: outdated\n", "waiting for covered (outdated)",
		},
		{
			"a pod of an earlier revision will do where any does",
			[]apiserver.Object{ds, first, revision("second", 2), covered, pod},
			[]string{"--for=covered"},
			cli.ExitNothing,
			"default/agent: done, 1 of 1 nodes\n", "",
		},
		{
			"a new revision that cannot start fails at once",
			[]apiserver.Object{ds, first, covered, objects.PodOf("agent", "covered", objects.Waiting("ImagePullBackOff", -120))},
			[]string{"--timeout=1h"},
			cli.ExitFinding,
			"default/agent: failed, 0 of 1 nodes\n  node covered shows image_pull on the current revision for 2m0s\n  waiting for covered: image_pull\n", "",
		},
		{
			"it is given so much time",
			[]apiserver.Object{ds, first, covered, objects.PodOf("agent", "covered", objects.Waiting("ImagePullBackOff", -120))},
			[]string{"--fail-after=10h"},
			cli.ExitFinding,
			"default/agent: timeout, 0 of 1 nodes\n  waiting for covered: image_pull\n", "waiting for covered (image_pull)",
		},
		{
			"an earlier revision that cannot start does not fail the new one",
			[]apiserver.Object{ds, first, revision("second", 2), covered, objects.PodOf("agent", "covered", objects.CrashLooping(-3600))},
			nil, cli.ExitFinding,
			"default/agent: timeout, 0 of 1 nodes\n  waiting for covered: crash_loop\n", "waiting for covered (crash_loop)",
		},
		{
			"a DaemonSet that is being deleted",
			[]apiserver.Object{objects.DaemonSet("agent", objects.Deleted(0)), first, covered, pod},
			[]string{"--timeout=1h"},
			cli.ExitFinding,
			"default/agent: deleted, 0 of 0 nodes\n  it is being deleted, or gone\n", "",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			server := apiserver.New(t)
			server.Put(tc.objects...)
			args := append([]string{"wait", "agent", "--kubeconfig=" + kubeconfig(t, server)}, tc.args...)
			now := &stepClock{}
			stderr := &async.Buffer{}
			answers := make(chan answer, 1)
			go func() { answers <- askAt(t, now, stderr, "", args...) }()
			if strings.Contains(tc.want, ": timeout,") {
				async.Eventually(t, "the last thing that it waits for", func() bool {
					lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
					return strings.HasSuffix(lines[len(lines)-1], tc.last)
				})
				now.add(2 * time.Hour)
			}
			got := <-answers
			check.Equal(t, got.stdout, tc.want, got.stderr)
			check.Equal(t, got.code, tc.code)
		})
	}
	t.Run("a DaemonSet that does not exist is the caller's mistake", func(t *testing.T) {
		t.Parallel()
		got := ask(t, apiserver.New(t), "wait", "other")
		check.That(t, got.code == cli.ExitUsage && strings.Contains(got.stderr, "there is no DaemonSet other in namespace default"), "exit code %d, %q", got.code, got.stderr)
	})
}
