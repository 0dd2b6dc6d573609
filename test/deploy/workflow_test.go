package deploy

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/test/cluster/build"
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
	makefile := "\n" + string(read(t, root+"/Makefile"))
	exists := func(t *testing.T, job, target string) {
		t.Helper()
		check.That(t, strings.Contains(makefile, "\n"+target+":"), "job %s: there is no make target %s", job, target)
	}
	t.Run("make targets exist, and the quick ones run before the long ones", func(t *testing.T) {
		t.Parallel()
		var all []string
		for name, job := range readWorkflow(t, "ci").Jobs {
			for _, target := range job.targets() {
				exists(t, name, target)
				check.That(t, !strings.HasPrefix(target, "test-") || slices.Equal(job.Needs, []string{"check", "verify"}), "job %s runs %s and needs %v", name, target, job.Needs)
				all = append(all, target)
			}
		}
		slices.Sort(all)
		check.Equal(t, all, []string{"check", "test-e2e", "test-scenarios", "test-unit", "verify", "vulnerabilities"}, "targets that it runs")
	})
	t.Run("each night what takes longer, on all versions of Kubernetes", func(t *testing.T) {
		t.Parallel()
		jobs := readWorkflow(t, "nightly").Jobs
		check.Equal(t, jobs["skew"].Strategy.Matrix.Version, check.Must(build.Versions(t.Context()))(t), "versions of Kubernetes")
		var all []string
		for name, job := range jobs {
			for _, target := range job.targets() {
				exists(t, name, target)
				all = append(all, target)
			}
		}
		slices.Sort(all)
		check.Equal(t, all, []string{"conform", "fuzz", "test-faults", "test-skew", "vulnerabilities"}, "targets that it runs")
	})
}

type workflow struct {
	Jobs map[string]workflowJob `json:"jobs"`
}

type workflowJob struct {
	Needs    []string `json:"needs"`
	Strategy struct {
		Matrix struct {
			Target  []string `json:"target"`
			Version []string `json:"version"`
		} `json:"matrix"`
	} `json:"strategy"`
	Steps []struct {
		Run string `json:"run"`
	} `json:"steps"`
}

func readWorkflow(t *testing.T, name string) workflow {
	t.Helper()
	var content workflow
	check.NoError(t, yaml.Unmarshal(read(t, root+"/.github/workflows/"+name+".yml"), &content))
	return content
}

// targets returns the make targets that a job runs.
func (j workflowJob) targets() []string {
	targets := slices.Clone(j.Strategy.Matrix.Target)
	for _, step := range j.Steps {
		command, found := strings.CutPrefix(step.Run, "make ")
		target, _, _ := strings.Cut(command, " ")
		if found && !strings.Contains(target, "$") {
			targets = append(targets, target)
		}
	}
	return targets
}
