package informers

import (
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/cache"
)

// transformWith returns the informer transform that trims objects of type O to
// slim objects of type T. client-go calls it while it decodes a streamed list
// and again when it puts the result into the informer, so a slim object is
// returned as it is.
func transformWith[O runtime.Object, T any](trim func(O) *T) cache.TransformFunc {
	return func(obj any) (any, error) {
		switch obj := obj.(type) {
		case *T:
			return obj, nil
		case O:
			return trim(obj), nil
		case cache.DeletedFinalStateUnknown:
			return transformTombstone(obj, trim), nil
		default:
			return nil, fmt.Errorf("the API server sent a %T instead of a %T", obj, *new(O))
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
