package collector

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/daemonset-exporter/daemonset_exporter/informers"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

// revisionScenario is a scenario whose ControllerRevisions a test writes.
type revisionScenario struct {
	*scenario
	newest map[slim.UID]slim.ControllerRevision
	err    error
}

// newRevisionScenario begins during an update from first to second that has come to
// nodes d and e of five, with a dead.
func newRevisionScenario(t *testing.T) *revisionScenario {
	t.Helper()
	s := &revisionScenario{scenario: newScenario(t, "a", "b", "c", "d", "e"), newest: map[slim.UID]slim.ControllerRevision{}}
	s.newestRevisions = func(string) (map[slim.UID]slim.ControllerRevision, error) { return s.newest, s.err }
	s.node("a", objects.Unreachable(-60))
	for _, name := range []string{"d", "e"} {
		s.pod(name+"-1", objects.Revision("second", 2))
	}
	s.observed("agent", 2, 2)
	s.revision("agent", "second", 2)
	return s
}

// at lets time pass until so many seconds after noon.
func (s *revisionScenario) at(seconds float64) *revisionScenario {
	s.t.Helper()
	s.scenario.at(seconds)
	return s
}

// observed delivers a generation of a DaemonSet that its controller has observed.
func (s *revisionScenario) observed(name string, generation int64, updated int32) {
	s.daemonSets[name] = objects.Updated(s.daemonSets[name], objects.Generation(generation),
		objects.Status(appsv1.DaemonSetStatus{UpdatedNumberScheduled: updated}))
	s.watch.Set(s.daemonSets[name])
}

// revision writes the newest ControllerRevision of a DaemonSet.
func (s *revisionScenario) revision(daemonSet, hash string, number int64) {
	uid := slim.ParseUID(s.daemonSets[daemonSet].UID)
	s.newest[uid] = slim.ControllerRevision{Owner: uid, Hash: slim.Intern(hash), Revision: number}
}

// expectRevision checks how many nodes are outdated, how many DaemonSets' revisions
// are inferred, and how often was read since the last call.
func (s *revisionScenario) expectRevision(why string, outdated, inferred, readings int) {
	s.t.Helper()
	s.expect(why, "daemonset_rollout_outdated_nodes daemonset_exporter_revision_inferred", exposition(`
		daemonset_rollout_outdated_nodes{daemonset="agent",namespace="default"} %d
		daemonset_exporter_revision_inferred %d
	`, outdated, inferred))
	check.That(s.t, len(s.revisionsRead) == readings, "%s: read %v, want %d times", why, s.revisionsRead, readings)
	s.revisionsRead = nil
}

func TestRevisions(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(s *revisionScenario){
		"a roll-back with a dead node": func(s *revisionScenario) {
			s.expectRevision("during the update", 3, 0, 1)
			s.revision("agent", "first", 3)
			s.at(10).observed("agent", 3, 2)
			s.expectRevision("rolled back", 2, 0, 1)
			s.at(3600)
			s.expectRevision("an hour later", 2, 0, 0)
		},
		"a reading that comes too early is repeated": func(s *revisionScenario) {
			s.expectRevision("during the update", 3, 0, 1)
			s.at(10).observed("agent", 3, 2)
			s.expectRevision("the newest is still the one of the template before", 3, 1, 1)
			s.at(10.9)
			s.expectRevision("not at once", 3, 1, 0)
			s.at(11)
			s.expectRevision("after a second", 3, 1, 1)
			s.revision("agent", "first", 3)
			s.at(12.9)
			s.expectRevision("two more", 3, 1, 0)
			s.at(13)
			s.expectRevision("now it is there", 2, 0, 1)
		},
		"a template that came back before the controller looked": func(s *revisionScenario) {
			s.expectRevision("during the update", 3, 0, 1)
			s.at(10).observed("agent", 4, 2)
			for second := range 60 {
				s.at(float64(11 + second))
			}
			s.expectRevision("it is believed after 1, 2, 4, 8 and 16 s", 3, 0, 6)
		},
		"a DaemonSet without a revision is asked for again": func(s *revisionScenario) {
			s.expectRevision("during the update", 3, 0, 1)
			clear(s.newest)
			s.at(10).observed("agent", 3, 2)
			for second := range 3600 {
				s.at(float64(11 + second))
			}
			s.expectRevision("ten times in ten minutes, then each five", 3, 1, 20)
			s.revision("agent", "first", 3)
			s.at(4000)
			s.expectRevision("at last", 2, 0, 1)
		},
		"where it is forbidden it is inferred, and said once": func(s *revisionScenario) {
			s.expectRevision("during the update", 3, 0, 1)
			s.err = &informers.RequestError{Kind: informers.ErrorForbidden, Verb: "list", Needs: informers.Permission{Resource: "controllerrevisions"}, Err: errors.New("no")}
			s.revision("agent", "first", 3)
			s.at(10).observed("agent", 3, 2)
			s.expectRevision("the wrong one", 3, 1, 1)
			s.at(309)
			s.expectRevision("no use asking soon", 3, 1, 0)
			s.at(310)
			s.expectRevision("five minutes later", 3, 1, 1)
			check.Equal(s.t, strings.Count(s.logs.String(), "forbidden: cannot list controllerrevisions"), 1, "said once in", s.logs)
			s.err = nil
			s.at(610)
			s.expectRevision("the permission was granted", 2, 0, 1)
		},
		"an API server that fails is asked again soon": func(s *revisionScenario) {
			s.expectRevision("during the update", 3, 0, 1)
			s.err = &informers.RequestError{Kind: informers.ErrorUnreachable, Err: errors.New("down")}
			s.revision("agent", "first", 3)
			s.at(10).observed("agent", 3, 2)
			s.expectRevision("down", 3, 1, 1)
			s.err = nil
			s.at(11)
			s.expectRevision("up", 2, 0, 1)
		},
		"one reading serves all DaemonSets of a namespace, and none is lost": func(s *revisionScenario) {
			s.expectRevision("during the update", 3, 0, 1)
			s.err = errors.New("down")
			s.at(10)
			for number := range 50 {
				name := fmt.Sprintf("agent-%d", number)
				s.daemonSet(name, objects.NodeName("nowhere"))
				s.revision(name, name, 1)
			}
			s.at(20)
			s.err = nil
			s.revisionsRead = nil
			s.at(40)
			s.expect("all are known", "daemonset_exporter_revision_inferred")
			check.That(s.t, slices.Equal(s.revisionsRead, []string{"default"}), "read %v", s.revisionsRead)
		},
		"a DaemonSet that is gone is asked for no more": func(s *revisionScenario) {
			s.expectRevision("during the update", 3, 0, 1)
			clear(s.newest)
			s.at(10).observed("agent", 3, 2)
			s.deleteDaemonSet("agent")
			s.revisionsRead = nil
			s.at(3600)
			check.That(s.t, len(s.revisionsRead) == 0, "read %v", s.revisionsRead)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newRevisionScenario(t)
				s.synced()
				s.run()
				test(s)
			})
		})
	}
}

// The reading of one DaemonSet that comes after its next change is dropped.
func TestRevisionOfAnEarlierGeneration(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newRevisionScenario(t)
		s.synced()
		s.run()
		answer := make(chan struct{})
		s.newestRevisions = func(string) (map[slim.UID]slim.ControllerRevision, error) {
			newest := maps.Clone(s.newest)
			<-answer
			return newest, nil
		}
		s.revision("agent", "first", 3)
		s.at(10).observed("agent", 3, 2)
		s.revision("agent", "second", 4)
		s.at(11).observed("agent", 4, 2)
		answer <- struct{}{}
		synctest.Wait()
		s.expectRevision("what is being read is of the generation before", 3, 1, 3)
		answer <- struct{}{}
		synctest.Wait()
		s.expectRevision("read anew", 3, 0, 0)
	})
}

func TestRevisionBackoff(t *testing.T) {
	t.Parallel()
	var waits []time.Duration
	for attempts := range 100 {
		waits = append(waits, wantedRevision{attempts: attempts}.backoff())
	}
	if !slices.IsSorted(waits) || waits[0] != time.Second || waits[3] != 8*time.Second || waits[99] != 5*time.Minute {
		t.Errorf("the back-offs are %v", waits)
	}
}
