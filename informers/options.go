package informers

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-kit/log"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
)

// Options select the API server and what to watch there.
type Options struct {
	// Config holds the address of the API server and the credentials (see
	// LoadConfig).
	Config *rest.Config
	// Namespaces limits DaemonSets and pods to these namespaces, with an informer
	// each, so that a Role in each is enough. Empty for all.
	Namespaces []string
	// ExcludedNamespaces are removed from Namespaces or, if that is empty, left
	// out by the API server.
	ExcludedNamespaces []string
	// PodsSelector is the label selector of the pods (see DefaultPodsSelector).
	// Empty for all pods, which costs memory and network.
	PodsSelector string
	// Trimmed, if set, is called with each object of the API and the slim object that it
	// becomes, before the Handler is called with that; for recordings. It must not keep
	// or change the object, and calls are concurrent.
	Trimmed func(object runtime.Object, slim any)
	// Clock is read for LastEvent of ResourceHealth and for repeated log lines.
	Clock clock.PassiveClock
	// Logger receives failed requests and their recovery.
	Logger log.Logger
}

// namespaceScope returns the namespaces to watch one by one, or "" for all and a
// field selector that excludes some.
func (o *Options) namespaceScope() (namespaces []string, fieldSelector string, err error) {
	for _, name := range slices.Concat(o.Namespaces, o.ExcludedNamespaces) {
		if problems := validation.IsDNS1123Label(name); len(problems) > 0 {
			return nil, "", fmt.Errorf("%q is not a valid namespace: %s", name, strings.Join(problems, "; "))
		}
	}
	excluded := sortedUnique(o.ExcludedNamespaces)
	if len(o.Namespaces) == 0 {
		selectors := make([]fields.Selector, 0, len(excluded))
		for _, name := range excluded {
			selectors = append(selectors, fields.OneTermNotEqualSelector(namespaceField, name))
		}
		return []string{metav1.NamespaceAll}, fields.AndSelectors(selectors...).String(), nil
	}
	namespaces = slices.DeleteFunc(sortedUnique(o.Namespaces), func(name string) bool {
		return slices.Contains(excluded, name)
	})
	if len(namespaces) == 0 {
		return nil, "", errors.New("no namespace left to watch: every included namespace is also excluded")
	}
	return namespaces, "", nil
}

// namespaceField is a field selector that every namespaced resource supports.
const namespaceField = "metadata.namespace"

// validatePodsSelector returns the error that the API server would answer with.
func (o *Options) validatePodsSelector() error {
	if _, err := labels.Parse(o.PodsSelector); err != nil {
		return fmt.Errorf("%q is not a valid label selector for pods: %w", o.PodsSelector, err)
	}
	return nil
}

// sortedUnique returns a sorted copy without duplicates.
func sortedUnique(names []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(names)))
}

// SplitNamespaces splits a comma-separated list of namespaces and removes spaces
// and empty entries. New validates the names. A text without a name is an error: it is
// the empty value of a template, and would select all namespaces.
func SplitNamespaces(text string) ([]string, error) {
	var names []string
	for name := range strings.SplitSeq(text, ",") {
		if name = strings.TrimSpace(name); name != "" {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%q names no namespace: leave it out for all, or name some (example: a,b)", text)
	}
	return names, nil
}
