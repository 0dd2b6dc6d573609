package collector

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/expfmt"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/daemonset-exporter/daemonset_exporter/informers"
	"github.com/daemonset-exporter/daemonset_exporter/informers/files"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/cases"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/recordings"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/replay"
	testsamples "github.com/daemonset-exporter/daemonset_exporter/internal/testing/samples"
)

// TestPlayback compares a Playback with a Collector that works in the background, at
// each moment of all recordings and cases.
func TestPlayback(t *testing.T) {
	t.Parallel()
	stories := map[string][]files.Event{}
	for _, name := range recordings.Names() {
		events, err := recordings.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		stories[name] = replay.Events(events)
	}
	folders, err := cases.Folders("testdata/cases")
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		c, err := cases.Read(folder)
		if err != nil {
			t.Fatal(err)
		}
		stories[folder] = c.Events
	}
	for name, events := range stories {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { comparePlayback(t, events) })
		})
	}
}

func comparePlayback(t *testing.T, events []files.Event) {
	t.Helper()
	var inBackground *playedExporter
	var playback *Playback
	running := files.NewPlayer(func(now time.Time) files.Exporter {
		inBackground = newPlayedExporter(t, now)
		return inBackground
	}, nil)
	played := files.NewPlayer(func(now time.Time) files.Exporter {
		playback = newPlayback(t, now)
		return playback
	}, nil)
	for i, event := range events {
		running.Play(event)
		played.Play(event)
		if i+1 < len(events) && !events[i+1].Time.After(event.Time) {
			continue
		}
		if running.Settle(event.Time) != played.Settle(event.Time) {
			t.Fatalf("%s: one of the two has started", event.Time)
		}
		want, got := withoutOwn(t, inBackground), playback.text(t)
		if want != got {
			t.Fatalf("%s, %s (-in the background +played):\n%s", event.Time, event.Type, cmp.Diff(testsamples.Parse(want), testsamples.Parse(got)))
		}
	}
}

func newPlayback(t *testing.T, now time.Time) *Playback {
	t.Helper()
	p, err := NewPlayback(Config{
		Logger:       log.NewNopLogger(),
		Health:       func() []informers.ResourceHealth { return nil },
		MaxGapSeries: 100,
		JoinGrace:    cases.JoinGrace,
		StartupGrace: 3 * time.Minute,
	}, true, now)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// text returns the text that a scrape reads.
func (p *Playback) text(t *testing.T) string {
	t.Helper()
	families, err := p.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	for _, family := range families {
		if _, err := expfmt.MetricFamilyToText(&text, family); err != nil {
			t.Fatal(err)
		}
	}
	return text.String()
}

// withoutOwn returns the text that a scrape of an exporter reads, without its own
// metrics.
func withoutOwn(t *testing.T, e *playedExporter) string {
	t.Helper()
	families, err := e.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	for _, family := range families {
		if strings.HasPrefix(family.GetName(), ownMetrics) {
			continue
		}
		if _, err := expfmt.MetricFamilyToText(&text, family); err != nil {
			t.Fatal(err)
		}
	}
	return text.String()
}

// TestPlaybackOnDemand tests what an exporter reads on demand and a recording brings.
func TestPlaybackOnDemand(t *testing.T) {
	t.Parallel()
	p := newPlayback(t, objects.Noon)
	watch := replay.NewWatch(p)
	node := objects.Node("a", objects.Created(-9000), objects.Ready(-8990), objects.Label("pool", "x"))
	ds := objects.DaemonSet("agent", objects.Created(-8000))
	watch.Set(node, ds, objects.Pod("a-1", objects.On("a"), objects.OwnedBy(ds), objects.Created(-7000), objects.Scheduled(-7000), objects.StartTime(-7000), objects.Ready(-6990), objects.Revision("old", 1)))
	p.Synced()
	expect := func(why, sample string) {
		t.Helper()
		if text := p.text(t); !strings.Contains(text, sample+"\n") {
			t.Errorf("%s: %q is not in\n%s", why, sample, linesOf(text, sample))
		}
	}
	fallSilent := func(seconds float64) {
		p.SetTime(objects.At(seconds))
		watch.Set(objects.Updated(node, objects.ReadyUnknown(seconds)))
	}
	const observed = "daemonset_node_detection_duration_seconds_count "
	const total = "daemonset_node_detection_duration_seconds_sum "

	fallSilent(100)
	p.SetTime(objects.At(101))
	expect("no Lease is known", observed+"0")
	p.LeaseRenewed("a", objects.At(60))
	expect("the Lease comes after the silence", total+"40")
	p.SetTime(objects.At(200))
	watch.Set(objects.Updated(node, objects.Ready(200)))
	fallSilent(300)
	p.SetTime(objects.At(301))
	expect("a Lease is good for one outage", observed+"1")
	p.LeaseRenewed("a", objects.At(290))
	expect("the next Lease", total+"50")
	watch.Set(objects.Updated(node, objects.Ready(302)))
	p.LeaseRenewed("a", objects.At(350))
	fallSilent(400)
	p.SetTime(objects.At(401))
	expect("a Lease that came before the silence", total+"100")
	watch.Set(objects.Updated(node, objects.Ready(402)))

	const expected = `daemonset_expected_nodes{daemonset="agent",lifecycle="active",namespace="default"} `
	expect("no selector is known", expected+"1")
	p.NodeSelector("default", labels.SelectorFromSet(labels.Set{"pool": "y"}))
	expect("the namespace selects other nodes", expected+"0")
	p.NodeSelector("default", labels.Everything())

	const outdated = `daemonset_rollout_outdated_nodes{daemonset="agent",namespace="default"} `
	expect("the revision is inferred", outdated+"0")
	p.NewRevision("default", slim.ControllerRevision{Owner: slim.ParseUID(ds.UID), Hash: slim.Intern("new"), Revision: 2})
	p.SetTime(objects.At(403))
	expect("the pod is of another revision than the current one", outdated+"1")
}

// linesOf returns the lines of a text that are about the metric of a sample.
func linesOf(text, sample string) (lines string) {
	name, _, _ := strings.Cut(strings.Fields(sample)[0], "{")
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, name) {
			lines += line
		}
	}
	return lines
}
