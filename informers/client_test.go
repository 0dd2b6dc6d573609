package informers_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/daemonset-exporter/daemonset_exporter/informers"
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

// nowhere makes the environment one without a cluster and without kubeconfigs.
func nowhere(t *testing.T) {
	t.Helper()
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	t.Setenv("KUBERNETES_SERVICE_PORT", "")
	t.Setenv("KUBECONFIG", "")
	t.Setenv("HOME", t.TempDir())
}

func kubeconfig(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTheAPIServerIsFound(t *testing.T) {
	for _, tc := range []struct {
		name    string
		options func(path string) informers.ClientOptions
		env     string
		host    string
	}{
		{
			"in the kubeconfig that is named", func(path string) informers.ClientOptions {
				return informers.ClientOptions{Kubeconfig: path}
			}, "", "https://one.example:6443",
		},
		{
			"in the context that is named", func(path string) informers.ClientOptions {
				return informers.ClientOptions{Kubeconfig: path, Context: "two"}
			}, "", "https://two.example:6443",
		},
		{
			"in the kubeconfig of the environment", func(string) informers.ClientOptions {
				return informers.ClientOptions{}
			}, "KUBECONFIG", "https://one.example:6443",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			nowhere(t)
			path := kubeconfig(t, twoContexts)
			if tc.env != "" {
				t.Setenv(tc.env, path)
			}
			options := tc.options(path)
			options.UserAgent = "daemonset_exporter/1.2.3"
			config, err := informers.LoadConfig(options)
			if err != nil {
				t.Fatal(err)
			}
			if config.Host != tc.host || config.BearerToken != "secret" || config.UserAgent != "daemonset_exporter/1.2.3" {
				t.Errorf("the configuration is for %s with token %q as %q", config.Host, config.BearerToken, config.UserAgent)
			}
			if config.ContentType != "application/vnd.kubernetes.protobuf" || config.AcceptContentTypes != "application/vnd.kubernetes.protobuf,application/json" {
				t.Errorf("the encodings are %q and %q", config.ContentType, config.AcceptContentTypes)
			}
		})
	}
}

func TestAKubeconfigThatCannotBeUsed(t *testing.T) {
	for _, tc := range []struct {
		name, text, context, says string
	}{
		{name: "it is missing", says: "no such file or directory"},
		{name: "it is no kubeconfig", text: "{", says: "cannot be used: "},
		{name: "it is empty", text: " ", says: "invalid configuration"},
		{name: "it lacks the context", text: twoContexts, context: "three", says: `context "three" does not exist`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			nowhere(t)
			path := filepath.Join(t.TempDir(), "missing")
			if tc.text != "" {
				path = kubeconfig(t, tc.text)
			}
			_, err := informers.LoadConfig(informers.ClientOptions{Kubeconfig: path, Context: tc.context})
			if err == nil || !strings.Contains(err.Error(), tc.says) || !strings.Contains(err.Error(), path) {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

func TestNoAPIServerAtAll(t *testing.T) {
	nowhere(t)
	_, err := informers.LoadConfig(informers.ClientOptions{})
	if err == nil || !strings.Contains(err.Error(), "set a kubeconfig (flag or KUBECONFIG)") {
		t.Errorf("the error is %v", err)
	}
}

func TestAPodWithoutAServiceAccountIsTold(t *testing.T) {
	nowhere(t)
	t.Setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
	t.Setenv("KUBERNETES_SERVICE_PORT", "443")
	_, err := informers.LoadConfig(informers.ClientOptions{})
	if err == nil || !strings.Contains(err.Error(), "cannot use the service account of the pod") {
		t.Errorf("the error is %v", err)
	}
	t.Run("a context says that a kubeconfig is meant", func(t *testing.T) {
		t.Setenv("KUBECONFIG", kubeconfig(t, twoContexts))
		config, err := informers.LoadConfig(informers.ClientOptions{Context: "two"})
		if err != nil || config.Host != "https://two.example:6443" {
			t.Errorf("the configuration is %v, %v", config, err)
		}
	})
}
