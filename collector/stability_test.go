package collector

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// recordedMetrics holds the stable metrics of the last release.
const recordedMetrics = "testdata/stable_metrics.txt"

// unannounced returns what is wrong with the stable metrics: those that differ from
// the recorded ones without a [CHANGE] in the changelog's section on what is
// unreleased, and those that are not recorded.
func unannounced(recorded, stable []string, changelog string) []string {
	_, unreleased, _ := strings.Cut(changelog, "\n## ")
	unreleased, _, _ = strings.Cut(unreleased, "\n## ")
	var problems []string
	names := map[string]bool{}
	for _, line := range recorded {
		name, _, _ := strings.Cut(line, " ")
		names[name] = true
		announced := slices.ContainsFunc(strings.Split(unreleased, "\n"), func(entry string) bool {
			return strings.HasPrefix(entry, "* [CHANGE]") && strings.Contains(entry, "`"+name+"`")
		})
		if !announced && !slices.Contains(stable, line) {
			problems = append(problems, "changed: "+line)
		}
	}
	for _, line := range stable {
		if name, _, _ := strings.Cut(line, " "); !names[name] {
			problems = append(problems, "new: "+line)
		}
	}
	return problems
}

func TestStableMetrics(t *testing.T) {
	t.Parallel()
	read := func(path string) string {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	var stable []string
	for _, m := range Metrics() {
		if m.Stable {
			line := fmt.Sprintf("%s %s %s", m.Name, strings.ToLower(m.Type.String()), strings.Join(m.Labels, ","))
			stable = append(stable, strings.TrimSpace(line))
		}
	}
	recorded := strings.Split(strings.TrimSpace(read(recordedMetrics)), "\n")
	for _, problem := range unannounced(recorded, stable, read("../CHANGELOG.md")) {
		t.Errorf("%s: name a changed metric in a line [CHANGE] of CHANGELOG.md; add a new one to collector/%s, and at a release also what changed", problem, recordedMetrics)
	}

	t.Run("a change is a problem until the changelog names it", func(t *testing.T) {
		t.Parallel()
		const changelog = "# Changelog\n\n## main / unreleased\n\n%s\n\n## 0.1.0\n\n* [CHANGE] `daemonset_c` is gone.\n"
		for _, tc := range []struct{ name, recorded, stable, entry, want string }{
			{"the same", "daemonset_a gauge namespace", "daemonset_a gauge namespace", "", ""},
			{"another label", "daemonset_a gauge namespace", "daemonset_a gauge namespace,node", "", "changed: daemonset_a gauge namespace"},
			{"another type", "daemonset_a gauge x", "daemonset_a counter x", "", "changed: daemonset_a gauge x"},
			{"announced", "daemonset_a gauge x", "daemonset_a counter x", "* [CHANGE] `daemonset_a` counts.", ""},
			{"announced otherwise", "daemonset_a gauge x", "daemonset_a counter x", "* [BUGFIX] `daemonset_a` counts.", "changed: daemonset_a gauge x"},
			{"announced in an older release", "daemonset_c gauge x", "daemonset_c gauge y", "", "changed: daemonset_c gauge x"},
			{"new", "daemonset_a gauge x", "daemonset_a gauge x\ndaemonset_b gauge x", "", "new: daemonset_b gauge x"},
		} {
			got := unannounced(strings.Split(tc.recorded, "\n"), strings.Split(tc.stable, "\n"), fmt.Sprintf(changelog, tc.entry))
			if strings.Join(got, "; ") != tc.want {
				t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
			}
		}
	})
}
