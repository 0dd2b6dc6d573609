package deploy

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
)

var codeBlock = regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```$")

// block is a block of code of a page, in a section.
type block struct{ page, section, language, code string }

// blocks returns the blocks of the pages about installing.
func blocks(t *testing.T) []block {
	t.Helper()
	var found []block
	for _, page := range []string{"docs/installing.md", "docs/openshift.md", "docs/clouds.md"} {
		for _, text := range strings.Split(string(read(t, root+"/"+page)), "\n## ") {
			section, _, _ := strings.Cut(text, "\n")
			for _, code := range codeBlock.FindAllStringSubmatch(text, -1) {
				found = append(found, block{page, section, code[1], code[2]})
			}
		}
	}
	return found
}

// TestPages renders every block of values, and reads all YAML strictly.
func TestPages(t *testing.T) {
	t.Parallel()
	count := map[bool]int{}
	for _, block := range blocks(t) {
		if block.language != "yaml" {
			continue
		}
		isValues := strings.HasPrefix(block.code, "# values.yaml\n")
		count[isValues]++
		t.Run(block.page+" "+block.section, func(t *testing.T) {
			t.Parallel()
			if !isValues {
				for _, document := range strings.Split(block.code, "\n---\n") {
					var content map[string]any
					if err := yaml.UnmarshalStrict([]byte(document), &content); err != nil {
						t.Errorf("%v in\n%s", err, document)
					}
				}
				return
			}
			path := filepath.Join(t.TempDir(), "values.yaml")
			check.NoError(t, os.WriteFile(path, []byte(block.code), 0o600))
			objects(t, tool(t, "helm", append(templateArgs(), "--values", path)...))
		})
	}
	if count[true] < 5 || count[false] < 4 {
		t.Errorf("there are %d blocks of values and %d others", count[true], count[false])
	}
}

// TestPromisedOperator: what the page promises is what the tests install.
func TestPromisedOperator(t *testing.T) {
	t.Parallel()
	promised := regexp.MustCompile(`Prometheus Operator\s+(\d+\.\d+) or later`).FindSubmatch(read(t, root+"/docs/installing.md"))
	check.Require(t, promised != nil, "the page promises no version of the Prometheus Operator")
	check.That(t, strings.Contains(operatorModule, "@v"+string(promised[1])+"."), "the page promises %s, and the tests install %s", promised[1], operatorModule)
}

// TestInstallingPages runs every block of commands as a new user would, each in a cluster
// without the exporter, and then scrapes the exporter that it installed.
func TestInstallingPages(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	f.must(f.Apply(t.Context(), []byte(agent)))
	host := newRegistry(t)
	published := publish(t, released(t), host)
	t.Run("image and chart are in the registry under their digests", func(t *testing.T) { checkPublished(t, host, published) })
	overlay := ""
	count := 0
	for _, block := range blocks(t) {
		if block.language == "yaml" && strings.Contains(block.code, "kind: Kustomization") {
			overlay = block.code
		}
		if block.language != "shell" {
			continue
		}
		count++
		t.Run(block.page+" "+block.section, func(t *testing.T) {
			g := *f
			g.t = t
			g.runBlock(g.localized(block.code, host), g.localized(overlay, host))
			g.scrapesInstalled()
			g.uninstallAll()
		})
	}
	if count < 7 {
		t.Errorf("there are only %d blocks of commands", count)
	}
}

// localized returns code that installs from the sources and from a registry of the test.
func (s *fixture) localized(code, registry string) string {
	s.t.Helper()
	deploy, err := filepath.Abs(root + "/deploy")
	s.must(err)
	const remote = `https://github.com/daemonset-exporter/daemonset_exporter//deploy`
	code = regexp.MustCompile(regexp.QuoteMeta(remote)+`(\S*?)\?ref=v0\.1\.0`).ReplaceAllString(code, deploy+"$1")
	code = strings.ReplaceAll(code, "oci://ghcr.io/daemonset-exporter", "--plain-http oci://"+registry)
	return strings.ReplaceAll(code, "daemonset-exporter deploy/helm", "daemonset-exporter "+deploy+"/helm")
}

// runBlock runs commands in a directory with what the page tells its reader to have.
func (s *fixture) runBlock(code, overlay string) {
	s.t.Helper()
	// The shortest way from a temporary directory: kustomize takes no absolute paths.
	dir, err := os.MkdirTemp("", "page-")
	s.must(err)
	s.t.Cleanup(func() { _ = os.RemoveAll(dir) })
	deploy, err := filepath.Abs(root + "/deploy")
	s.must(err)
	relative, err := filepath.Rel(dir, deploy)
	s.must(err)
	certificate, key := selfSigned(s.t, time.Now().Add(time.Hour))
	for name, content := range map[string][]byte{
		"kustomization.yaml": []byte(strings.ReplaceAll(overlay, deploy, relative)),
		"namespace.yaml":     read(s.t, root+"/deploy/kustomize/operator/namespace.yaml"),
		"tls.crt":            certificate, "tls.key": key, "ca.crt": certificate,
		"web-config.yaml": []byte("tls_server_config: {cert_file: tls.crt, key_file: tls.key}\n"),
	} {
		s.must(os.WriteFile(filepath.Join(dir, name), content, 0o600))
	}
	tools, err := programs()
	s.must(err)
	command := exec.CommandContext(s.t.Context(), "bash", "-euo", "pipefail", "-c", code)
	command.Dir = dir
	command.Env = append(os.Environ(), "KUBECONFIG="+s.Kubeconfig(), "HOME="+dir,
		"PATH="+strings.Join([]string{tools, filepath.Dir(s.Program("kubectl")), os.Getenv("PATH")}, ":"))
	if out, err := command.CombinedOutput(); err != nil {
		s.t.Fatalf("%v\n%s\n%s", err, code, out)
	}
}

// scrapesInstalled waits for the pod of the installed Deployment, runs the exporter as
// that pod would, and scrapes it.
func (s *fixture) scrapesInstalled() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	s.must(s.WaitPods(ctx, namespace, "app.kubernetes.io/name="+release, "the exporter's pod to be Ready", ready(1)))
	deployment, err := s.Client().AppsV1().Deployments(namespace).Get(ctx, release, metav1.GetOptions{})
	s.must(err)
	pod := deployment.Spec.Template.Spec
	dir := s.mounted(ctx, pod.Volumes)
	args := slices.DeleteFunc(pod.Containers[0].Args, func(arg string) bool { return strings.HasPrefix(arg, "--web.listen-address") })
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "/etc/daemonset-exporter/web", dir)
	}
	running := s.startAsItself(nil, args...)
	url := running.URL
	if strings.Contains(strings.Join(args, " "), "--web.config.file") {
		url = strings.Replace(url, "http:", "https:", 1)
	}
	token := ""
	if slices.Contains(args, "--web.kubernetes-auth") {
		secret, err := s.Client().CoreV1().Secrets(namespace).Get(ctx, release+"-scraper", metav1.GetOptions{})
		s.must(err)
		token = string(secret.Data["token"])
	}
	s.must(s.Wait(ctx, "a scrape that has daemonset_expected_nodes", func(ctx context.Context) (bool, string, error) {
		body, err := s.scrapeWith(ctx, url, token)
		return strings.Contains(body, "\ndaemonset_expected_nodes{"), body[:min(len(body), 200)], err
	}))
	s.must(running.Stop())
}

// mounted returns a directory with the files of the pod's Secret.
func (s *fixture) mounted(ctx context.Context, volumes []corev1.Volume) string {
	s.t.Helper()
	dir := s.t.TempDir()
	for _, volume := range volumes {
		secret, err := s.Client().CoreV1().Secrets(namespace).Get(ctx, volume.Secret.SecretName, metav1.GetOptions{})
		s.must(err)
		for name, content := range secret.Data {
			s.must(os.WriteFile(filepath.Join(dir, name), content, 0o600))
		}
	}
	return dir
}

// scrapeWith returns the metrics. The certificate of the test names another host.
func (s *fixture) scrapeWith(ctx context.Context, url, token string) (string, error) {
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/metrics", nil)
	if err != nil {
		return "", err
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("HTTP %d: %s", response.StatusCode, body)
	}
	return string(body), err
}

// uninstallAll deletes the namespace and whatever else has the labels of the exporter.
func (s *fixture) uninstallAll() {
	s.t.Helper()
	s.kubectl("delete", "namespace", namespace, "--wait=false")
	s.kubectl("delete", "clusterroles,clusterrolebindings,priorityclasses", "--selector", "app.kubernetes.io/instance="+release)
	s.kubectl("delete", "roles,rolebindings", "--all-namespaces", "--selector", "app.kubernetes.io/instance="+release)
	s.must(s.Wait(s.t.Context(), "the namespace to be deleted", func(ctx context.Context) (bool, string, error) {
		_, err := s.Client().CoreV1().Namespaces().Get(ctx, namespace, metav1.GetOptions{})
		return apierrors.IsNotFound(err), "it is there", nil
	}))
}
