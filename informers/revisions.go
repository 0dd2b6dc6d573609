package informers

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/flowcontrol"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// A hundred templates are changed at once where a whole cluster is updated. Nobody
// waits for their revisions: these limits leave the API server to the update.
const (
	revisionsPerSecond = 10
	revisionsBurst     = 20
)

const (
	// revisionsTimeout limits one request, without the wait for the rate limiter.
	revisionsTimeout = 10 * time.Second
	// revisionsPage is how many ControllerRevisions are read at once. Each holds a
	// whole pod template, which is dropped as soon as it is decoded.
	revisionsPage = 100
)

// Revisions reads ControllerRevisions, which hold the pod templates that a DaemonSet
// has and had. The newest one is the current revision: it stands in no other object.
type Revisions struct{ client rest.Interface }

// NewRevisions returns a reader of ControllerRevisions with a rate limit of its own.
func NewRevisions(config *rest.Config) (*Revisions, error) {
	limited := rest.CopyConfig(config)
	limited.RateLimiter = flowcontrol.NewTokenBucketRateLimiter(revisionsPerSecond, revisionsBurst)
	clients, err := newClients(limited)
	if err != nil {
		return nil, err
	}
	client, err := clients.forVersion(appsv1.SchemeGroupVersion)
	if err != nil {
		return nil, err
	}
	return &Revisions{client: client}, nil
}

// Newest returns the ControllerRevision with the highest number of each DaemonSet of a
// namespace, by the UID of the DaemonSet that controls it. It asks the API server each
// time, for what is true now and not for what a cache remembers.
//
// An error is a *RequestError: ErrorForbidden if the role lacks the permission.
func (r *Revisions) Newest(ctx context.Context, namespace string) (map[slim.UID]slim.ControllerRevision, error) {
	newest := map[slim.UID]slim.ControllerRevision{}
	// Those of StatefulSets have another label (pkg/controller/history, v1.37).
	options := metav1.ListOptions{LabelSelector: appsv1.ControllerRevisionHashLabelKey, Limit: revisionsPage}
	for {
		page, err := r.page(ctx, namespace, options)
		if err != nil {
			return nil, err
		}
		for i := range page.Items {
			revision := slim.FromControllerRevision(&page.Items[i])
			known, ok := newest[revision.Owner]
			if revision.Owner != (slim.UID{}) && (!ok || revision.Revision > known.Revision) {
				newest[revision.Owner] = revision
			}
		}
		if options.Continue = page.Continue; options.Continue == "" {
			return newest, nil
		}
	}
}

func (r *Revisions) page(ctx context.Context, namespace string, options metav1.ListOptions) (*appsv1.ControllerRevisionList, error) {
	var page appsv1.ControllerRevisionList
	needs := revisionsPermission()
	err := r.client.Get().
		Namespace(namespace).
		Resource(needs.Resource).
		VersionedParams(&options, metav1.ParameterCodec).
		Timeout(revisionsTimeout).
		Do(ctx).
		Into(&page)
	if err != nil {
		return nil, requestError(fmt.Errorf("revisions of DaemonSets: %w", err), "list", needs, namespace)
	}
	return &page, nil
}
