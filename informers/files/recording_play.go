package files

import (
	"time"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/daemonset-exporter/daemonset_exporter/informers"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// Exporter is an exporter to which a recording is played: a Handler whose clock is that
// of the recording. All that it is told comes from one goroutine.
type Exporter interface {
	informers.Handler
	// SetTime lets time pass.
	SetTime(now time.Time)
	// NodeSelector, LeaseRenewed and NewRevision bring what an exporter reads on demand.
	NodeSelector(namespace string, selector labels.Selector)
	LeaseRenewed(node string, at time.Time)
	NewRevision(namespace string, revision slim.ControllerRevision)
}

// Player plays a recording to an exporter, and after each RESTART to a new one, which
// finds the objects as they are.
type Player struct {
	start    func(now time.Time) Exporter
	exporter Exporter
	objects  *Objects
	// restarts says of the restarts to come whether a SYNCED follows.
	restarts []bool
	// started reports whether the exporter has been given what was there before it.
	started bool
	// restarted is when the exporter began, if no SYNCED says when it has everything: it
	// has when that instant is over.
	restarted time.Time
	// unlisted holds the objects that are older than the exporter, until they are listed
	// again; relisted reports whether one was.
	unlisted map[objectKey]any
	relisted bool
	// synced holds the resources that are synced, before the start; late those whose
	// watch is catching up.
	synced map[string]bool
	late   map[string]bool
	// selectors holds the node selectors of namespaces, revisions the newest revision of
	// each DaemonSet.
	selectors map[string]labels.Selector
	revisions map[slim.UID]namespacedRevision
}

type kubernetesObject interface {
	metav1.Object
	runtime.Object
}

type objectKey struct{ resource, namespace, name string }

type namespacedRevision struct {
	namespace string
	slim.ControllerRevision
}

// NewPlayer returns a Player. start returns a new exporter; restarts is that of the
// recording's index.
func NewPlayer(start func(now time.Time) Exporter, restarts []bool) *Player {
	return &Player{
		start: start, objects: NewObjects(), restarts: restarts,
		unlisted: map[objectKey]any{}, synced: map[string]bool{}, late: map[string]bool{},
		selectors: map[string]labels.Selector{}, revisions: map[slim.UID]namespacedRevision{},
	}
}

// Play plays the next event.
func (p *Player) Play(event Event) {
	p.setTime(event.Time)
	switch event.Type {
	case Added, Modified, Deleted:
		p.playObject(event)
	case Synced:
		p.playSynced(event.Resource)
	case Restored:
		p.late[event.Resource] = true
	case Restart:
		p.restart(event.Time)
	case Lost, Mark: // nothing changes
	}
}

// Settle lets time pass and ends the instant: nothing more happens in it. It reports
// whether the present exporter has started.
func (p *Player) Settle(now time.Time) (started bool) {
	p.setTime(now)
	if !p.restarted.IsZero() {
		p.synchronise()
	}
	return p.started
}

func (p *Player) setTime(now time.Time) {
	if p.exporter == nil {
		p.exporter = p.start(now)
	}
	if !p.restarted.IsZero() && now.After(p.restarted) {
		p.synchronise()
	}
	p.exporter.SetTime(now)
}

// restart starts a new exporter.
func (p *Player) restart(now time.Time) {
	p.exporter, p.started, p.restarted, p.relisted = p.start(now), false, now, false
	clear(p.synced)
	clear(p.late)
	clear(p.unlisted)
	if len(p.restarts) > 0 {
		if p.restarts[0] {
			p.restarted = time.Time{}
		}
		p.restarts = p.restarts[1:]
	}
	for _, object := range p.objects.All() {
		p.unlisted[keyOf(object)] = object
	}
	for namespace, selector := range p.selectors {
		p.exporter.NodeSelector(namespace, selector)
	}
	for _, revision := range p.revisions {
		p.exporter.NewRevision(revision.namespace, revision.ControllerRevision)
	}
}

// playSynced ends what is late. Before the start it also says what is complete.
func (p *Player) playSynced(resource string) {
	if endsCatchUp(resource, p.late) || p.started {
		return
	}
	p.synced[resource] = true
	if resource == "" || p.synced[informers.Nodes] && p.synced[informers.Pods] && p.synced[informers.DaemonSets] {
		p.synchronise()
	}
}

// synchronise gives the exporter what is there at its start. Where that was listed anew,
// what the list leaves out is gone.
func (p *Player) synchronise() {
	p.started, p.restarted = true, time.Time{}
	if p.relisted {
		for _, object := range p.unlisted {
			p.objects.Delete(nil, object)
		}
	}
	before := p.objects.All()
	p.objects = NewObjects()
	for _, object := range before {
		p.objects.Set(p.exporter, found(object))
	}
	p.exporter.Synced()
}

func (p *Player) playObject(event Event) {
	switch object := event.Object.(type) {
	case *corev1.Namespace:
		p.selectors[object.Name] = informers.NodeSelector(object.Annotations, labels.Everything())
		p.exporter.NodeSelector(object.Name, p.selectors[object.Name])
	case *coordinationv1.Lease:
		if object.Spec.RenewTime != nil {
			p.exporter.LeaseRenewed(object.Name, object.Spec.RenewTime.Time)
		}
	case *appsv1.ControllerRevision:
		p.playRevision(object)
	case *corev1.Node:
		p.deliver(event.Type, informers.Nodes, object)
	case *corev1.Pod:
		p.deliver(event.Type, informers.Pods, object)
	case *appsv1.DaemonSet:
		p.deliver(event.Type, informers.DaemonSets, object)
	}
}

// playRevision takes a revision if it is the newest of its DaemonSet, as an exporter
// that reads them all would.
func (p *Player) playRevision(object *appsv1.ControllerRevision) {
	revision := slim.FromControllerRevision(object)
	known, ok := p.revisions[revision.Owner]
	if revision.Owner == (slim.UID{}) || ok && known.Revision >= revision.Revision {
		return
	}
	p.revisions[revision.Owner] = namespacedRevision{object.Namespace, revision}
	p.exporter.NewRevision(object.Namespace, revision)
}

// deliver gives an object to the exporter, or keeps it until that starts. It leaves the
// object as it is: several players may play one recording at a time.
func (p *Player) deliver(event EventType, resource string, object kubernetesObject) {
	if late := p.late[resource]; late || object.GetSelfLink() != "" {
		object = object.DeepCopyObject().(kubernetesObject)
		object.SetSelfLink("")
		if late {
			slim.MarkLate(object)
		}
	}
	trimmed := Trim(object)
	// A list repeats what is there, and finds gone what is no more.
	held := p.late[resource] && object.GetResourceVersion() != "" && p.objects.Holds(trimmed)
	var handler informers.Handler
	if p.started {
		handler = p.exporter
	} else {
		p.noteListed(event, trimmed)
	}
	switch {
	case event == Deleted && held:
		p.objects.Miss(handler, trimmed)
	case event == Deleted:
		p.objects.Delete(handler, trimmed)
	case held:
	default:
		p.objects.Set(handler, trimmed)
	}
}

// noteListed notes that an object came between the start of an exporter and its
// SYNCED. An object that is added though it is there was listed anew.
func (p *Player) noteListed(event EventType, object any) {
	key := keyOf(object)
	if _, there := p.unlisted[key]; there && event == Added {
		p.relisted = true
	}
	delete(p.unlisted, key)
}

func keyOf(object any) objectKey {
	switch object := object.(type) {
	case *slim.Node:
		return objectKey{informers.Nodes, "", object.Name}
	case *slim.Pod:
		return objectKey{informers.Pods, object.Namespace.Value(), object.Name}
	case *slim.DaemonSet:
		return objectKey{informers.DaemonSets, object.Namespace.Value(), object.Name}
	default:
		return objectKey{}
	}
}

// found returns a version of an object that an exporter finds when it starts.
func found(object any) any {
	switch object := object.(type) {
	case *slim.Node:
		late := *object
		late.Late = true
		return &late
	case *slim.Pod:
		late := *object
		late.Late = true
		return &late
	case *slim.DaemonSet:
		late := *object
		late.Late = true
		return &late
	default:
		return object
	}
}
