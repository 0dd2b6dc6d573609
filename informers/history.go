package informers

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/apimachinery/pkg/watch"
)

// errRestored is returned when the server has an older state than the one that was seen:
// its etcd was restored from a backup. It accepts a watch at a version that it has not
// reached yet, and stays silent until it gets there.
var errRestored = errors.New("the API server has an older state than before")

// newest is the object with the highest version seen.
type newest struct{ namespace, name, version string }

func (n *newest) note(kind watch.EventType, object metav1.Object) {
	if kind != watch.Deleted && !older(object.GetResourceVersion(), n.version) {
		*n = newest{object.GetNamespace(), object.GetName(), object.GetResourceVersion()}
	}
}

// older reports whether version a is older than b. Versions that are no numbers, as
// before Kubernetes 1.35 they need not be, are not.
func older(a, b string) bool {
	order, err := resourceversion.CompareResourceVersion(a, b)
	return err == nil && order < 0
}

// checkHistory returns errRestored if the server has not reached the version that was
// seen, or has the newest object that was seen in an older version: then its history
// is another one, even if it has overtaken the first by now. It lists one object.
func (s *session) checkHistory(ctx context.Context) error {
	namespace, options := s.namespace, metav1.ListOptions{Limit: 1}
	if s.newest.name != "" {
		namespace = s.newest.namespace
		options.FieldSelector = fields.OneTermEqualSelector(metav1.ObjectNameField, s.newest.name).String()
	}
	list, err := s.request(namespace, options).Timeout(s.pace.answer).Do(ctx).Get()
	if err != nil {
		return err
	}
	about, err := meta.ListAccessor(list)
	if err != nil {
		return fmt.Errorf("the API server sent a %T instead of a list: %w", list, err)
	}
	if older(about.GetResourceVersion(), s.version) {
		return fmt.Errorf("%w: it is at version %s, and %s was seen", errRestored, about.GetResourceVersion(), s.version)
	}
	items, err := meta.ExtractList(list)
	if err != nil || len(items) != 1 || s.newest.name == "" {
		return nil //nolint:nilerr // the versions tell enough
	}
	object, err := meta.Accessor(items[0])
	if err == nil && older(object.GetResourceVersion(), s.newest.version) {
		return fmt.Errorf("%w: it has %s %s in version %s, and %s was seen", errRestored,
			s.resource.name, s.newest.name, object.GetResourceVersion(), s.newest.version)
	}
	return nil
}
