package deploy

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/async"
	"github.com/daemonset-exporter/daemonset_exporter/test/cluster"
	"github.com/daemonset-exporter/daemonset_exporter/test/exporter"
)

// whoMayLook are the service accounts of the test: one that nobody allows anything,
// and one that may get everything.
const whoMayLook = `
apiVersion: v1
kind: ServiceAccount
metadata: {name: stranger, namespace: daemonset-exporter}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: reader, namespace: daemonset-exporter}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: reader}
rules: [{nonResourceURLs: [/, /metrics, /debug/pprof/*], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reader}
subjects: [{kind: ServiceAccount, name: reader, namespace: daemonset-exporter}]
`

// gate is an exporter behind the real API server's verdicts.
type gate struct {
	*fixture
	running *exporter.Exporter
	log     *async.Buffer
}

func newGate(t *testing.T) *gate {
	t.Helper()
	g := &gate{fixture: newCluster(t, cluster.Config{}), log: &async.Buffer{}}
	g.createNamespace(namespace, "restricted")
	g.must(g.Apply(t.Context(), []byte(kustomized(t, "kubernetes-auth"))))
	g.must(g.Apply(t.Context(), []byte(whoMayLook)))
	g.running = g.startAsItself(g.log, "--web.kubernetes-auth", "--web.enable-pprof")
	g.must(g.running.WaitReady(t.Context()))
	return g
}

// token returns a new token of a service account, for these audiences.
func (g *gate) token(account string, audiences ...string) string {
	g.t.Helper()
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{Audiences: audiences}}
	answer, err := g.Client().CoreV1().ServiceAccounts(namespace).CreateToken(g.t.Context(), account, request, metav1.CreateOptions{})
	g.must(err)
	return answer.Status.Token
}

// scraperToken returns the token that the ServiceMonitor uses.
func (g *gate) scraperToken() (token string) {
	g.t.Helper()
	g.must(g.Wait(g.t.Context(), "the token in the Secret", func(ctx context.Context) (bool, string, error) {
		secret, err := g.Client().CoreV1().Secrets(namespace).Get(ctx, release+"-scraper", metav1.GetOptions{})
		if err != nil {
			return false, "", err
		}
		token = string(secret.Data["token"])
		return token != "", "no token", nil
	}, cluster.ControllerManager))
	return token
}

// get requests a path with Authorization headers and returns the status.
func (g *gate) get(path string, authorizations ...string) int {
	g.t.Helper()
	request, err := http.NewRequestWithContext(g.t.Context(), http.MethodGet, g.running.URL+path, nil)
	g.must(err)
	for _, authorization := range authorizations {
		request.Header.Add("Authorization", authorization)
	}
	response, err := http.DefaultClient.Do(request)
	g.must(err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	g.must(err)
	if strings.Contains(string(body), "daemonset_") && response.StatusCode != http.StatusOK {
		g.t.Errorf("%s answers %d with metrics", path, response.StatusCode)
	}
	return response.StatusCode
}

func (g *gate) expect(want int, path string, authorizations ...string) {
	g.t.Helper()
	if got := g.get(path, authorizations...); got != want {
		g.t.Errorf("%s with %.30q answers %d, want %d", path, authorizations, got, want)
	}
}

func TestKubernetesAuth(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	scraper, reader, stranger := "Bearer "+g.scraperToken(), "Bearer "+g.token("reader"), "Bearer "+g.token("stranger")
	// Subtests change the cluster, so they run one after the other.
	for _, tc := range []struct {
		name string
		test func(g *gate)
	}{
		{"who has no token, or not one, gets 401", func(g *gate) {
			for _, path := range []string{"/metrics", "/", "/debug/pprof/", "/nothing"} {
				g.expect(http.StatusUnauthorized, path)
			}
			for _, authorizations := range [][]string{
				{"Bearer invalid"},
				{"Basic dXNlcjpwYXNzd29yZA=="},
				{reader, reader},
				{reader, stranger},
				{reader, "Basic dXNlcjpwYXNzd29yZA=="},
				{"Bearer " + strings.Repeat("x", 8<<10+1)},
				{"Bearer " + g.token("reader", "another-audience")},
			} {
				g.expect(http.StatusUnauthorized, "/metrics", authorizations...)
			}
		}},
		{"who has no right gets 403", func(g *gate) {
			g.expect(http.StatusForbidden, "/metrics", stranger)
			g.expect(http.StatusForbidden, "/debug/pprof/", scraper)
		}},
		{"who has the right gets the page", func(g *gate) {
			g.expect(http.StatusOK, "/metrics", scraper)
			for _, path := range []string{"/metrics", "/", "/debug/pprof/"} {
				g.expect(http.StatusOK, path, reader)
			}
			for _, path := range []string{"/-/healthy", "/-/ready"} {
				g.expect(http.StatusOK, path)
			}
		}},
		{"a right that is revoked is gone within a minute", func(g *gate) {
			g.must(g.Client().RbacV1().ClusterRoleBindings().Delete(g.t.Context(), release+"-scraper", metav1.DeleteOptions{}))
			ctx, cancel := context.WithTimeout(g.t.Context(), 75*time.Second)
			defer cancel()
			g.must(g.Wait(ctx, "the scraper to be refused", func(context.Context) (bool, string, error) {
				code := g.get("/metrics", scraper)
				return code == http.StatusForbidden, fmt.Sprint(code), nil
			}))
		}},
		{"while the API server is away, who was allowed stays so and others get 503", func(g *gate) {
			unknown := "Bearer " + g.token("reader")
			g.expect(http.StatusOK, "/metrics", reader)
			before := g.asked()
			g.must(g.StopAPIServer())
			g.expect(http.StatusServiceUnavailable, "/metrics", unknown)
			ctx, cancel := context.WithTimeout(g.t.Context(), 2*patience)
			defer cancel()
			// After a minute the verdict is old, and the API server is asked in vain.
			poll := time.NewTicker(time.Second)
			defer poll.Stop()
			for start := time.Now(); time.Since(start) < 65*time.Second; {
				g.expect(http.StatusOK, "/metrics", reader)
				select {
				case <-poll.C:
				case <-ctx.Done():
					g.t.Fatal(ctx.Err())
				}
			}
			if got := g.asked() - before; got != 1 {
				g.t.Errorf("the log says it %d times:\n%s", got, g.log.String())
			}
			g.must(g.StartAPIServer(g.t.Context()))
			g.must(g.Wait(ctx, "the unknown token to be accepted", func(context.Context) (bool, string, error) {
				code := g.get("/metrics", unknown)
				return code == http.StatusOK, fmt.Sprint(code), nil
			}))
		}},
		{"no token is logged", func(g *gate) {
			for _, authorization := range []string{scraper, reader, stranger} {
				if strings.Contains(g.log.String(), strings.TrimPrefix(authorization, "Bearer ")) {
					g.t.Error("the log has a token")
				}
			}
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			fixture := *g.fixture
			fixture.t = t
			tc.test(&gate{&fixture, g.running, g.log})
		})
	}
}

// asked returns how often the log says that the API server cannot be asked.
func (g *gate) asked() int {
	return strings.Count(g.log.String(), "cannot ask the API server who may look")
}
