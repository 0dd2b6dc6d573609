package slim

import appsv1 "k8s.io/api/apps/v1"

// ControllerRevision is a trimmed ControllerRevision: which pod template of a
// DaemonSet it holds, without the template.
type ControllerRevision struct {
	// Owner is the UID of the DaemonSet that controls it; zero if no DaemonSet does.
	Owner UID
	// Hash is the label controller-revision-hash. Pods that were made from the template
	// have it too.
	Hash Text
	// Revision is the number. The owner's present template has the highest: a return to
	// an earlier template raises the number of that template's ControllerRevision.
	Revision int64
}

// FromControllerRevision returns the trimmed ControllerRevision.
func FromControllerRevision(revision *appsv1.ControllerRevision) ControllerRevision {
	return ControllerRevision{
		Owner:    ownerOf(revision),
		Hash:     Intern(revision.Labels[appsv1.ControllerRevisionHashLabelKey]),
		Revision: revision.Revision,
	}
}
