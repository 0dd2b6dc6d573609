package shipped_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/daemonset-exporter/daemonset_exporter/test/scenarios/shipped"
)

var update = flag.Bool("update", false, "write what is generated")

func path(t *testing.T, name string) string {
	t.Helper()
	root, err := shipped.Root()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(root, name)
}

func rules(t *testing.T) *shipped.Rules {
	t.Helper()
	rules, err := shipped.ReadRules(path(t, shipped.RuleFile))
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

func vocabulary(t *testing.T) *shipped.Vocabulary {
	t.Helper()
	vocabulary, err := shipped.NewVocabulary(rules(t))
	if err != nil {
		t.Fatal(err)
	}
	return vocabulary
}

// go test ./scenarios/shipped -update writes it.
func TestPrometheusRuleIsTheRuleFile(t *testing.T) {
	t.Parallel()
	plain, err := os.ReadFile(path(t, shipped.RuleFile))
	if err != nil {
		t.Fatal(err)
	}
	want := shipped.PrometheusRule(plain)
	if *update {
		if err := os.WriteFile(path(t, shipped.PrometheusRuleFile), want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path(t, shipped.PrometheusRuleFile))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what %s says; run `go test ./scenarios/shipped -update` in test/", shipped.PrometheusRuleFile, shipped.RuleFile)
	}
}

func TestRulesSpeakOfWhatExists(t *testing.T) {
	t.Parallel()
	vocabulary := vocabulary(t)
	for _, rule := range rules(t).All() {
		if err := vocabulary.Check(rule.Expr); err != nil {
			t.Errorf("%s%s: %v", rule.Alert, rule.Record, err)
		}
	}
}

func TestQueriesOfWhatDoesNotExistAreFound(t *testing.T) {
	t.Parallel()
	vocabulary := vocabulary(t)
	for query, fault := range map[string]string{
		`daemonset_gap_node`:                                        "no metric",
		`daemonset_gap_nodes{node="a"}`:                             "no label",
		`daemonset_gap_nodes{reason="imagepull"}`:                   "is never",
		`sum by (zone) (daemonset_gap_nodes)`:                       "nothing has",
		`daemonset:coverage:ratio{node="a"}`:                        "no label",
		`daemonset_gap_duration_seconds_bucket{namespace="a",x=""}`: "no label",
	} {
		if err := vocabulary.Check(query); err == nil || !strings.Contains(err.Error(), fault) {
			t.Errorf("%s: got %v, want %q", query, err, fault)
		}
	}
}

func TestEveryAlertIsWhole(t *testing.T) {
	t.Parallel()
	for _, alert := range rules(t).Alerts() {
		if alert.For == "" {
			t.Errorf("%s has no for", alert.Alert)
		}
		if !slices.Contains([]string{"critical", "warning"}, alert.Labels["severity"]) {
			t.Errorf("%s: severity %q", alert.Alert, alert.Labels["severity"])
		}
		for _, annotation := range []string{"summary", "description", "runbook_url"} {
			if alert.Annotations[annotation] == "" {
				t.Errorf("%s has no %s", alert.Alert, annotation)
			}
		}
		page := shipped.Runbooks + "/" + alert.Alert + ".md"
		if !strings.HasSuffix(alert.Annotations["runbook_url"], "/blob/main/"+page) {
			t.Errorf("%s: runbook_url %q", alert.Alert, alert.Annotations["runbook_url"])
		}
	}
}

func TestEveryAlertHasTests(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(path(t, shipped.RuleTests), "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var all []byte
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, content...)
	}
	for _, alert := range rules(t).Alerts() {
		if !bytes.Contains(all, []byte(alert.Alert)) {
			t.Errorf("%s has no test in %s", alert.Alert, shipped.RuleTests)
		}
	}
}

func TestAlertmanagerSpeaksOfAlertsThatExist(t *testing.T) {
	t.Parallel()
	config, err := os.ReadFile(path(t, shipped.AlertmanagerFile))
	if err != nil {
		t.Fatal(err)
	}
	var known []string
	for _, alert := range rules(t).Alerts() {
		known = append(known, alert.Alert)
	}
	for _, name := range regexp.MustCompile(`DaemonSet[A-Z]\w+`).FindAllString(string(config), -1) {
		if !slices.Contains(known, name) {
			t.Errorf("there is no alert %s", name)
		}
	}
}
