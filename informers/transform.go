package informers

import (
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/cache"
)

// reduceBy makes the transform of a resource. client-go calls it while it
// decodes a streamed list and calls it again when it puts the outcome into the
// informer, so a record is given back as it is.
func reduceBy[O runtime.Object, R any](reduce func(O) *R) cache.TransformFunc {
	return func(obj any) (any, error) {
		switch obj := obj.(type) {
		case *R:
			return obj, nil
		case O:
			return reduce(obj), nil
		case cache.DeletedFinalStateUnknown:
			return reduceTombstone(obj, reduce), nil
		default:
			return nil, fmt.Errorf("the API server sent a %T instead of a %T", obj, *new(O))
		}
	}
}

// reduceTombstone reduces the object in a tombstone. The informers of
// client-go v0.37 keep tombstones from the transform (tools/cache/the_real_fifo.go);
// its contract does not say so.
func reduceTombstone[O runtime.Object, R any](tombstone cache.DeletedFinalStateUnknown, reduce func(O) *R) cache.DeletedFinalStateUnknown {
	if object, ok := tombstone.Obj.(O); ok {
		tombstone.Obj = reduce(object)
	}
	return tombstone
}
