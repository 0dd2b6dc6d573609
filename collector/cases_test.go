package collector_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/utils/clock"

	"github.com/daemonset-exporter/daemonset_exporter/collector"
	"github.com/daemonset-exporter/daemonset_exporter/informers"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/replay"
)

// knownWrong returns the cases whose expected samples the exporter does not give
// yet, each with the reason.
func knownWrong() map[string]string {
	return map[string]string{
		"01-foreground-deletion":        "nodes are expected of a DaemonSet that is being deleted",
		"04-sidecar-killed-at-the-end":  "the 137 of a sidecar counts as grace_exceeded",
		"09-startup-taint":              "startup taints exclude nodes",
		"19-clock-behind-at-return":     "stamps of a wrong clock date changes that were seen on the watch",
		"20-cni-agent-breaks-its-node":  "there is no daemonset_node_suspect_pods",
		"29-network-unavailable":        "there is no reason node_tainted, and no daemonset_withheld_nodes",
		"35-planned-removal":            "failures and gap durations have no label lifecycle",
		"40-openshift-project-selector": "the namespace's node selector is no part of placement",
		"55-killed-with-clock-behind":   "the end of a container is compared with the stamp of another clock",
	}
}

// TestCases plays testdata/cases; the README there describes the format.
func TestCases(t *testing.T) {
	t.Parallel()
	wrong := knownWrong()
	paths, err := filepath.Glob("testdata/cases/*/case.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range paths {
		folder := filepath.Dir(file)
		name := filepath.Base(folder)
		reason, isWrong := wrong[name]
		delete(wrong, name)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				switch diff := play(t, folder); {
				case diff != "" && isWrong:
					t.Logf("known to be wrong: %s\n%s", reason, diff)
				case diff != "":
					t.Error(diff)
				case isWrong:
					t.Errorf("is right now, take it out of knownWrong (%s)", reason)
				}
			})
		})
	}
	for name := range wrong {
		t.Errorf("%s is in knownWrong, but there is no such case", name)
	}
}

// play returns how the exporter differs from what a case expects. It must be
// called in a synctest bubble, whose clock is that of the case.
func play(t *testing.T, folder string) (differences string) {
	t.Helper()
	var story struct {
		Start time.Time
		Steps []struct {
			At      float64
			Note    string
			Apply   []json.RawMessage
			Delete  []string
			Restart bool
		}
	}
	steps, errSteps := os.ReadFile(filepath.Join(folder, "case.yaml"))
	samples, errSamples := os.ReadFile(filepath.Join(folder, "expected.txt"))
	if err := errors.Join(errSteps, errSamples, yaml.UnmarshalStrict(steps, &story)); err != nil {
		t.Fatal(err)
	}
	expected := parseExpected(t, string(samples))
	e := &exporter{objects: map[string]runtime.Object{}, stop: func() {}}
	for i, step := range story.Steps {
		<-time.After(time.Until(story.Start.Add(time.Duration(step.At * float64(time.Second)))))
		synctest.Wait() // timers that are due by now come first
		if step.Restart {
			e.stop()
			e.Collector = nil
		}
		for _, object := range step.Apply {
			e.set(decode(t, object))
		}
		for _, key := range step.Delete {
			if e.objects[key] == nil {
				t.Fatalf("step %d deletes %s, which is not there", i, key)
			}
			e.delete(key)
		}
		if e.Collector == nil {
			e.start(t)
		}
		synctest.Wait()
		if want, ok := expected[i]; ok {
			if diff := want.diff(e.scrape(t, story.Start)); diff != "" {
				differences += fmt.Sprintf("step %d, %v s, %s (-want +got):\n%s", i, step.At, step.Note, diff)
			}
		}
		delete(expected, i)
	}
	for i := range expected {
		t.Errorf("step %d is expected to say something, but there is no such step", i)
	}
	return differences
}

// decode returns an object of a case and its key, such as Pod/infra/agent-1.
func decode(t *testing.T, text []byte) (key string, object runtime.Object) {
	t.Helper()
	decoder := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	object, kind, err := decoder.Decode(text, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	meta := object.(metav1.Object)
	return path.Join(kind.Kind, meta.GetNamespace(), meta.GetName()), object
}

// exporter is a running Collector, nil while it is down, and the objects of its
// cluster by key.
type exporter struct {
	*collector.Collector
	watch   *replay.Watch
	stop    context.CancelFunc
	objects map[string]runtime.Object
}

// start starts a new Collector, which finds the objects as they are.
func (e *exporter) start(t *testing.T) {
	t.Helper()
	var err error
	if e.Collector, err = collector.New(collector.Config{
		Clock:        clock.RealClock{}, // the bubble's
		Logger:       log.NewNopLogger(),
		Health:       func() []informers.ResourceHealth { return nil },
		MaxGapSeries: 100,
		JoinGrace:    5 * time.Minute,
	}); err != nil {
		t.Fatal(err)
	}
	var ctx context.Context
	ctx, e.stop = context.WithCancel(t.Context())
	go e.Run(ctx)
	e.watch = replay.NewWatch(e)
	for _, key := range slices.Sorted(maps.Keys(e.objects)) {
		e.deliver(e.watch.Set, e.objects[key])
	}
	e.Synced()
}

// set makes or changes an object.
func (e *exporter) set(key string, object runtime.Object) {
	e.objects[key] = object
	if e.Collector != nil {
		e.deliver(e.watch.Set, object)
	}
}

// delete deletes an object that is there.
func (e *exporter) delete(key string) {
	if e.Collector != nil {
		e.deliver(e.watch.Delete, e.objects[key])
	}
	delete(e.objects, key)
}

// deliver has an object set or deleted by the watch. Namespaces are not watched.
func (e *exporter) deliver(event func(objects ...any), object runtime.Object) {
	if _, isNamespace := object.(*corev1.Namespace); !isNamespace {
		event(object)
	}
}

// scrape returns the samples that are not zero, to the millisecond, with
// timestamps counted from start.
func (e *exporter) scrape(t *testing.T, start time.Time) map[string]float64 {
	t.Helper()
	text, err := testutil.CollectAndFormat(e, expfmt.TypeTextPlain, metricNames()...)
	if err != nil {
		t.Fatal(err)
	}
	samples := parseSamples(t, string(text))
	for name, value := range samples {
		if family, _, _ := strings.Cut(name, "{"); value == 0 {
			delete(samples, name)
		} else if strings.HasSuffix(family, "_timestamp_seconds") {
			samples[name] = value - float64(start.Unix())
		}
	}
	return samples
}

func metricNames() (names []string) {
	for _, metric := range collector.Metrics() {
		names = append(names, metric.Name)
	}
	return names
}

// expectation holds all samples that are expected of some families after a step.
type expectation struct {
	families []string
	samples  map[string]float64
}

func parseExpected(t *testing.T, text string) map[int]expectation {
	t.Helper()
	expected := map[int]expectation{}
	for _, block := range strings.Split("\n"+text, "\nstep ")[1:] {
		head, samples, _ := strings.Cut(block, "\n")
		number, families, _ := strings.Cut(head, ": ")
		step, err := strconv.Atoi(number)
		if err != nil {
			t.Fatal(err)
		}
		expected[step] = expectation{strings.Fields(families), parseSamples(t, samples)}
	}
	return expected
}

// parseSamples returns the values of samples in the text format, to the
// millisecond, by name and labels.
func parseSamples(t *testing.T, text string) map[string]float64 {
	t.Helper()
	samples := map[string]float64{}
	for line := range strings.SplitSeq(text, "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		space := strings.LastIndexByte(line, ' ')
		value, err := strconv.ParseFloat(line[space+1:], 64)
		if err != nil {
			t.Fatal(err)
		}
		samples[line[:space]] = math.Round(value*1000) / 1000
	}
	return samples
}

// diff compares the expectation with all samples of a scrape.
func (x expectation) diff(all map[string]float64) (diff string) {
	got := map[string]float64{}
	for _, wanted := range x.families {
		family, text, _ := strings.Cut(wanted, "~")
		metric := strings.TrimSuffix(strings.TrimSuffix(family, "_count"), "_sum")
		if !slices.Contains(metricNames(), metric) {
			diff += "there is no metric " + metric + "\n"
		}
		for name, value := range all {
			if of, _, _ := strings.Cut(name, "{"); of == family && strings.Contains(name, text) {
				got[name] = value
			}
		}
	}
	return diff + cmp.Diff(x.samples, got)
}
