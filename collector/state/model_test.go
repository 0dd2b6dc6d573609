package state_test

import (
	"strings"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/collector/state"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/random"
)

// model is the ledger as one would write it who has all the time in the world:
// after every event it looks at every pair of a DaemonSet and a node, by the text
// of the design. It shares nothing with the ledger but Placement.Decide.
type model struct {
	now   time.Time
	nodes map[string]*modelNode
	sets  map[slim.UID]*slim.DaemonSet
	pods  map[slim.UID]*slim.Pod
	// gaps are the open ones, and when they opened.
	gaps map[pair]time.Time
	// revisions are those that were read, by DaemonSet and template.
	revisions map[modelTemplate]string
	places    map[*slim.DaemonSet]*coverage.Placement
}

type pair struct {
	ds   slim.UID
	node string
}

// modelTemplate is one template of a DaemonSet. byGeneration is for those whose
// templates have no generation of their own.
type modelTemplate struct {
	ds                     slim.UID
	template, byGeneration int64
}

func modelTemplateOf(ds *slim.DaemonSet) modelTemplate {
	if ds.TemplateGeneration == 0 {
		return modelTemplate{ds: ds.UID, byGeneration: ds.Generation}
	}
	return modelTemplate{ds: ds.UID, template: ds.TemplateGeneration}
}

type modelNode struct {
	object     *slim.Node
	wasReady   bool
	since      time.Time
	firstReady time.Time
}

func newModel() *model {
	return &model{
		nodes: map[string]*modelNode{}, sets: map[slim.UID]*slim.DaemonSet{}, pods: map[slim.UID]*slim.Pod{},
		gaps: map[pair]time.Time{}, revisions: map[modelTemplate]string{}, places: map[*slim.DaemonSet]*coverage.Placement{},
	}
}

// pass lets time pass: what it changes comes before the random.Event.
func (m *model) pass(now time.Time) {
	m.now = now
	m.account()
}

func (m *model) apply(e random.Event) {
	switch object := e.Object.(type) {
	case *slim.Node:
		m.applyNode(object, e.Gone)
	case *slim.DaemonSet:
		if e.Gone {
			delete(m.sets, object.UID)
		} else {
			m.sets[object.UID] = object
		}
	case *slim.Pod:
		if e.Gone {
			delete(m.pods, object.UID)
		} else {
			m.pods[object.UID] = object
		}
	}
}

func (m *model) applyNode(object *slim.Node, gone bool) {
	n := m.nodes[object.Name]
	same := n != nil && n.object.UID == object.UID
	switch {
	case gone && same:
		delete(m.nodes, object.Name)
		m.closeGapsOf(object.Name)
	case gone:
	case same:
		before := n.status()
		n.object = object
		n.wasReady = n.wasReady || object.Ready.Status == slim.ConditionTrue
		if (before == readiness.StatusReady) != (n.status() == readiness.StatusReady) {
			n.since = m.now
			if before == readiness.StatusNeverReady {
				n.firstReady = m.now
			}
		}
	default:
		m.closeGapsOf(object.Name)
		// The watch shows every node from its creation on.
		n = &modelNode{object: object, wasReady: object.Ready.Status == slim.ConditionTrue, since: object.CreationTimestamp.Time()}
		if n.wasReady {
			n.since = m.now
		}
		m.nodes[object.Name] = n
	}
}

func (m *model) closeGapsOf(node string) {
	for key := range m.gaps {
		if key.node == node {
			delete(m.gaps, key)
		}
	}
}

func (n *modelNode) status() readiness.Status {
	switch {
	case n.object.Ready.Status == slim.ConditionTrue:
		return readiness.StatusReady
	case !n.wasReady:
		return readiness.StatusNeverReady
	case n.object.Ready.Status == slim.ConditionUnknown:
		return readiness.StatusUnreachable
	default:
		return readiness.StatusNotReady
	}
}

func (n *modelNode) lifecycle(now time.Time) readiness.Lifecycle {
	starting := false
	leaving := !n.object.DeletionTimestamp.IsZero() || n.object.EndAnnounced
	for _, taint := range n.object.Taints {
		leaving = leaving || taint.Key == "ToBeDeletedByClusterAutoscaler"
		starting = starting || taint.Key == "readiness.k8s.io/gpu"
	}
	switch {
	case leaving:
		return readiness.LifecycleLeaving
	case n.object.Unschedulable:
		return readiness.LifecycleCordoned
	case starting && now.Sub(n.object.CreationTimestamp.Time()) < startupGrace,
		now.Sub(n.object.CreationTimestamp.Time()) < joinGrace || now.Sub(n.firstReady) < joinGrace:
		return readiness.LifecycleJoining
	default:
		return readiness.LifecycleActive
	}
}

// account is all that there is to say.
type account struct {
	Totals   map[slim.UID]state.Totals
	Gaps     map[pair]gapAccount
	Troubles map[string]troubleAccount
	Groups   map[groupAccount]int
}

type gapAccount struct {
	Reason    coverage.Reason
	Lifecycle readiness.Lifecycle
	Opened    time.Duration // after noon
}

type troubleAccount struct {
	Status    readiness.Status
	Lifecycle readiness.Lifecycle
	Gaps      int
	Since     time.Duration // after noon
}

type groupAccount struct {
	Status    readiness.Status
	Lifecycle readiness.Lifecycle
	Zone      string
}

// account evaluates everything.
func (m *model) account() account {
	all := account{
		Totals: map[slim.UID]state.Totals{}, Gaps: map[pair]gapAccount{},
		Troubles: map[string]troubleAccount{}, Groups: map[groupAccount]int{},
	}
	gapsOf := map[string]int{}
	for uid, ds := range m.sets {
		totals := state.Totals{Repelled: map[state.NodeTaint]int32{}, Withheld: map[state.NodeTaint]int32{}}
		for name, n := range m.nodes {
			key := pair{uid, name}
			gap, open := m.evaluatePair(ds, n, &totals)
			if !open {
				delete(m.gaps, key)
				continue
			}
			if _, was := m.gaps[key]; !was {
				m.gaps[key] = m.now
			}
			gap.Opened = m.gaps[key].Sub(objects.Noon)
			all.Gaps[key] = gap
			gapsOf[name]++
		}
		all.Totals[uid] = totals
	}
	for key := range m.gaps {
		if m.sets[key.ds] == nil {
			delete(m.gaps, key)
		}
	}
	for name, n := range m.nodes {
		status, lifecycle := n.status(), n.lifecycle(m.now)
		all.Groups[groupAccount{status, lifecycle, n.object.Labels["zone"]}]++
		if status != readiness.StatusReady || gapsOf[name] > 0 || lifecycle == readiness.LifecycleCordoned || lifecycle == readiness.LifecycleLeaving {
			all.Troubles[name] = troubleAccount{status, lifecycle, gapsOf[name], n.since.Sub(objects.Noon)}
		}
	}
	return all
}

// evaluatePair adds what one node is to one DaemonSet.
func (m *model) evaluatePair(ds *slim.DaemonSet, n *modelNode, totals *state.Totals) (gap gapAccount, open bool) {
	place := m.places[ds]
	if place == nil {
		place = coverage.NewPlacement(&ds.Template, nil)
		m.places[ds] = place
	}
	var view coverage.View
	view.Show(n.object, &readiness.TaintRules{})
	decision := place.Decide(&view)
	lifecycle := n.lifecycle(m.now)

	var mine, ofSet []*slim.Pod
	for _, pod := range m.pods {
		if pod.Owner == ds.UID {
			ofSet = append(ofSet, pod)
			if pod.NodeName.Value() == n.object.Name {
				mine = append(mine, pod)
			}
		}
	}
	known := m.revisions[modelTemplateOf(ds)]
	current := known
	if known == "" {
		current = modelRevision(ds, ofSet)
	}
	reason := coverage.ReasonNone
	deleting := ds.DeletionTimestamp != 0
	switch {
	case decision.Exclusion == coverage.NotExcluded && deleting:
	case decision.Exclusion == coverage.NotExcluded:
		totals.Expected[lifecycle]++
		withheld := len(mine) == 0 && decision.Upstream != coverage.VerdictRun
		if withheld {
			taint := n.object.Taints[decision.Withheld]
			totals.Withheld[state.NodeTaint{Lifecycle: lifecycle, Key: taint.Key, Effect: string(taint.Effect)}]++
		}
		if reason = modelReason(n.status(), mine, ds, m.now); reason == coverage.ReasonPodMissing && withheld {
			reason = coverage.ReasonNodeTainted
		}
		if reason == coverage.ReasonNone {
			totals.Covered[lifecycle]++
		} else {
			totals.Gaps[lifecycle][reason]++
			gap, open = gapAccount{Reason: reason, Lifecycle: lifecycle}, true
		}
		if modelOutdated(ds, mine, current, known != "", m.now) {
			totals.Outdated++
		}
	default:
		totals.Excluded[lifecycle][decision.Exclusion]++
		if decision.Sole >= 0 {
			taint := n.object.Taints[decision.Sole]
			totals.Repelled[state.NodeTaint{Lifecycle: lifecycle, Key: taint.Key, Effect: string(taint.Effect)}]++
		}
		if len(withoutEnded(mine)) > 0 && !deleting {
			totals.Misplaced[lifecycle][decision.Upstream]++
		}
	}
	if !deleting && modelUpstream(ds, decision.Upstream, mine, current, m.now, &totals.Upstream) {
		cause := coverage.CauseOther
		if open {
			cause = reason.Cause()
		}
		totals.Unavailable[cause]++
	}
	return gap, open
}

// modelReason is the table of gap reasons, first that holds. Of several pods the
// one that is furthest on speaks: a live one before one that has failed, that
// before one that is asked to end.
func modelReason(status readiness.Status, pods []*slim.Pod, ds *slim.DaemonSet, now time.Time) coverage.Reason {
	switch status {
	case readiness.StatusUnreachable:
		return coverage.ReasonNodeUnreachable
	case readiness.StatusNeverReady:
		return coverage.ReasonNodeNeverReady
	case readiness.StatusNotReady:
		return coverage.ReasonNodeNotReady
	}
	var live, failed, ending []coverage.Reason
	for _, pod := range pods {
		ended := pod.Phase == slim.PodFailed || pod.Phase == slim.PodSucceeded
		switch {
		case !ended && modelAvailable(pod, ds, now):
			return coverage.ReasonNone
		case pod.DeletionTimestamp != 0:
			ending = append(ending, coverage.ReasonPodTerminating)
		case ended && pod.Evicted:
			failed = append(failed, coverage.ReasonPodEvicted)
		case ended:
			failed = append(failed, coverage.ReasonPodFailed)
		default:
			live = append(live, modelLiveReason(pod))
		}
	}
	for _, reasons := range [][]coverage.Reason{live, failed, ending} {
		furthest := coverage.ReasonNone
		for _, reason := range reasons {
			furthest = max(furthest, reason)
		}
		if furthest != coverage.ReasonNone {
			return furthest
		}
	}
	return coverage.ReasonPodMissing
}

// modelAvailable is Ready for minReadySeconds.
func modelAvailable(pod *slim.Pod, ds *slim.DaemonSet, now time.Time) bool {
	if pod.Ready.Status != slim.ConditionTrue {
		return false
	}
	return ds.MinReadySeconds == 0 || now.Unix()-int64(pod.Ready.LastTransitionTime) >= int64(ds.MinReadySeconds)
}

func modelLiveReason(pod *slim.Pod) coverage.Reason {
	switch {
	case !pod.Bound && (pod.PodScheduled == slim.Condition{} || pod.SchedulingGated):
		return coverage.ReasonAwaitingScheduler
	case !pod.Bound && pod.InsufficientResources:
		return coverage.ReasonInsufficientResources
	case !pod.Bound:
		return coverage.ReasonPodUnschedulable
	case pod.Ready.Status == slim.ConditionTrue:
		return coverage.ReasonMinReadySeconds
	}
	var image, config, loop, other, start bool
	for _, c := range pod.Containers {
		waits := c.State == slim.ContainerWaiting
		image = image || waits && c.WaitReason == slim.WaitImage
		stands := c.State == slim.ContainerTerminated
		last := c.LastTermination.Reason
		if stands {
			last = c.Termination.Reason
		}
		neverRan := last == slim.TerminationStartError && c.State != slim.ContainerRunning
		config = config || waits && c.WaitReason == slim.WaitConfig || neverRan
		loop = loop || waits && c.WaitReason == slim.WaitBackOff || stands && c.RestartCount > 0 && last != slim.TerminationUnknown
		start = start || stands && last == slim.TerminationUnknown
		other = other || waits && c.WaitReason == slim.WaitOther
		start = start || waits && c.WaitReason == slim.WaitStart
	}
	switch {
	case image:
		return coverage.ReasonImagePull
	case config:
		return coverage.ReasonContainerConfig
	case loop:
		return coverage.ReasonCrashLoop
	case other:
		return coverage.ReasonOther
	case start || len(pod.Containers) == 0:
		return coverage.ReasonPodStarting
	case pod.ReadinessGatesNotReady:
		return coverage.ReasonReadinessGate
	default:
		return coverage.ReasonPodNotReady
	}
}

func less(a, b *slim.Pod) bool {
	if a.Bound != b.Bound {
		return a.Bound
	}
	if a.CreationTimestamp != b.CreationTimestamp {
		return a.CreationTimestamp < b.CreationTimestamp
	}
	return strings.Compare(a.Name, b.Name) < 0
}
