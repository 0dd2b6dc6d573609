package cli_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"

	"github.com/daemonset-exporter/daemonset_exporter/informers"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/apiserver"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/async"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

// patientClock is a clock whose timers are short, and that tells when a command has
// looked a few times whether it can answer.
type patientClock struct {
	stepClock
	mu     sync.Mutex
	timers int
	// waited is closed when so many timers were set.
	waited chan struct{}
}

const patience = 20

// NewTimer implements clock.Clock.
func (c *patientClock) NewTimer(d time.Duration) clock.Timer {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timers++; c.timers == patience {
		close(c.waited)
	}
	return c.stepClock.NewTimer(min(d, 50*time.Millisecond))
}

// serveSelecting serves a namespace that selects one of two nodes, with a pod that is
// outdated.
func serveSelecting(t *testing.T) *apiserver.Server {
	t.Helper()
	server := apiserver.New(t)
	server.Serve("/apis/project.openshift.io", metav1.APIGroup{Name: "project.openshift.io"})
	server.Put(
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "default", Annotations: map[string]string{informers.NodeSelectorAnnotation: "pool=a"}}},
		objects.DaemonSet("agent"), revision("first", 1), revision("second", 2),
		objects.Node("covered", objects.Label("pool", "a")), objects.Node("other"),
		objects.PodOf("agent", "covered", objects.Label(appsv1.ControllerRevisionHashLabelKey, "first")),
	)
	return server
}

// What a command answers does not depend on how fast an API server answers.
func TestAnswersAreComplete(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		args []string
		want string
	}{
		{"report", []string{"report"}, `"outdated": 1`},
		{"explain", []string{"explain", "agent"}, `"outdated": true`},
		{"wait", []string{"wait", "agent", "--timeout=0s"}, `"reason": "outdated"`},
	} {
		t.Run("revisions come late, and "+tc.name+" waits for them", func(t *testing.T) {
			t.Parallel()
			server, now := serveSelecting(t), &patientClock{waited: make(chan struct{})}
			server.Intercept(func(w http.ResponseWriter, r *http.Request, request apiserver.Request) http.ResponseWriter {
				if request.Resource == "controllerrevisions" {
					select {
					case <-now.waited:
					case <-r.Context().Done(): // the command has ended
					}
				}
				return w
			})
			got := askAt(t, now, &async.Buffer{}, "", append(tc.args, "--output=json", "--kubeconfig="+kubeconfig(t, server))...)
			check.That(t, strings.Contains(got.stdout, tc.want), "%s is not in %s%s", tc.want, got.stdout, got.stderr)
		})
	}
	t.Run("a namespace cannot be read at first, and no gap is made up", func(t *testing.T) {
		t.Parallel()
		server, failed := serveSelecting(t), false
		var mu sync.Mutex
		server.Intercept(func(w http.ResponseWriter, _ *http.Request, request apiserver.Request) http.ResponseWriter {
			mu.Lock()
			defer mu.Unlock()
			if request.Resource != "namespaces" || failed {
				return w
			}
			failed = true
			http.Error(w, "not now", http.StatusServiceUnavailable)
			return nil
		})
		got := askAt(t, &patientClock{waited: make(chan struct{})}, &async.Buffer{}, "", "report", "--output=json", "--kubeconfig="+kubeconfig(t, server))
		check.That(t, strings.Contains(got.stdout, `"namespace_selector": 1`) && strings.Contains(got.stdout, `"gaps": []`), "%s%s", got.stdout, got.stderr)
	})
}
