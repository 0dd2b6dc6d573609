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
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
)

// Options say what to watch and with what.
type Options struct {
	// Config is the API server's address and the credentials (see LoadConfig).
	Config *rest.Config
	// Namespaces are the only ones whose DaemonSets and pods are watched, with
	// an informer each, so that a Role in each is enough. Empty for all.
	Namespaces []string
	// ExcludedNamespaces are left out: taken from Namespaces or, where those are
	// all, left out by the API server.
	ExcludedNamespaces []string
	// PodsSelector is the label selector of the pods (see DefaultPodsSelector).
	// Empty for all pods, which costs memory and network.
	PodsSelector string
	// Clock dates signs of life.
	Clock clock.PassiveClock
	// Logger is told what goes wrong with the watches.
	Logger log.Logger
}

// scopeOf is what the options mean to a namespaced resource: the namespaces to
// watch one by one, or "" for all with a field selector that leaves some out.
func (o *Options) scopeOf() (namespaces []string, excluding string, err error) {
	for _, name := range slices.Concat(o.Namespaces, o.ExcludedNamespaces) {
		if faults := validation.IsDNS1123Label(name); len(faults) > 0 {
			return nil, "", fmt.Errorf("%q is not the name of a namespace: %s", name, strings.Join(faults, "; "))
		}
	}
	excluded := sorted(o.ExcludedNamespaces)
	if len(o.Namespaces) == 0 {
		selectors := make([]fields.Selector, 0, len(excluded))
		for _, name := range excluded {
			selectors = append(selectors, fields.OneTermNotEqualSelector(namespaceField, name))
		}
		return []string{metav1.NamespaceAll}, fields.AndSelectors(selectors...).String(), nil
	}
	namespaces = slices.DeleteFunc(sorted(o.Namespaces), func(name string) bool {
		return slices.Contains(excluded, name)
	})
	if len(namespaces) == 0 {
		return nil, "", errors.New("no namespace is left to watch: each one that is included is excluded too")
	}
	return namespaces, "", nil
}

// namespaceField can select every namespaced resource of the API server.
const namespaceField = "metadata.namespace"

// checkPodsSelector finds mistakes before the API server does.
func (o *Options) checkPodsSelector() error {
	if _, err := labels.Parse(o.PodsSelector); err != nil {
		return fmt.Errorf("%q is not a label selector for pods: %w", o.PodsSelector, err)
	}
	return nil
}

// sorted is a sorted copy without duplicates.
func sorted(names []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(names)))
}

// SplitNamespaces reads a list of namespaces as users write it: separated by
// commas, with or without spaces. Whether they are names is checked by New.
func SplitNamespaces(text string) []string {
	var names []string
	for name := range strings.SplitSeq(text, ",") {
		if name = strings.TrimSpace(name); name != "" {
			names = append(names, name)
		}
	}
	return names
}
