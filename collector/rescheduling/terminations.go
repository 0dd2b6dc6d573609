package rescheduling

import (
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/collector/timerqueue"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// Cluster tells of nodes and DaemonSets what terminations depend on. The
// ledger does.
type Cluster interface {
	// NodeReady tells whether there is a node of that name, and whether it is
	// Ready.
	NodeReady(name slim.Text) (exists, ready bool)
	// NodeSince is when that node turned Ready, or ceased to be; the zero time
	// where there is none.
	NodeSince(name slim.Text) time.Time
	// DaemonSet is the DaemonSet of that UID, or nil.
	DaemonSet(uid slim.UID) *slim.DaemonSet
	// Queue is what waits for time to pass.
	Queue() *timerqueue.Queue
}

// Terminations follows the pods of DaemonSets that were asked to end. A pod is
// followed from the first version with a deletion timestamp that the watch
// delivers to its removal.
type Terminations struct {
	recorder Recorder
	cluster  Cluster
	open     map[slim.UID]*termination
	// onNode is how many of them each node has.
	onNode map[slim.Text]int
	counts map[Terminating]int
	// early are the pods with a deletion timestamp that come in before Start;
	// nil afterwards.
	early map[slim.UID]*slim.Pod
}

// State is how a termination stands.
type State uint8

// The states, the later where several hold. States is their number.
const (
	StateWithinGrace State = iota
	// Overdue: the grace period is over.
	StateOverdue
	// OnLostNode: the node is not Ready, or gone.
	StateNodeLost
	States
)

var stateNames = [States]string{"within_grace", "overdue", "node_lost"}

// String is the value of the label state.
func (s State) String() string { return stateNames[s] }

// Terminating is what pods that are being terminated are counted by.
type Terminating struct {
	DaemonSet slim.UID
	State     State
}

// NewTerminations makes a Terminations without any.
func NewTerminations(recorder Recorder, cluster Cluster) *Terminations {
	return &Terminations{
		recorder: recorder,
		cluster:  cluster,
		open:     map[slim.UID]*termination{},
		onNode:   map[slim.Text]int{},
		counts:   map[Terminating]int{},
		early:    map[slim.UID]*slim.Pod{},
	}
}

// Start begins to follow, once the ledger has started. Terminations that began
// earlier are dated by their stamps.
func (t *Terminations) Start(now time.Time) {
	early := t.early
	t.early = nil
	for _, pod := range early {
		t.request(nil, pod, now)
	}
}

// Count is how many pods of a DaemonSet are in a state.
func (t *Terminations) Count(ds slim.UID, state State) int {
	return t.counts[Terminating{ds, state}]
}

// Open is how many pods are followed.
func (t *Terminations) Open() int { return len(t.open) }

// SetPod takes a pod that is new or has changed; before is the version that was
// seen last, or nil. The ledger must have taken it already.
func (t *Terminations) SetPod(before, pod *slim.Pod, now time.Time) {
	if before != nil && before.UID != pod.UID {
		t.DeletePod(before, now)
		before = nil
	}
	switch {
	case t.early != nil:
		t.keep(pod)
		return
	case pod.Owner == (slim.UID{}):
		t.drop(pod.UID)
		return
	}
	if before != nil {
		t.countRestarts(before, pod)
	}
	if pod.DeletionTimestamp.IsZero() {
		return
	}
	term := t.open[pod.UID]
	if term == nil {
		t.request(before, pod, now)
		return
	}
	t.renew(term, pod)
	term.shorten(pod)
	t.settle(term, now)
}

// DeletePod takes the end of a pod, in the last version that the watch
// delivered.
func (t *Terminations) DeletePod(pod *slim.Pod, now time.Time) {
	if t.early != nil {
		delete(t.early, pod.UID)
		return
	}
	term, ds := t.open[pod.UID], t.cluster.DaemonSet(pod.Owner)
	if term == nil && !pod.DeletionTimestamp.IsZero() && !pod.DeletionMissed && ds != nil {
		term = t.request(nil, pod, now)
	}
	switch {
	case ds == nil:
	case term == nil && pod.Bound:
		// The request was not seen, nor what the containers did since.
		t.recorder.Terminated(ds, OutcomeUnknown, Unmeasured)
	case term == nil:
		t.recorder.Terminated(ds, OutcomeNotRunning, Unmeasured)
	case pod.DeletionMissed:
		t.renew(term, pod)
		term.deadline = now
		t.recorder.Terminated(ds, term.outcome(now), Unmeasured)
	case term.late:
		t.renew(term, pod)
		t.recorder.Terminated(ds, term.outcome(now), Unmeasured)
	default:
		t.renew(term, pod)
		t.recorder.Terminated(ds, term.outcome(now), now.Sub(term.requested))
	}
	t.drop(pod.UID)
}

// Unmeasured is the duration of a termination whose beginning or end was not
// seen.
const Unmeasured = time.Duration(-1 << 63)

// keep remembers a pod until Start if it was asked to end.
func (t *Terminations) keep(pod *slim.Pod) {
	if pod.DeletionTimestamp.IsZero() || pod.Owner == (slim.UID{}) {
		delete(t.early, pod.UID)
		return
	}
	t.early[pod.UID] = pod
}

// nodeOf tells whether a pod's node is there and Ready. A pod that names none
// has none to lose.
func (t *Terminations) nodeOf(pod *slim.Pod) (exists, ready bool) {
	if pod.NodeName.Value() == "" {
		return true, true
	}
	return t.cluster.NodeReady(pod.NodeName)
}

// request begins to follow a pod; before is its version before it was asked to
// end, or nil if that was not seen.
func (t *Terminations) request(before, pod *slim.Pod, now time.Time) *termination {
	asked := pod.DeletionRequestedAt()
	term := &termination{
		terminations: t,
		pod:          pod,
		asked:        asked,
		requested:    readiness.Date(now, time.Time{}, asked.Time()),
		running:      runningAt(pod, asked),
	}
	term.deadline = term.requested.Add(time.Duration(pod.DeletionGracePeriodSeconds) * time.Second)
	exists, ready := t.nodeOf(pod)
	term.forced = pod.DeletionGracePeriodSeconds == 0 && exists && anyRunning(pod)
	term.nodeLost = !exists || !ready || t.cluster.NodeSince(pod.NodeName).After(term.requested)
	term.late = kubeletsLast(pod) && (before == nil || !before.Terminal())
	t.open[pod.UID] = term
	t.place(pod, 1)
	t.settle(term, now)
	return term
}

// NodeChanged takes a node that turned, came or went.
func (t *Terminations) NodeChanged(name slim.Text, now time.Time) {
	if t.onNode[name] == 0 {
		return
	}
	for _, term := range t.open {
		if term.pod.NodeName == name {
			t.settle(term, now)
		}
	}
}

// settle counts a termination where it stands now.
func (t *Terminations) settle(term *termination, now time.Time) {
	exists, ready := t.nodeOf(term.pod)
	term.nodeLost = term.nodeLost || !exists || !ready
	state := StateWithinGrace
	switch {
	case !exists || !ready:
		state = StateNodeLost
	case !now.Before(term.deadline):
		state = StateOverdue
	default:
		if !term.alarm.Equal(term.deadline) {
			term.alarm = term.deadline
			t.cluster.Queue().Push(term.deadline, term)
		}
	}
	t.count(term, -1)
	term.counted = Terminating{term.pod.Owner, state}
	t.count(term, 1)
}

func (t *Terminations) count(term *termination, sign int) {
	if term.counted == (Terminating{}) {
		return
	}
	if t.counts[term.counted] += sign; t.counts[term.counted] == 0 {
		delete(t.counts, term.counted)
	}
}

func (t *Terminations) drop(uid slim.UID) {
	if term := t.open[uid]; term != nil {
		t.count(term, -1)
		t.place(term.pod, -1)
		delete(t.open, uid)
	}
}

// place counts a pod on its node.
func (t *Terminations) place(pod *slim.Pod, sign int) {
	if t.onNode[pod.NodeName] += sign; t.onNode[pod.NodeName] == 0 {
		delete(t.onNode, pod.NodeName)
	}
}

// renew takes the next version of a pod.
func (t *Terminations) renew(term *termination, pod *slim.Pod) {
	t.place(term.pod, -1)
	term.pod = pod
	t.place(pod, 1)
}
