package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/test/cluster"
	"github.com/daemonset-exporter/daemonset_exporter/test/cluster/clustertest"
)

// TestLists reads everything as the API server can send it: in a stream with the feature
// gate WatchList, in pages without. The API server's own log says how it was read.
func TestLists(t *testing.T) {
	t.Parallel()
	for name, gates := range map[string]string{"as by default": "", "without streams": "WatchList=false"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			policy, log := filepath.Join(dir, "policy.yaml"), filepath.Join(dir, "audit.log")
			check.NoError(t, os.WriteFile(policy, []byte("apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Metadata}]\n"), 0o600))
			flags := map[string]string{"audit-policy-file": policy, "audit-log-path": log, "audit-log-mode": "blocking-strict"}
			if gates != "" {
				flags["feature-gates"] = gates
			}
			f := &fixture{t: t, Cluster: clustertest.Start(t, cluster.Config{
				Flags: map[cluster.Component]map[string]string{cluster.APIServer: flags},
			})}
			for _, node := range workers("a", "b") {
				f.must(f.AddNode(t.Context(), node))
			}
			f.apply(daemonSet{name: "agent"})
			f.startExporter()
			f.expect("the agent on both nodes",
				`daemonset_expected_nodes{daemonset="agent"} 2`, `daemonset_covered_nodes{daemonset="agent"} 2`)

			want := "pages"
			if f.serves(`kubernetes_feature_enabled{name="WatchList",stage="`, "} 1") {
				want = "a stream"
			}
			check.That(t, gates == "" || want == "pages", "the feature gate is on with %s", gates)
			for _, resource := range []string{"nodes", "pods", "daemonsets"} {
				check.Equal(t, readBy(t, log, resource), want, "how", resource, "are read")
			}
			t.Attr("lists", want)
		})
	}
}

// serves reports whether the API server's own metrics have a line with these ends.
func (f *fixture) serves(begin, end string) bool {
	f.t.Helper()
	metrics := check.Must(f.Client().Discovery().RESTClient().Get().AbsPath("/metrics").DoRaw(f.t.Context()))(f.t)
	for line := range bytes.Lines(metrics) {
		line = bytes.TrimSpace(line)
		if bytes.HasPrefix(line, []byte(begin)) && bytes.HasSuffix(line, []byte(end)) {
			return true
		}
	}
	return false
}

// readBy returns how the exporter has read a resource, according to the audit log.
func readBy(t *testing.T, path, resource string) string {
	t.Helper()
	content := check.Must(os.ReadFile(path))(t)
	how := ""
	for lines := bufio.NewScanner(bytes.NewReader(content)); lines.Scan(); {
		var event struct {
			RequestURI, UserAgent string
			ResponseStatus        struct{ Code int }
			ObjectRef             struct{ Resource string }
		}
		if err := json.Unmarshal(lines.Bytes(), &event); err != nil {
			t.Fatalf("%v in %s", err, lines.Text())
		}
		if !strings.HasPrefix(event.UserAgent, "daemonset_exporter/") || event.ObjectRef.Resource != resource || event.ResponseStatus.Code != 200 {
			continue
		}
		switch {
		case strings.Contains(event.RequestURI, "sendInitialEvents=true"):
			how += "a stream"
		case strings.Contains(event.RequestURI, "limit="):
			how += "pages"
		}
	}
	return how
}
