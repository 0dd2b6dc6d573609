package remediation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
)

const (
	// alertName is the alert that the receiver acts on.
	alertName = "DaemonSetNodeDown"
	// owner is the value of the taints that are the receiver's own. It removes no others.
	owner = "remediation"
	// maxBody limits a notification, in bytes.
	maxBody = 1 << 20
)

// Receiver is a webhook of Alertmanager. It declares nodes out of service that an alert
// says are down, if a pod is stuck there, if another source says that the machine is off,
// and if few nodes fail. All fields are required.
type Receiver struct {
	// Client needs the rights to get, list and update nodes, and to list pods.
	Client kubernetes.Interface
	// Off is the second source: whether the machine of a node is certainly off. It must
	// not depend on what the alert depends on, the kubelet's reports: ask the cloud, or
	// the machine's power supply. See ShutDown.
	Off func(ctx context.Context, node *corev1.Node) (bool, error)
	// MaxFailedShare is the share of all nodes beyond which failed nodes are left alone:
	// then the network or the control plane is at fault, and the machines may run.
	MaxFailedShare float64
	// Report is called with each decision, and with errors; node is empty where an error
	// is not about one.
	Report func(node string, decision Decision, err error)

	mu sync.Mutex // one notification at a time, so that failed nodes are counted once
}

// notification is the part of Alertmanager's webhook message (version 4) that is read.
type notification struct {
	Alerts []struct {
		Status string            `json:"status"`
		Labels map[string]string `json:"labels"`
	} `json:"alerts"`
}

// ServeHTTP takes a notification. It answers 500 if the API server cannot be asked or
// refuses, and Alertmanager notifies again; a decision to do nothing is 200.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	if request.Method != http.MethodPost {
		http.Error(w, "use POST", http.StatusMethodNotAllowed)
		return
	}
	var message notification
	if err := json.NewDecoder(http.MaxBytesReader(w, request.Body, maxBody)).Decode(&message); err != nil {
		http.Error(w, fmt.Sprintf("not a notification of Alertmanager: %v", err), http.StatusBadRequest)
		return
	}
	var errs []error
	for _, alert := range message.Alerts {
		if node := alert.Labels["node"]; alert.Status == "firing" && alert.Labels["alertname"] == alertName && node != "" {
			errs = append(errs, r.handle(request.Context(), node))
		}
	}
	if err := errors.Join(errs...); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// handle decides about a node and acts.
func (r *Receiver) handle(ctx context.Context, name string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	known, err := r.look(ctx, name)
	if err != nil {
		r.Report(name, "", err)
		return err
	}
	decision := known.decide(r.MaxFailedShare, time.Now())
	if decision == DecisionDeclare {
		known.node.Spec.Taints = append(known.node.Spec.Taints,
			corev1.Taint{Key: corev1.TaintNodeOutOfService, Value: owner, Effect: corev1.TaintEffectNoExecute})
		err = r.update(ctx, known.node)
	}
	r.Report(name, decision, err)
	return err
}

// look asks the API server and the second source.
func (r *Receiver) look(ctx context.Context, name string) (known situation, err error) {
	nodes, err := r.Client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return known, fmt.Errorf("list nodes: %w", err)
	}
	known.nodes = len(nodes.Items)
	for i := range nodes.Items {
		node := &nodes.Items[i]
		if ready(node) != corev1.ConditionTrue {
			known.failed++
		}
		if node.Name == name {
			known.node = node
		}
	}
	if known.node == nil {
		return known, nil
	}
	pods, err := r.Client.CoreV1().Pods("").List(ctx, metav1.ListOptions{
		FieldSelector: fields.OneTermEqualSelector("spec.nodeName", name).String(),
	})
	if err != nil {
		return known, fmt.Errorf("list pods of node %s: %w", name, err)
	}
	known.pods = pods.Items
	if known.off, err = r.Off(ctx, known.node); err != nil {
		return known, fmt.Errorf("ask whether the machine of node %s is off: %w", name, err)
	}
	return known, nil
}

// update writes a node, unless it has changed since it was read: it may be back.
func (r *Receiver) update(ctx context.Context, node *corev1.Node) error {
	if _, err := r.Client.CoreV1().Nodes().Update(ctx, node, metav1.UpdateOptions{}); err != nil {
		return fmt.Errorf("update node %s: %w", node.Name, err)
	}
	return nil
}

// Run removes the receiver's taints from nodes that are Ready again, at this interval,
// until ctx is done. A resolved alert alone would not do: alerts also end when
// Prometheus loses its data.
func (r *Receiver) Run(ctx context.Context, interval time.Duration) {
	wait.UntilWithContext(ctx, func(ctx context.Context) {
		if err := r.release(ctx); err != nil && ctx.Err() == nil {
			r.Report("", "", err)
		}
	}, interval)
}

func (r *Receiver) release(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	nodes, err := r.Client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("list nodes: %w", err)
	}
	var errs []error
	for i := range nodes.Items {
		node := &nodes.Items[i]
		at := taintOf(node)
		if at < 0 || node.Spec.Taints[at].Value != owner || ready(node) != corev1.ConditionTrue {
			continue
		}
		node.Spec.Taints = slices.Delete(node.Spec.Taints, at, at+1)
		if err := r.update(ctx, node); !apierrors.IsConflict(err) { // the next time
			errs = append(errs, err)
			r.Report(node.Name, DecisionRelease, err)
		}
	}
	return errors.Join(errs...)
}
