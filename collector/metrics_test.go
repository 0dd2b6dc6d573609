package collector

import (
	"fmt"
	"strings"
	"testing"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
)

// Help is sent with every scrape; what does not fit belongs into Notes.
const (
	maxHelp     = 140
	maxMeanHelp = 110
)

func TestMetrics(t *testing.T) {
	t.Parallel()
	t.Run("the help of each is one short sentence", func(t *testing.T) {
		t.Parallel()
		total := 0
		for _, row := range Metrics() {
			if err := checkHelp(row.Help); err != nil {
				t.Errorf("%s: %v", row.Name, err)
			}
			total += len(row.Help)
		}
		if rows := len(Metrics()); total >= maxMeanHelp*rows {
			t.Errorf("help has %d characters in %d rows: a mean of %d or more", total, rows, maxMeanHelp)
		}
	})
	t.Run("notes are whole sentences", func(t *testing.T) {
		t.Parallel()
		for _, row := range Metrics() {
			check.That(t, row.Notes == "" || strings.HasSuffix(row.Notes, "."), "%s: notes %q do not end in a full stop", row.Name, row.Notes)
		}
	})
	t.Run("help that is not one short sentence is found", func(t *testing.T) {
		t.Parallel()
		for help, fault := range map[string]string{
			"":                                  "0 characters",
			"Number of nodes.":                  "16 characters",
			"Number of nodes in the cluster":    "full stop",
			"Number of nodes. Zeros are left.":  "more than one",
			"Number of nodes; zeros are left.":  "more than one",
			strings.Repeat("n", maxHelp) + ".":  "141 characters",
			"Number of nodes. In the .status. ": "full stop",
		} {
			if err := checkHelp(help); err == nil || !strings.Contains(err.Error(), fault) {
				t.Errorf("%q: got %v, want %q", help, err, fault)
			}
		}
		if err := checkHelp("Difference between .status and what is recomputed."); err != nil {
			t.Error(err)
		}
	})
}

// checkHelp returns what keeps a help text from being one short sentence.
func checkHelp(help string) error {
	switch {
	case len(help) < 25 || len(help) > maxHelp:
		return fmt.Errorf("help has %d characters, want 25 to %d: %q", len(help), maxHelp, help)
	case !strings.HasSuffix(help, "."):
		return fmt.Errorf("help does not end in a full stop: %q", help)
	case strings.Contains(help, ". ") || strings.Contains(help, "; "):
		return fmt.Errorf("help is more than one sentence: %q", help)
	}
	return nil
}
