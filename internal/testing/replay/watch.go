package replay

import (
	"github.com/daemonset-exporter/daemonset_exporter/informers"
	"github.com/daemonset-exporter/daemonset_exporter/informers/files"
)

// Watch holds the last version of each object, by name, and delivers changes to a
// Handler.
type Watch struct {
	handler informers.Handler
	objects *files.Objects
}

// NewWatch returns a Watch without objects.
func NewWatch(handler informers.Handler) *Watch {
	return &Watch{handler: handler, objects: files.NewObjects()}
}

// Set delivers objects, of the API or of package slim, that are new or have
// changed.
func (w *Watch) Set(objects ...any) {
	for _, object := range objects {
		w.objects.Set(w.handler, object)
	}
}

// Delete delivers the deletion of objects, each in its last state.
func (w *Watch) Delete(objects ...any) {
	for _, object := range objects {
		w.objects.Delete(w.handler, object)
	}
}

// Objects returns all objects: first the Pods, then the Nodes, then the DaemonSets.
func (w *Watch) Objects() []any { return w.objects.All() }
