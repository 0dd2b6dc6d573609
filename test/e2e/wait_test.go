package e2e

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/test/cluster"
)

var waits = flag.Int("waits", 1, "how often TestWait takes a node away; from 2 on, a bad image has its default time before wait fails")

// waited is the output of wait, of one DaemonSet.
type waited struct {
	Outcome    string
	DaemonSets []struct {
		Expected, Ready, Done int
		Waiting, SetAside     []struct{ Node, Reason string }
		Message               string
	}
}

func (w *waited) text() string {
	if len(w.DaemonSets) != 1 {
		return fmt.Sprintf("%s, %d DaemonSets", w.Outcome, len(w.DaemonSets))
	}
	d := w.DaemonSets[0]
	return fmt.Sprintf("%s, %d of %d nodes, waiting for %v, set aside %v", w.Outcome, d.Done, d.Ready, d.Waiting, d.SetAside)
}

// wait waits for a DaemonSet, and fails unless the exit code is this one.
func (f *fixture) wait(code int, args ...string) *waited {
	f.t.Helper()
	got := f.ask("", append([]string{"wait", "-o", "json"}, args...)...)
	check.Equal(f.t, got.Code, code, got.Stdout, got.Stderr)
	result := &waited{}
	check.NoError(f.t, json.Unmarshal([]byte(got.Stdout), result))
	return result
}

// rolledOut returns what kubectl says within ten seconds of a rollout.
func (f *fixture) rolledOut(name string) error {
	command := exec.CommandContext(f.t.Context(), f.Program("kubectl"), "rollout", "status", "daemonset/"+name, "--timeout=10s")
	command.Env = append(os.Environ(), "KUBECONFIG="+f.Kubeconfig())
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

func TestWait(t *testing.T) {
	t.Parallel()
	f := newUnwatched(t, workers("a", "b", "c", "d"))
	// The nodes have just been made. None of them is joining for that.
	const old = "--node.join-grace=0s"
	agent := daemonSet{name: "agent", tolerations: "[{operator: Exists}]", strategy: "{type: RollingUpdate, rollingUpdate: {maxUnavailable: 2}}"}
	plain := daemonSet{name: "plain"}

	f.run("it is done when all nodes have their pod", func() {
		f.apply(agent)
		f.apply(plain)
		check.Equal(f.t, f.wait(0, "agent", old, "--timeout=90s").text(), "done, 4 of 4 nodes, waiting for [], set aside []")
	})
	f.run("a selector that matches nothing is no success", func() {
		f.apply(daemonSet{name: "nowhere", nodeSelector: map[string]string{"node-type": "none"}})
		check.Equal(f.t, f.wait(1, "nowhere", old, "--timeout=2s").text(), "timeout, 0 of 0 nodes, waiting for [], set aside []")
	})
	f.run("an image that cannot be pulled fails it long before its timeout", func() {
		f.apply(daemonSet{name: "broken", behaviour: cluster.ImagePull, nodeSelector: map[string]string{"kubernetes.io/hostname": "a"}})
		args, atMost := []string{"broken", old, "--timeout=10m"}, 3*time.Minute
		if *waits == 1 {
			args, atMost = append(args, "--fail-after=3s"), time.Minute
		}
		began := time.Now()
		check.Equal(f.t, f.wait(1, args...).text(), "failed, 0 of 1 nodes, waiting for [{a image_pull}], set aside []")
		check.That(f.t, time.Since(began) < atMost, "that took %s", time.Since(began))
	})
	for range *waits {
		f.run("a dead node holds up kubectl, and is set aside", func() {
			f.must(f.PullPlug(f.t.Context(), "d"))
			f.must(f.WaitNodeReady(f.t.Context(), "d", corev1.ConditionUnknown))
			agent.image = fmt.Sprintf("example.com/agent:%d", time.Now().UnixNano())
			f.apply(agent)
			var kubectl error
			var group sync.WaitGroup
			group.Go(func() { kubectl = f.rolledOut("agent") })
			const want = "done, 3 of 3 nodes, waiting for [], set aside [{d unreachable}]"
			check.Equal(f.t, f.wait(0, "agent", old, "--timeout=90s").text(), want)
			// .status of this one counts the node or not, by which of the controller's
			// informers was first.
			check.Equal(f.t, f.wait(0, "plain", old, "--timeout=90s").text(), want)
			group.Wait()
			check.That(f.t, kubectl != nil, "kubectl says that the rollout is done")
			f.t.Logf("kubectl rollout status: %v", kubectl)
			f.t.Logf("kubectl rollout status of the one without tolerations: %v", f.rolledOut("plain"))
			f.must(f.PlugIn(f.t.Context(), "d"))
			check.Equal(f.t, f.wait(0, "agent", "plain", old, "--min-nodes=4", "--timeout=90s").Outcome, "done")
		})
	}
	f.run("nodes that are added meanwhile do not hold it up", func() {
		agent.image = "example.com/agent:more"
		agent.strategy = "{type: RollingUpdate, rollingUpdate: {maxUnavailable: 1}}"
		f.apply(agent)
		done, first, added := make(chan struct{}), make(chan struct{}), make(chan int, 1)
		go func() { added <- f.addNodesUntil(done, first, 2*time.Second) }()
		<-first
		// Those of before are older than this.
		got := f.wait(0, "agent", "--node.join-grace=25s", "--timeout=90s")
		close(done)
		count := <-added
		check.Equal(f.t, got.Outcome, "done", got.text())
		f.t.Logf("%d nodes were added: %s", count, got.text())
	})
}

// addNodesUntil adds a node every so often, each of which is Ready after a while, and
// returns how many. It closes first when the first is there.
func (f *fixture) addNodesUntil(done <-chan struct{}, first chan<- struct{}, every time.Duration) int {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for added := 0; ; {
		err := f.AddNode(f.t.Context(), cluster.NodeSpec{Name: fmt.Sprintf("new-%d", added), ReadyAfterSeconds: 1})
		if added++; added == 1 {
			close(first)
		}
		if err != nil {
			f.t.Error(err)
			return added
		}
		select {
		case <-done:
			return added
		case <-ticker.C:
		}
	}
}
