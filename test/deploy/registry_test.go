package deploy

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
)

// newRegistry starts an OCI registry and returns its host and port.
func newRegistry(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// publish publishes a release as the workflow does, and returns the references.
func publish(t *testing.T, dir, host string) []string {
	t.Helper()
	command := exec.CommandContext(t.Context(), root+"/tools/release/publish", version, host)
	command.Env = append(os.Environ(), "OUTPUT="+dir, "PLAIN_HTTP=1")
	var stderr strings.Builder
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	return strings.Fields(string(out))
}

// checkPublished compares references with what the registry has under the tags.
func checkPublished(t *testing.T, host string, published []string) {
	t.Helper()
	if len(published) != 2 {
		t.Fatalf("published %v", published)
	}
	for i, want := range []struct{ name, tag string }{{"daemonset_exporter", version}, {"charts/daemonset-exporter", version[1:]}} {
		repository, digest, _ := strings.Cut(published[i], "@")
		request := check.Must(http.NewRequestWithContext(t.Context(), http.MethodHead, "http://"+host+"/v2/"+want.name+"/manifests/"+want.tag, nil))(t)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if got := response.Header.Get("Docker-Content-Digest"); repository != host+"/"+want.name || got == "" || got != digest {
			t.Errorf("published %s, the registry has %s@%s", published[i], want.name, got)
		}
	}
}
