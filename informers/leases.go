package informers

import (
	"context"
	"errors"
	"fmt"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/flowcontrol"
)

// A zone that goes down asks for a thousand leases at once. A lease that
// nobody renews does not change, so it can wait: these limits leave the API
// server to those who repair the zone.
const (
	leasesPerSecond = 20
	leasesAtOnce    = 50
)

// leaseTimeout is how long one lease may take once it is its turn.
const leaseTimeout = 10 * time.Second

// errNeverRenewed is what a lease without a renew time comes to.
var errNeverRenewed = errors.New("the lease carries no renew time")

// Leases reads the leases by which kubelets show that they live.
type Leases struct{ client rest.Interface }

// NewLeases makes a reader of leases.
func NewLeases(config *rest.Config) (*Leases, error) {
	limited := rest.CopyConfig(config)
	limited.RateLimiter = flowcontrol.NewTokenBucketRateLimiter(leasesPerSecond, leasesAtOnce)
	clients, err := newClients(limited)
	if err != nil {
		return nil, err
	}
	client, err := clients.forVersion(coordinationv1.SchemeGroupVersion)
	if err != nil {
		return nil, err
	}
	return &Leases{client: client}, nil
}

// RenewTime fetches when a node's kubelet last renewed its lease, by the
// kubelet's clock. It asks the API server each time.
//
// Errors are a *RequestError: Forbidden where the role lacks the permission,
// NotFound where the node has no lease or one that was never renewed.
func (l *Leases) RenewTime(ctx context.Context, node string) (time.Time, error) {
	ctx, attempt := withAttempt(ctx, func(context.Context, error) {})
	var lease coordinationv1.Lease
	err := l.client.Get().
		Namespace(corev1.NamespaceNodeLease).
		Resource(leasePermission().Resource).
		Name(node).
		Timeout(leaseTimeout).
		Do(ctx).
		Into(&lease)
	switch {
	case err == nil && lease.Spec.RenewTime != nil:
		return lease.Spec.RenewTime.Time, nil
	case err == nil:
		failure := leaseError(errNeverRenewed, node)
		failure.Kind = ErrorNotFound
		return time.Time{}, failure
	case attempt.err != nil:
		return time.Time{}, unansweredError(fmt.Errorf("lease of node %s: %w", node, err), "get", leasePermission(), corev1.NamespaceNodeLease)
	default:
		return time.Time{}, leaseError(err, node)
	}
}

func leaseError(err error, node string) *RequestError {
	return requestError(fmt.Errorf("lease of node %s: %w", node, err), "get", leasePermission(), corev1.NamespaceNodeLease)
}
