package state

import (
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// readRevision is what was read of a DaemonSet's ControllerRevisions.
type readRevision struct {
	// revision is the newest one that was read, template says of which template; zero
	// for none.
	revision slim.ControllerRevision
	template template
	// requested is the generation for which a reading was asked for last.
	requested int64
}

// template tells the templates of one DaemonSet apart: by their own generation or,
// where the API server does not tell that, by the DaemonSet's.
type template struct{ templateGeneration, generation int64 }

func templateOf(object *slim.DaemonSet) template {
	if object.TemplateGeneration > 0 {
		return template{templateGeneration: object.TemplateGeneration}
	}
	return template{generation: object.Generation}
}

// requestRevision asks for the revision of a DaemonSet if it is not known. The
// controller keeps the ControllerRevisions before it says that it has observed a
// generation (syncDaemonSet of pkg/controller/daemon, v1.37), so that is the time to
// read them. Nothing is evaluated of a DaemonSet that is being deleted.
func (c *Cluster) requestRevision(ds *daemonSet) {
	object := ds.object
	if object == nil || object.ObservedGeneration < object.Generation || ds.read.requested == object.Generation || !ds.infersRevision() {
		return
	}
	ds.read.requested = object.Generation
	c.recorder.RevisionUnknown(object, ds.read.revision)
}

// SetRevision sets the newest ControllerRevision of a DaemonSet as it was read after
// RevisionUnknown was called for that generation. It is dropped if the DaemonSet has
// another generation by now: that one is read, too.
func (c *Cluster) SetRevision(revision slim.ControllerRevision, generation int64, now time.Time) {
	c.Advance(now)
	ds := c.daemonSets[revision.Owner]
	if ds == nil || ds.object == nil || ds.object.Generation != generation || revision.Hash.Value() == "" {
		return
	}
	ds.read.revision, ds.read.template = revision, templateOf(ds.object)
	if c.started {
		c.updateRevision(ds, now)
	}
}

// knownHash returns the hash of the present template's revision; the zero Text if it
// was not read.
func (ds *daemonSet) knownHash() slim.Text {
	if ds.object == nil || ds.read.template != templateOf(ds.object) {
		return slim.Text{}
	}
	return ds.read.revision.Hash
}

// infersRevision reports whether the present template's revision was not read though
// it matters.
func (ds *daemonSet) infersRevision() bool {
	return ds.object != nil && ds.object.DeletionTimestamp.IsZero() && ds.knownHash() == slim.Text{}
}
