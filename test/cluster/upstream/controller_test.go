package upstream

import (
	"context"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/util/flowcontrol"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/controller/daemon"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/collector/state"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/recorder"
)

// cluster holds nodes, DaemonSets and their pods at objects.Noon.
type cluster struct {
	nodes []*corev1.Node
	sets  []*appsv1.DaemonSet
	pods  []*corev1.Pod
}

// outcome holds what the controller did: the first status of each DaemonSet, and the
// pods that it deleted before.
type outcome struct {
	statuses map[string]appsv1.DaemonSetStatus
	deleted  map[string]bool
}

// run runs a real controller on the cluster, whose writes have no effect.
func (c *cluster) run(t *testing.T) outcome {
	t.Helper()
	ctx, stop := context.WithTimeout(klog.NewContext(t.Context(), quiet()), time.Minute)
	client := fake.NewClientset(c.objects()...)
	var (
		mu   sync.Mutex
		done = outcome{map[string]appsv1.DaemonSetStatus{}, map[string]bool{}}
		all  = make(chan struct{})
	)
	client.PrependReactor("update", "daemonsets", func(action clienttesting.Action) (bool, runtime.Object, error) {
		ds := action.(clienttesting.UpdateAction).GetObject().(*appsv1.DaemonSet)
		mu.Lock()
		defer mu.Unlock()
		if _, again := done.statuses[ds.Name]; !again {
			if done.statuses[ds.Name] = ds.Status; len(done.statuses) == len(c.sets) {
				close(all)
			}
		}
		return true, ds, nil
	})
	client.PrependReactor("create", "pods", func(action clienttesting.Action) (bool, runtime.Object, error) {
		return true, action.(clienttesting.CreateAction).GetObject(), nil
	})
	client.PrependReactor("delete", "pods", func(action clienttesting.Action) (bool, runtime.Object, error) {
		mu.Lock()
		defer mu.Unlock()
		done.deleted[action.(clienttesting.DeleteAction).GetName()] = true
		return true, nil, nil
	})

	factory := informers.NewSharedInformerFactory(client, 0)
	backoff := flowcontrol.NewFakeBackOff(time.Second, time.Minute, clocktesting.NewFakeClock(objects.Noon))
	controller := check.Must(daemon.NewDaemonSetsController(ctx, factory.Apps().V1().DaemonSets(), factory.Apps().V1().ControllerRevisions(),
		factory.Core().V1().Pods(), factory.Core().V1().Nodes(), client, backoff))(t)
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		controller.Run(ctx, 2)
	}()
	select {
	case <-all:
	case <-ctx.Done():
		t.Error("the controller has not written the status of every DaemonSet")
	}
	stop()
	<-ended
	factory.Shutdown()
	return done
}

func (c *cluster) objects() (objects []runtime.Object) {
	for _, node := range c.nodes {
		objects = append(objects, node)
	}
	for _, ds := range c.sets {
		objects = append(objects, ds)
	}
	for _, pod := range c.pods {
		objects = append(objects, pod)
	}
	return objects
}

// state returns the state of the exporter for the same objects, with the statuses that
// the controller wrote.
func (c *cluster) state(statuses map[string]appsv1.DaemonSetStatus) *state.Cluster {
	result := state.New(readiness.Rules{}, recorder.Nothing{})
	for _, node := range c.nodes {
		result.SetNode(slim.FromNode(node), objects.Noon)
	}
	for _, pod := range c.pods {
		result.SetPod(nil, slim.FromPod(pod), objects.Noon)
	}
	for _, ds := range c.sets {
		reported := ds.DeepCopy()
		reported.Status = statuses[ds.Name]
		result.SetDaemonSet(slim.FromDaemonSet(reported), objects.Noon)
	}
	result.Start(objects.Noon)
	return result
}
