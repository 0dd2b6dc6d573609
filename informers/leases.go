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

// When a zone goes down, a thousand leases are requested at once. A lease that
// nobody renews does not change, so the request can wait: these limits leave the
// API server to those who repair the zone.
const (
	leasesPerSecond = 20
	leasesBurst     = 50
)

// leaseTimeout limits one request, without the wait for the rate limiter.
const leaseTimeout = 10 * time.Second

// errNeverRenewed is returned for a lease without a renew time.
var errNeverRenewed = errors.New("the lease has no renew time")

// Leases reads the leases that kubelets renew as their heartbeat.
type Leases struct{ client rest.Interface }

// NewLeases returns a reader of leases with a rate limit of its own.
func NewLeases(config *rest.Config) (*Leases, error) {
	limited := rest.CopyConfig(config)
	limited.RateLimiter = flowcontrol.NewTokenBucketRateLimiter(leasesPerSecond, leasesBurst)
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

// RenewTime returns when a node's kubelet last renewed its lease, by the
// kubelet's clock. It asks the API server each time.
//
// An error is a *RequestError: ErrorForbidden if the role lacks the permission,
// ErrorNotFound if the node has no lease or one that was never renewed.
func (l *Leases) RenewTime(ctx context.Context, node string) (time.Time, error) {
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
	default:
		return time.Time{}, leaseError(err, node)
	}
}

func leaseError(err error, node string) *RequestError {
	return requestError(fmt.Errorf("lease of node %s: %w", node, err), "get", leasePermission(), corev1.NamespaceNodeLease)
}
