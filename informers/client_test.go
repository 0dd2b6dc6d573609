package informers

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
)

const twoContexts = `
apiVersion: v1
kind: Config
current-context: one
clusters:
- {name: one, cluster: {server: "https://one.example:6443"}}
- {name: two, cluster: {server: "https://two.example:6443"}}
contexts:
- {name: one, context: {cluster: one, user: me}}
- {name: two, context: {cluster: two, user: me}}
users:
- {name: me, user: {token: secret}}
`

// TestLoadConfig changes the environment, so its cases are not parallel. In args
// and environment, PATH is the path of a file with the text kubeconfig; without
// one the file is missing.
func TestLoadConfig(t *testing.T) {
	inPod := map[string]string{"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}
	for _, tc := range []struct {
		name       string
		kubeconfig string
		options    ClientOptions
		env        map[string]string
		host       string
		// errs are parts of the error.
		errs []string
	}{
		{name: "uses the kubeconfig of the options", kubeconfig: twoContexts, options: ClientOptions{Kubeconfig: "PATH"}, host: "https://one.example:6443"},
		{name: "uses the context of the options", kubeconfig: twoContexts, options: ClientOptions{Kubeconfig: "PATH", Context: "two"}, host: "https://two.example:6443"},
		{name: "uses the kubeconfig of the environment", kubeconfig: twoContexts, env: map[string]string{"KUBECONFIG": "PATH"}, host: "https://one.example:6443"},
		{
			name: "uses a kubeconfig in a pod if there is a context", kubeconfig: twoContexts, options: ClientOptions{Context: "two"},
			env:  map[string]string{"KUBECONFIG": "PATH", "KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"},
			host: "https://two.example:6443",
		},
		{name: "fails if the kubeconfig is missing", options: ClientOptions{Kubeconfig: "PATH"}, errs: []string{"no such file or directory", "PATH"}},
		{name: "fails if it is not a kubeconfig", kubeconfig: "{", options: ClientOptions{Kubeconfig: "PATH"}, errs: []string{"cannot be used: ", "PATH"}},
		{name: "fails if it is empty", kubeconfig: " ", options: ClientOptions{Kubeconfig: "PATH"}, errs: []string{"invalid configuration", "PATH"}},
		{
			name: "fails if it lacks the context", kubeconfig: twoContexts, options: ClientOptions{Kubeconfig: "PATH", Context: "three"},
			errs: []string{`context "three" does not exist`, "PATH"},
		},
		{name: "fails without any configuration", errs: []string{"set a kubeconfig (flag or KUBECONFIG)"}},
		{name: "fails in a pod without a service account", env: inPod, errs: []string{"cannot use the service account of the pod"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "config")
			if tc.kubeconfig != "" {
				check.NoError(t, os.WriteFile(path, []byte(tc.kubeconfig), 0o600))
			}
			t.Setenv("HOME", t.TempDir())
			for _, name := range []string{"KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT", "KUBECONFIG"} {
				t.Setenv(name, strings.ReplaceAll(tc.env[name], "PATH", path))
			}
			tc.options.Kubeconfig = strings.ReplaceAll(tc.options.Kubeconfig, "PATH", path)
			tc.options.UserAgent = "daemonset_exporter/1.2.3"

			config, err := LoadConfig(tc.options)
			if len(tc.errs) > 0 {
				for _, part := range tc.errs {
					if part = strings.ReplaceAll(part, "PATH", path); err == nil || !strings.Contains(err.Error(), part) {
						t.Errorf("the error is %v, want %q in it", err, part)
					}
				}
				return
			}
			check.NoError(t, err)
			check.That(t, config.Host == tc.host && config.BearerToken == "secret" && config.UserAgent == "daemonset_exporter/1.2.3", "the configuration has host %s, token %q, user agent %q", config.Host, config.BearerToken, config.UserAgent)
			check.That(t, config.ContentType == "application/vnd.kubernetes.protobuf" && config.AcceptContentTypes == "application/vnd.kubernetes.protobuf,application/json", "the encodings are %q and %q", config.ContentType, config.AcceptContentTypes)
		})
	}
}
