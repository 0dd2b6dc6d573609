package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/daemonset-exporter/daemonset_exporter/collector"
)

// addDetails adds to an explanation what the informers do not keep: the words of
// containers, scheduler and controller.
func (l *live) addDetails(ctx context.Context, e *collector.Explanation) error {
	for i := range e.Pods {
		pod, err := l.objects.Pod(ctx, e.Namespace, e.Pods[i].Name)
		switch {
		case notFound(err):
			continue // it has gone since
		case err != nil:
			return err
		}
		addWords(&e.Pods[i], pod)
		if e.Reason == "insufficient_resources" {
			advice, err := l.freeing(ctx, e.Node, pod)
			if err != nil {
				return err
			}
			e.Advice = slices.Concat(advice, e.Advice)
		}
	}
	if len(e.Pods) == 0 && e.Verdict == collector.VerdictGap {
		event, err := l.lastFailedCreate(ctx, e.Namespace, e.DaemonSet)
		if err != nil {
			return err
		}
		if event != "" {
			e.Events = []string{event}
		}
	}
	return nil
}

// addWords adds what scheduler and containers say of a pod.
func addWords(e *collector.PodExplanation, pod *corev1.Pod) {
	for i := range pod.Status.Conditions {
		if condition := &pod.Status.Conditions[i]; condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionFalse {
			e.Scheduler = condition.Message
		}
	}
	for _, status := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		for i := range e.Containers {
			if e.Containers[i].Name == status.Name {
				addStatus(&e.Containers[i], &status)
			}
		}
	}
}

func addStatus(e *collector.ContainerExplanation, status *corev1.ContainerStatus) {
	switch {
	case status.State.Waiting != nil:
		e.Reason, e.Message = status.State.Waiting.Reason, status.State.Waiting.Message
	case status.State.Terminated != nil:
		e.Reason, e.Message = status.State.Terminated.Reason, status.State.Terminated.Message
	}
	if last := status.LastTerminationState.Terminated; last != nil {
		e.Last = fmt.Sprintf("%s, exit code %d, at %s", last.Reason, last.ExitCode, last.FinishedAt.UTC().Format(time.RFC3339))
		if message := strings.TrimSpace(last.Message); message != "" {
			e.Last += ": " + message
		}
	}
}

// lastFailedCreate returns what the DaemonSet controller last said of a pod that it could
// not create; empty if nothing.
func (l *live) lastFailedCreate(ctx context.Context, namespace, daemonSet string) (string, error) {
	var newest *corev1.Event
	err := l.objects.EachEvent(ctx, namespace, "DaemonSet", daemonSet, func(event *corev1.Event) error {
		if event.Reason == "FailedCreate" && (newest == nil || newest.LastTimestamp.Before(&event.LastTimestamp)) {
			newest = event.DeepCopy()
		}
		return nil
	})
	switch {
	case forbidden(err):
		return "its events cannot be read: " + err.Error(), nil
	case err != nil:
		return "", err
	case newest == nil:
		return "", nil
	}
	return fmt.Sprintf("%s at %s: %s", newest.Reason, newest.LastTimestamp.UTC().Format(time.RFC3339), newest.Message), nil
}

// freeing returns how much of which resource the node lacks for a pod.
func (l *live) freeing(ctx context.Context, name string, pod *corev1.Pod) ([]string, error) {
	node, err := l.objects.Node(ctx, name)
	if err != nil {
		return nil, err
	}
	free := node.Status.Allocatable.DeepCopy()
	count := int64(0)
	err = l.objects.EachPodOn(ctx, name, func(other *corev1.Pod) error {
		if other.Status.Phase == corev1.PodSucceeded || other.Status.Phase == corev1.PodFailed {
			return nil
		}
		count++
		for resourceName, quantity := range requestsOf(other) {
			left := free[resourceName]
			left.Sub(quantity)
			free[resourceName] = left
		}
		return nil
	})
	if forbidden(err) {
		return nil, nil // the general advice remains
	}
	if err != nil {
		return nil, err
	}
	var advice []string
	for _, resourceName := range sortedNames(requestsOf(pod)) {
		lacking := requestsOf(pod)[resourceName].DeepCopy()
		lacking.Sub(free[resourceName])
		if lacking.Sign() > 0 {
			advice = append(advice, fmt.Sprintf("free %s %s on node %s", lacking.String(), resourceName, name))
		}
	}
	if pods := free[corev1.ResourcePods]; !pods.IsZero() && count >= pods.Value() {
		advice = append(advice, fmt.Sprintf("remove a pod from node %s, which runs %d of %d", name, count, pods.Value()))
	}
	return advice, nil
}

// requestsOf returns what a pod requests: of its containers and sidecars together, or of
// the init container that requests most.
func requestsOf(pod *corev1.Pod) corev1.ResourceList {
	total := corev1.ResourceList{}
	add := func(list corev1.ResourceList) {
		for name, quantity := range list {
			sum := total[name]
			sum.Add(quantity)
			total[name] = sum
		}
	}
	for i := range pod.Spec.Containers {
		add(pod.Spec.Containers[i].Resources.Requests)
	}
	for i := range pod.Spec.InitContainers {
		if policy := pod.Spec.InitContainers[i].RestartPolicy; policy != nil && *policy == corev1.ContainerRestartPolicyAlways {
			add(pod.Spec.InitContainers[i].Resources.Requests)
		}
	}
	for i := range pod.Spec.InitContainers {
		for name, quantity := range pod.Spec.InitContainers[i].Resources.Requests {
			if most := total[name]; quantity.Cmp(most) > 0 {
				total[name] = quantity
			}
		}
	}
	add(pod.Spec.Overhead)
	return total
}

func sortedNames(list map[corev1.ResourceName]resource.Quantity) []corev1.ResourceName {
	names := make([]corev1.ResourceName, 0, len(list))
	for name := range list {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
