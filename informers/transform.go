package informers

import (
	"fmt"
	"reflect"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/cache"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// transformWith returns a constructor of informer transforms that trim objects of type O
// to slim objects of type T, for the resources table. client-go calls a transform while
// it decodes a streamed list and again when it puts the result into the informer, so a
// slim object is returned as it is.
//
// What arrives when everything is read again is mostly known already. Then the transform
// returns the object that the informer's store holds: otherwise the store would hold the
// new copy of everything, and the Handler, which is not told of what has not changed,
// the old one, for good.
func transformWith[O runtime.Object, T any](trim func(O) *T, meta func(*T) *slim.Meta) func(cache.Store) cache.TransformFunc {
	return func(store cache.Store) cache.TransformFunc {
		return func(obj any) (any, error) {
			switch obj := obj.(type) {
			case *T:
				return obj, nil
			case O:
				made := trim(obj)
				if meta(made).Late {
					made = known(store, made, meta)
				}
				return made, nil
			case cache.DeletedFinalStateUnknown:
				return transformTombstone(obj, trim), nil
			default:
				return nil, fmt.Errorf("the API server sent a %T instead of a %T", obj, *new(O))
			}
		}
	}
}

// known returns the object in the store if it is the same as made, else made. All of it
// is compared and not only the version: a server that was restored from a backup uses
// versions again.
func known[T any](store cache.Store, made *T, meta func(*T) *slim.Meta) *T {
	found, exists, err := store.Get(made)
	if err != nil || !exists {
		return made
	}
	held, ok := found.(*T)
	if !ok || !meta(held).SameVersion(meta(made)) {
		return made
	}
	copied := *made
	meta(&copied).Late = meta(held).Late
	if !reflect.DeepEqual(*held, copied) {
		return made
	}
	return held
}

// observed returns a constructor of transforms that tell of each object that they trim,
// but not of those that are in the store already.
func observed(
	construct func(cache.Store) cache.TransformFunc, trimmed func(object runtime.Object, slim any),
) func(cache.Store) cache.TransformFunc {
	if trimmed == nil {
		return construct
	}
	return func(store cache.Store) cache.TransformFunc {
		transform := construct(store)
		return func(obj any) (any, error) {
			made, err := transform(obj)
			object, isObject := obj.(runtime.Object)
			if err != nil || !isObject {
				return made, err
			}
			if held, exists, err := store.Get(made); err != nil || !exists || held != made {
				trimmed(object, made)
			}
			return made, nil
		}
	}
}

// transformTombstone trims the object in a tombstone. The informers of
// client-go v0.37 keep tombstones from the transform (tools/cache/the_real_fifo.go);
// its contract does not promise that.
func transformTombstone[O runtime.Object, T any](tombstone cache.DeletedFinalStateUnknown, trim func(O) *T) cache.DeletedFinalStateUnknown {
	if object, ok := tombstone.Obj.(O); ok {
		tombstone.Obj = trim(object)
	}
	return tombstone
}
