package rollout_test

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/daemonset-exporter/daemonset_exporter/collector/rollout"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

func revision(hash string, generation int64) rollout.Revision {
	return rollout.Revision{Hash: slim.Intern(hash), TemplateGeneration: generation}
}

// known returns a revision whose hash was read.
func known(hash string, generation int64) rollout.Revision {
	return rollout.Revision{Hash: slim.Intern(hash), TemplateGeneration: generation, Known: true}
}

func TestIncludes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		revision rollout.Revision
		hash     string
		of       int
		// want is whether it was made from the revision, updated whether the controller
		// counts it as updated.
		want, updated bool
	}{
		"the same hash and template generation":            {revision("first", 1), "first", 1, true, true},
		"the same hash, after a return to a template":      {revision("first", 3), "first", 1, true, true},
		"the same generation, before the hash is known":    {rollout.Revision{TemplateGeneration: 2}, "second", 2, true, true},
		"the same generation suffices":                     {revision("first", 2), "second", 2, true, true},
		"neither":                                          {revision("second", 2), "first", 1, false, false},
		"no generations: the hash decides":                 {revision("first", 0), "first", 0, true, true},
		"no generations are no match":                      {revision("second", 0), "first", 0, false, false},
		"nothing is known of the revision":                 {rollout.Revision{}, "first", 1, false, false},
		"a known hash":                                     {known("first", 1), "first", 1, true, true},
		"a known hash, after a return to a template":       {known("first", 3), "first", 1, true, true},
		"a known hash, no generations":                     {known("first", 0), "first", 0, true, true},
		"not the known hash":                               {known("second", 2), "first", 1, false, false},
		"an adopted pod of another template":               {known("second", 1), "first", 1, false, true},
		"without a hash of its own the generation decides": {known("second", 1), "", 1, true, true},
		"without one, and of another generation":           {known("second", 2), "", 1, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			pod := slim.FromPod(objects.PodOf("agent", "a", objects.Revision(test.hash, test.of)))
			check.Equal(t, test.revision.Includes(pod), test.want)
			check.Equal(t, test.revision.CountsAsUpdated(pod), test.updated, "counts as updated")
			check.Equal(t, rollout.OfPod(pod), revision(test.hash, int64(test.of)), "revision of the pod")
		})
	}
}

func TestCurrent(t *testing.T) {
	t.Parallel()
	updated := func(nodes int32, observed int64) objects.Option {
		return objects.Status(appsv1.DaemonSetStatus{UpdatedNumberScheduled: nodes, ObservedGeneration: observed})
	}
	type pods = map[rollout.Revision]int32
	for name, test := range map[string]struct {
		ds    []objects.Option
		pods  pods
		known string
		want  rollout.Revision
	}{
		"that of the pods of the present template":        {nil, pods{revision("first", 1): 5}, "", revision("first", 1)},
		"whatever the status counts":                      {[]objects.Option{objects.Generation(2), updated(4, 0)}, pods{revision("first", 1): 4, revision("second", 2): 3}, "", revision("second", 2)},
		"of several with that generation the most":        {nil, pods{revision("x", 1): 2, revision("y", 1): 3, revision("a", 1): 1}, "", revision("y", 1)},
		"of as many the first hash":                       {nil, pods{revision("y", 1): 2, revision("x", 1): 2}, "", revision("x", 1)},
		"none before there is a pod of it":                {[]objects.Option{objects.Generation(2)}, pods{revision("first", 1): 5}, "", rollout.Revision{TemplateGeneration: 2}},
		"none without pods":                               {[]objects.Option{updated(4, 0)}, nil, "", rollout.Revision{TemplateGeneration: 1}},
		"after a return, the hash that the status counts": {[]objects.Option{objects.Generation(3), updated(4, 0)}, pods{revision("first", 1): 4, revision("second", 2): 1}, "", revision("first", 3)},
		"the nearest to it":                               {[]objects.Option{objects.Generation(3), updated(2, 0)}, pods{revision("first", 1): 7, revision("second", 2): 3}, "", revision("second", 3)},
		"nearer from below, too":                          {[]objects.Option{objects.Generation(3), updated(4, 0)}, pods{revision("first", 1): 7, revision("second", 2): 3}, "", revision("second", 3)},
		"of two as near the first hash":                   {[]objects.Option{objects.Generation(3), updated(3, 0)}, pods{revision("x", 1): 4, revision("y", 2): 2}, "", revision("x", 3)},
		"all pods of one hash count together": {
			[]objects.Option{objects.Generation(4), updated(5, 0)}, pods{revision("first", 1): 3, revision("first", 3): 3, revision("second", 2): 4}, "", revision("first", 4),
		},
		"a status of an earlier template says nothing": {
			[]objects.Option{objects.Generation(3), updated(4, 2)}, pods{revision("first", 1): 4, revision("second", 2): 1}, "", rollout.Revision{TemplateGeneration: 3},
		},
		"without generations the status decides": {
			[]objects.Option{objects.TemplateGeneration(0), updated(4, 0)}, pods{revision("first", 0): 4, revision("second", 0): 1}, "", revision("first", 0),
		},
		"without generations and status there is none": {[]objects.Option{objects.TemplateGeneration(0)}, pods{revision("first", 0): 4}, "", rollout.Revision{}},
		"a generation that is no number is none":       {[]objects.Option{objects.TemplateGeneration(-1)}, pods{revision("first", 0): 4}, "", rollout.Revision{}},
		"the known one, whatever else there is": {
			[]objects.Option{objects.Generation(3), updated(4, 0)}, pods{revision("first", 1): 4, revision("second", 3): 1}, "third", known("third", 3),
		},
		"the known one after a return while a node is dead": {
			[]objects.Option{objects.Generation(3), updated(3, 0)}, pods{revision("first", 1): 2, revision("second", 2): 3}, "first", known("first", 3),
		},
		"the known one without generations and pods": {[]objects.Option{objects.TemplateGeneration(0)}, nil, "first", known("first", 0)},
	} {
		t.Run(name, func(t *testing.T) {
			ds := slim.FromDaemonSet(objects.DaemonSet("agent", test.ds...))
			var hash slim.Text
			if test.known != "" {
				hash = slim.Intern(test.known)
			}
			for range 10 { // the order of a map is another each time
				if got := rollout.Current(ds, hash, test.pods); got != test.want {
					t.Fatalf("%v, want %v", got, test.want)
				}
			}
		})
	}
}
