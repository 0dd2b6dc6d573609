package shipped

import (
	"fmt"
	"os"
	"strings"
)

// RunbookSections returns the headings of a page, in order.
func RunbookSections() []string {
	return []string{"Meaning", "Impact", "Diagnosis", "Mitigation", "False positives", "Threshold"}
}

// RunbookQueries returns the lines of PromQL on a page, without comments.
func RunbookQueries(path string) ([]string, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read runbook: %w", err)
	}
	var queries []string
	inside := false
	for line := range strings.Lines(string(content)) {
		line = strings.TrimSpace(line)
		switch {
		case line == "```promql":
			inside = true
		case line == "```":
			inside = false
		case inside && line != "" && !strings.HasPrefix(line, "#"):
			queries = append(queries, line)
		}
	}
	return queries, nil
}
