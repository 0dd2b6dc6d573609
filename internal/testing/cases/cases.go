// Package cases reads the cases of collector/testdata/cases, whose README describes
// them, as recordings.
package cases

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/daemonset-exporter/daemonset_exporter/informers/files"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/samples"
)

// JoinGrace is the join grace of all cases.
const JoinGrace = 5 * time.Minute

// Case is a case as a recording, in which a mark follows each step.
type Case struct {
	Start  time.Time
	Events []files.Event
	// Expected holds what a scrape must hold at some of the marks.
	Expected map[string]Expectation
}

// Folders returns the folders of the cases under a root.
func Folders(root string) ([]string, error) {
	found, err := filepath.Glob(filepath.Join(root, "*", "case.yaml"))
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("no cases in %s", root)
	}
	for i := range found {
		found[i] = filepath.Dir(found[i])
	}
	return found, err
}

// Read reads the case in a folder.
func Read(folder string) (*Case, error) {
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
	text, err := os.ReadFile(filepath.Join(folder, "case.yaml"))
	if err != nil {
		return nil, err
	}
	if err := yaml.UnmarshalStrict(text, &input); err != nil {
		return nil, err
	}
	c := &Case{Start: input.Start, Expected: map[string]Expectation{}}
	objects := map[string]runtime.Object{}
	for i, step := range input.Steps {
		now := input.Start.Add(time.Duration(step.At * float64(time.Second)))
		add := func(event files.Event) { event.Time = now; c.Events = append(c.Events, event) }
		if step.Restart {
			add(files.Event{Type: files.Restart})
		}
		for _, text := range step.Apply {
			key, object, err := decode(text)
			if err != nil {
				return nil, fmt.Errorf("step %d: %w", i, err)
			}
			eventType := files.Modified
			if objects[key] == nil {
				eventType = files.Added
			}
			add(files.Event{Type: eventType, Object: object})
			objects[key] = object
		}
		for _, key := range step.Delete {
			if objects[key] == nil {
				return nil, fmt.Errorf("step %d deletes %s, which does not exist", i, key)
			}
			add(files.Event{Type: files.Deleted, Object: objects[key]})
			delete(objects, key)
		}
		if i == 0 {
			add(files.Event{Type: files.Synced})
		}
		add(files.Event{Type: files.Mark, Text: markOf(i, step.Note)})
	}
	return c, c.readExpected(folder, func(i int) string { return markOf(i, input.Steps[i].Note) })
}

func markOf(step int, note string) string { return fmt.Sprintf("step %d: %s", step, note) }

// decode returns an object of a case and its key, such as Pod/infra/agent-1.
func decode(text []byte) (key string, object runtime.Object, err error) {
	decoder := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	object, kind, err := decoder.Decode(text, nil, nil)
	if err != nil {
		return "", nil, err
	}
	meta := object.(metav1.Object)
	return path.Join(kind.Kind, meta.GetNamespace(), meta.GetName()), object, nil
}

// Expectation holds all samples that are expected of some families.
type Expectation struct {
	// Families are their names; with ~text only what holds the text.
	Families []string
	samples  samples.Samples
}

func (c *Case) readExpected(folder string, mark func(step int) string) error {
	text, err := os.ReadFile(filepath.Join(folder, "expected.txt"))
	if err != nil {
		return err
	}
	for _, block := range strings.Split("\n"+string(text), "\nstep ")[1:] {
		head, text, _ := strings.Cut(block, "\n")
		number, families, _ := strings.Cut(head, ": ")
		step, err := strconv.Atoi(number)
		if err != nil {
			return err
		}
		c.Expected[mark(step)] = Expectation{strings.Fields(families), samples.Parse(text)}
	}
	return nil
}

// Diff compares the expectation with all samples of a scrape that are not zero, to
// the millisecond. Timestamps count from the start of the case.
func (x Expectation) Diff(all samples.Samples, start time.Time) (diff string) {
	got := samples.Samples{}
	for _, wanted := range x.Families {
		family, text, _ := strings.Cut(wanted, "~")
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
	return cmp.Diff(x.samples, got, cmpopts.EquateApprox(0, 0.0006))
}
