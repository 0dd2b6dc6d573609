package readiness_test

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

type options = []objects.Option

// node is one that was created an hour before noon and has been Ready since ten
// seconds later.
func node(different ...objects.Option) *slim.Node {
	return slim.FromNode(objects.Node("a", append(options{objects.Created(-3600), objects.Ready(-3590)}, different...)...))
}

// tainted adds a taint for each key.
func tainted(keys ...string) objects.Option {
	return func(o metav1.Object) {
		for _, key := range keys {
			objects.Tainted(key, corev1.TaintEffectNoSchedule)(o)
		}
	}
}

// rules have the default graces, and taints of a user's own.
func rules() *readiness.Rules {
	return &readiness.Rules{JoinGrace: 5 * time.Minute, StartupGrace: 15 * time.Minute, Taints: readiness.TaintRules{
		Leaving: []string{"example.com/retired", "example.com/drain/*"}, Startup: []string{"example.com/warming"},
	}}
}
