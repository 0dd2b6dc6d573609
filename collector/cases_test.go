package collector

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

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/daemonset-exporter/daemonset_exporter/informers"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/replay"
)

// TestCases runs testdata/cases; the README there describes the format.
func TestCases(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/cases/*/case.yaml")
	check.Require(t, err == nil && len(paths) != 0, "no cases: %v", err)
	for _, file := range paths {
		folder := filepath.Dir(file)
		t.Run(filepath.Base(folder), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				if diff := runCase(t, folder); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

// runCase returns how the exporter differs from what a case expects. It must be
// called in a synctest bubble.
func runCase(t *testing.T, folder string) (differences string) {
	t.Helper()
	var input struct {
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
	text, errSamples := os.ReadFile(filepath.Join(folder, "expected.txt"))
	check.NoError(t, errors.Join(errSteps, errSamples, yaml.UnmarshalStrict(steps, &input)))
	expected := parseExpected(t, string(text))
	objects := map[string]runtime.Object{}
	var e *exporter // nil while it is down
	for i, step := range input.Steps {
		now := input.Start.Add(time.Duration(step.At * float64(time.Second)))
		if e != nil {
			e.advance(now)
		}
		if step.Restart {
			e = nil
		}
		for _, text := range step.Apply {
			key, object := decode(t, text)
			objects[key] = object
			e.deliver((*replay.Watch).Set, object)
		}
		for _, key := range step.Delete {
			check.Require(t, objects[key] != nil, "step %d deletes %s, which does not exist", i, key)
			e.deliver((*replay.Watch).Delete, objects[key])
			delete(objects, key)
		}
		if e == nil {
			e = newExporter(t, now, func(c *Config) {
				c.JoinGrace, c.NamespaceSelectors = 5*time.Minute, namespaceSelectors(objects)
			})
			e.run()
			for _, key := range slices.Sorted(maps.Keys(objects)) {
				e.deliver((*replay.Watch).Set, objects[key])
			}
			e.Synced()
		}
		if want, ok := expected[i]; ok {
			if diff := want.diff(e.scrape(), input.Start); diff != "" {
				differences += fmt.Sprintf("step %d, %v s, %s (-want +got):\n%s", i, step.At, step.Note, diff)
			}
		}
		delete(expected, i)
	}
	for i := range expected {
		t.Errorf("samples are expected after step %d, which does not exist", i)
	}
	return differences
}

// namespaceSelectors reads the Namespaces among the objects of a case.
func namespaceSelectors(objects map[string]runtime.Object) NamespaceSelectors {
	return func(_ context.Context, namespaces []string) (map[string]labels.Selector, error) {
		selectors := map[string]labels.Selector{}
		for _, name := range namespaces {
			if namespace, ok := objects["Namespace/"+name].(*corev1.Namespace); ok {
				selectors[name] = informers.NodeSelector(namespace.Annotations, labels.Everything())
			}
		}
		return selectors, nil
	}
}

// deliver has the watch deliver an object to an exporter that runs. Namespaces are
// not watched.
func (e *exporter) deliver(event func(watch *replay.Watch, objects ...any), object runtime.Object) {
	if _, isNamespace := object.(*corev1.Namespace); e != nil && !isNamespace {
		event(e.watch, object)
	}
}

// decode returns an object of a case and its key, such as Pod/infra/agent-1.
func decode(t *testing.T, text []byte) (key string, object runtime.Object) {
	t.Helper()
	decoder := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	object, kind, err := decoder.Decode(text, nil, nil)
	check.NoError(t, err)
	meta := object.(metav1.Object)
	return path.Join(kind.Kind, meta.GetNamespace(), meta.GetName()), object
}

// expectation holds all samples that are expected of some families after a step.
type expectation struct {
	families []string
	samples  samples
}

func parseExpected(t *testing.T, text string) map[int]expectation {
	t.Helper()
	expected := map[int]expectation{}
	for _, block := range strings.Split("\n"+text, "\nstep ")[1:] {
		head, text, _ := strings.Cut(block, "\n")
		number, families, _ := strings.Cut(head, ": ")
		step := check.Must(strconv.Atoi(number))(t)
		expected[step] = expectation{strings.Fields(families), exposition("%s", text)}
	}
	return expected
}

// diff compares the expectation with all samples of a scrape that are not zero, to
// the millisecond. Timestamps count from start.
func (x expectation) diff(all samples, start time.Time) (diff string) {
	got := samples{}
	for _, wanted := range x.families {
		family, text, _ := strings.Cut(wanted, "~")
		name := strings.TrimSuffix(strings.TrimSuffix(family, "_count"), "_sum")
		if !slices.ContainsFunc(Metrics(), func(m *Metric) bool { return m.Name == name }) {
			diff += "there is no metric " + name + "\n"
		}
		for series, value := range all {
			if of, _, _ := strings.Cut(series, "{"); of != family || !strings.Contains(series, text) || math.Abs(value) < 0.0005 {
				continue
			}
			if strings.HasSuffix(family, "_timestamp_seconds") {
				value -= float64(start.Unix())
			}
			got[series] = value
		}
	}
	return diff + cmp.Diff(x.samples, got, cmpopts.EquateApprox(0, 0.0006))
}
