package informers

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
)

// pageSize is how many objects of a list are in memory at a time.
const pageSize = 500

// readPages sends all objects for a server that cannot stream them. The reflector sees
// the same events as of a stream, and trims each object before it takes the next one.
//
// A server gives pages of its present state only (resource version "", not "0"), which
// costs it a read of etcd. When the history of which the pages are is compacted in
// between, the token of the next one has expired, and all pages are read again.
func (s *session) readPages(ctx context.Context) error {
	s.watchedUntil = s.health.clock.Now()
	options := metav1.ListOptions{Limit: pageSize}
	for {
		list, err := s.request(s.namespace, options).Timeout(s.pace.answer).Do(ctx).Get()
		if err != nil {
			return err
		}
		err = meta.EachListItem(list, func(item runtime.Object) error {
			return s.forward(ctx, watch.Event{Type: watch.Added, Object: item}, true)
		})
		if err != nil {
			return err
		}
		about, err := meta.ListAccessor(list)
		if err != nil {
			return fmt.Errorf("the API server sent a %T instead of a list: %w", list, err)
		}
		s.health.noteEvent()
		if options.Continue = about.GetContinue(); options.Continue == "" {
			return s.endInitialEvents(ctx, about.GetResourceVersion())
		}
	}
}
