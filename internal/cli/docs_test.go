package cli_test

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/apiserver"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

var update = flag.Bool("update", false, "write the golden files")

// serveDocumented serves the cluster of docs/asking.md.
func serveDocumented(t *testing.T) *apiserver.Server {
	t.Helper()
	server := serveExample(t)
	linux, proxy := objects.Label("kubernetes.io/os", "linux"), objects.Label("proxy", "yes")
	server.Put(
		objects.Node("covered", linux, proxy), objects.Node("dead", linux, proxy, objects.Unreachable(0)),
		objects.DaemonSet("proxy", objects.NodeSelector("proxy", "yes")), revisionOf("proxy", "first", 1), revisionOf("agent", "first", 1),
		objects.PodOf("proxy", "covered"), objects.PodOf("proxy", "dead"),
	)
	return server
}

// The examples of docs/asking.md are what the commands print.
func TestDocumentedExamples(t *testing.T) {
	t.Parallel()
	page := string(check.Must(os.ReadFile("../../docs/asking.md"))(t))
	server := serveDocumented(t)
	folder := t.TempDir()
	blocks := regexp.MustCompile("(?s)```console\n(.*?)```").FindAllStringSubmatch(page, -1)
	seen := map[string]bool{}
	for _, block := range blocks {
		for _, example := range strings.Split("\n"+block[1], "\n$ daemonset_exporter ")[1:] {
			line, want, _ := strings.Cut(example, "\n")
			command, pattern, _ := strings.Cut(line, " | grep ")
			for _, file := range []string{"cluster.json", "incident.jsonl"} {
				command = strings.ReplaceAll(command, file, filepath.Join(folder, file))
			}
			args := strings.Fields(command)
			seen[args[0]] = true
			if args[0] == "record" {
				got := record(t, server, args[1], "", func() {})
				check.Equal(t, got, answer{}, line)
				continue
			}
			if !strings.Contains(line, "--from") && args[0] != "replay" {
				args = append(args, "--kubeconfig="+kubeconfig(t, server))
			}
			got := askWith(t, "", args...)
			check.Equal(t, strings.TrimSpace(grep(got.stdout, pattern)), strings.TrimSpace(want), line, got.stderr)
		}
	}
	for _, command := range []string{"explain", "wait", "report", "dump", "what-if", "record", "replay"} {
		check.That(t, seen[command], "there is no example of %s", command)
	}
}

// grep returns the lines that have the pattern.
func grep(text, pattern string) string {
	var found strings.Builder
	for line := range strings.Lines(text) {
		if strings.Contains(line, pattern) {
			found.WriteString(line)
		}
	}
	return found.String()
}

// The JSON of each command is in a golden file, and docs/api.md names all of its fields.
func TestGoldenJSON(t *testing.T) {
	t.Parallel()
	page := string(check.Must(os.ReadFile("../../docs/api.md"))(t))
	server := serveDocumented(t)
	key := regexp.MustCompile(`(?m)^ *"([A-Za-z]+)":`)
	for name, args := range map[string][]string{
		"explain": {"explain", "--node=tainted"},
		"pod":     {"explain", "agent", "--node=crashing"},
		"wait":    {"wait", "proxy"},
		"report":  {"report"},
		"what-if": {"what-if", "--taint=kubernetes.io/os=linux=spot=yes:NoExecute", "--taint=pool=a=b=c:NoExecute"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ask(t, server, append(args, "-o", "json")...)
			path := filepath.Join("testdata", name+".json")
			if *update {
				check.NoError(t, os.WriteFile(path, []byte(got.stdout), 0o600))
			}
			check.Equal(t, got.stdout, string(check.Must(os.ReadFile(path))(t)), got.stderr)
			for _, found := range key.FindAllStringSubmatch(got.stdout, -1) {
				check.That(t, strings.Contains(page, "`"+found[1]+"`"), "docs/api.md does not name %s", found[1])
			}
		})
	}
	t.Run("replay", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "incident.jsonl")
		record(t, server, path, "", func() {})
		got := askWith(t, "", "replay", path, "-o", "json")
		// The labels of metrics are in docs/metrics.md.
		text := regexp.MustCompile(`"labels": *\{[^}]*\}`).ReplaceAllString(got.stdout, `"labels":`)
		for _, found := range regexp.MustCompile(`"([a-z]+)":`).FindAllStringSubmatch(text, -1) {
			check.That(t, strings.Contains(page, "`"+found[1]+"`"), "docs/api.md does not name %s", found[1])
		}
	})
}
