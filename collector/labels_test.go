package collector

import (
	"strings"
	"testing"
)

func TestCheckNodeLabels(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, err string
		labels    []NodeLabel
	}{
		{"labels with names of their own are valid", "", []NodeLabel{{"a", "pool"}, {"b", "arch"}}},
		{"a node label is needed", `metric label "pool" has no node label`, []NodeLabel{{"", "pool"}}},
		{"a dash is not valid", `"node-pool" is not a valid metric label: `, []NodeLabel{{"a", "node-pool"}}},
		{"two underscores in front are not valid", `"__pool" is not a valid metric label: `, []NodeLabel{{"a", "__pool"}}},
		{"a label of the table is reserved", `metric label "zone" is reserved: `, []NodeLabel{{"a", "zone"}}},
		{"a label of Prometheus is reserved", `metric label "le" is reserved: `, []NodeLabel{{"a", "le"}}},
		{"a label is used once", `metric label "pool" is used more than once`, []NodeLabel{{"a", "pool"}, {"b", "pool"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			err := CheckNodeLabels(tc.labels)
			if tc.err == "" && err != nil || tc.err != "" && (err == nil || !strings.HasPrefix(err.Error(), tc.err)) {
				t.Errorf("error %v, want %q", err, tc.err)
			}
		})
	}
}
