package cluster

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Condition reports whether it holds and, for the error of a timeout, the current
// state. An error counts as "not yet": tests kill API servers.
type Condition func(ctx context.Context) (holds bool, state string, err error)

// Wait returns when the condition holds. It fails at ctx's deadline, or after
// Config.WaitTimeout if there is none, or when a component has crashed. The error
// contains the last state and the ends of the logs of the components in blame.
func (c *Cluster) Wait(ctx context.Context, what string, condition Condition, blame ...Component) error {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.config.WaitTimeout)
		defer cancel()
	}
	// Unlike a watch, polling needs no recovery from a killed API server.
	poll := time.NewTicker(100 * time.Millisecond)
	defer poll.Stop()
	start, last := time.Now(), "nothing known"
	for {
		holds, state, err := condition(ctx)
		switch {
		case err == nil && holds:
			return nil
		case err == nil:
			last = state
		case ctx.Err() == nil: // else err is the deadline
			last = err.Error()
		}
		if err := c.failed(); err != nil {
			return fmt.Errorf("wait for %s: %w", what, err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w after %s; last: %s%s",
				what, context.Cause(ctx), time.Since(start).Round(100*time.Millisecond), last, c.tails(blame))
		case <-poll.C:
		}
	}
}

// WaitNodeReady waits until the node's Ready condition has this status.
func (c *Cluster) WaitNodeReady(ctx context.Context, name string, status corev1.ConditionStatus) error {
	what := fmt.Sprintf("node %s to be Ready=%s", name, status)
	return c.WaitNode(ctx, name, what, func(node *corev1.Node) (bool, string) {
		for _, condition := range node.Status.Conditions {
			if condition.Type == corev1.NodeReady {
				return condition.Status == status, "Ready=" + string(condition.Status)
			}
		}
		return false, "no Ready condition"
	})
}

// WaitNode waits until the node satisfies holds.
func (c *Cluster) WaitNode(ctx context.Context, name, what string, holds func(*corev1.Node) (bool, string)) error {
	return c.Wait(ctx, what, func(ctx context.Context) (bool, string, error) {
		node, err := c.client.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return false, "", err
		}
		ok, state := holds(node)
		return ok, state, nil
	}, Kwok, ControllerManager)
}

// WaitDaemonSet waits until the controller has observed the newest spec and this
// number of pods is desired, updated and available.
func (c *Cluster) WaitDaemonSet(ctx context.Context, namespace, name string, pods int32) error {
	what := fmt.Sprintf("daemonset %s/%s to have %d available pods", namespace, name, pods)
	return c.WaitDaemonSetStatus(ctx, namespace, name, what, func(s appsv1.DaemonSetStatus) bool {
		return s.DesiredNumberScheduled == pods && s.UpdatedNumberScheduled == pods && s.NumberAvailable == pods
	})
}

// WaitDaemonSetStatus waits until the status of the newest spec satisfies holds.
func (c *Cluster) WaitDaemonSetStatus(ctx context.Context, namespace, name, what string, holds func(appsv1.DaemonSetStatus) bool) error {
	return c.Wait(ctx, what, func(ctx context.Context) (bool, string, error) {
		ds, err := c.client.AppsV1().DaemonSets(namespace).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return false, "", err
		}
		s := ds.Status
		state := fmt.Sprintf("desired %d, current %d, updated %d, ready %d, available %d, misscheduled %d, generation %d seen %d",
			s.DesiredNumberScheduled, s.CurrentNumberScheduled, s.UpdatedNumberScheduled, s.NumberReady,
			s.NumberAvailable, s.NumberMisscheduled, ds.Generation, s.ObservedGeneration)
		return s.ObservedGeneration >= ds.Generation && holds(s), state, nil
	}, ControllerManager, Scheduler, Kwok)
}

// WaitPods waits until the pods that a label selector finds satisfy holds.
func (c *Cluster) WaitPods(ctx context.Context, namespace, selector, what string, holds func([]corev1.Pod) (bool, string)) error {
	return c.Wait(ctx, what, func(ctx context.Context) (bool, string, error) {
		list, err := c.client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
		if err != nil {
			return false, "", err
		}
		ok, state := holds(list.Items)
		return ok, state, nil
	}, Kwok, Scheduler, ControllerManager)
}

// waitServing waits until the API server is ready, which includes Kubernetes' own
// RBAC roles.
func (c *Cluster) waitServing(ctx context.Context) error {
	return c.Wait(ctx, "the API server to serve", func(ctx context.Context) (bool, string, error) {
		answer, err := c.client.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(ctx)
		return err == nil, string(answer), err
	}, Etcd, APIServer)
}

// waitNamespace waits until pods can be created in a namespace: admission requires
// the service account that the controller manager creates.
func (c *Cluster) waitNamespace(ctx context.Context, namespace string) error {
	return c.Wait(ctx, "the service account of namespace "+namespace, func(ctx context.Context) (bool, string, error) {
		_, err := c.client.CoreV1().ServiceAccounts(namespace).Get(ctx, "default", metav1.GetOptions{})
		return err == nil, "", err
	}, ControllerManager)
}
