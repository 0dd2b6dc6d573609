package deploy

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
)

func TestWorkflows(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(root + "/.github/workflows/*.yml")
	check.Require(t, err == nil && len(files) != 0, "no workflows: %v", err)
	t.Run("actionlint finds nothing", func(t *testing.T) {
		t.Parallel()
		// shellcheck and pyflakes are not everywhere.
		tool(t, "actionlint", append([]string{"-shellcheck=", "-pyflakes="}, files...)...)
	})
	t.Run("actions are pinned by commit", func(t *testing.T) {
		t.Parallel()
		pinned := regexp.MustCompile(`uses: \S+@[0-9a-f]{40} # v\d`)
		for _, file := range files {
			for line := range strings.Lines(string(read(t, file))) {
				check.That(t, !strings.Contains(line, "uses: ") || pinned.MatchString(line), "%s: %s", filepath.Base(file), strings.TrimSpace(line))
			}
		}
	})
	t.Run("make targets exist, and the quick ones run before the long ones", func(t *testing.T) {
		t.Parallel()
		var workflow struct {
			Jobs map[string]struct {
				Needs    []string `json:"needs"`
				Strategy struct {
					Matrix struct {
						Target []string `json:"target"`
					} `json:"matrix"`
				} `json:"strategy"`
				Steps []struct {
					Run string `json:"run"`
				} `json:"steps"`
			} `json:"jobs"`
		}
		check.NoError(t, yaml.Unmarshal(read(t, root+"/.github/workflows/ci.yml"), &workflow))
		makefile := "\n" + string(read(t, root+"/Makefile"))
		var all []string
		for name, job := range workflow.Jobs {
			targets := job.Strategy.Matrix.Target
			for _, step := range job.Steps {
				if target, found := strings.CutPrefix(step.Run, "make "); found && !strings.Contains(target, "$") {
					targets = append(targets, target)
				}
			}
			for _, target := range targets {
				check.That(t, strings.Contains(makefile, "\n"+target+":"), "job %s: there is no make target %s", name, target)
				check.That(t, !strings.HasPrefix(target, "test-") || slices.Equal(job.Needs, []string{"check", "verify"}), "job %s runs %s and needs %v", name, target, job.Needs)
			}
			all = append(all, targets...)
		}
		slices.Sort(all)
		check.Equal(t, all, []string{"check", "test-e2e", "test-scenarios", "test-unit", "verify", "vulnerabilities"}, "targets that it runs")
	})
}
