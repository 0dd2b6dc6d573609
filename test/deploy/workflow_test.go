package deploy

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestWorkflowsAreSoundAndPinned(t *testing.T) {
	t.Parallel()
	workflows, err := filepath.Glob(root + "/.github/workflows/*.yml")
	if err != nil || len(workflows) == 0 {
		t.Fatalf("no workflows: %v", err)
	}
	// What is not everywhere is not asked.
	tool(t, "actionlint", append([]string{"-shellcheck=", "-pyflakes="}, workflows...)...)
	pinned := regexp.MustCompile(`uses: \S+@[0-9a-f]{40} # v\d`)
	for _, workflow := range workflows {
		for line := range strings.Lines(string(read(t, workflow))) {
			if strings.Contains(line, "uses: ") && !pinned.MatchString(line) {
				t.Errorf("%s: not pinned by commit: %s", filepath.Base(workflow), strings.TrimSpace(line))
			}
		}
	}
}
