package main

import (
	"testing"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
)

func TestVerdict(t *testing.T) {
	events := []byte(`{"Action":"run","Test":"TestLists/as_by_default"}
{"Action":"attr","Test":"TestLists/as_by_default","Key":"lists","Value":"a stream"}
{"Action":"attr","Test":"TestLists/without_streams","Key":"lists","Value":"pages"}
{"Action":"pass","Test":"TestLists"}
FAIL	something
{"Action":"output","Test":"TestGapReason","Output":"wrong\n"}
{"Action":"pass","Test":"TestPlacement"}
{"Action":"fail","Test":"TestGapReason"}
{"Action":"pass","Test":"TestRollout"}
`)
	told := outcome{passed: map[string]bool{}, said: map[string]string{}}
	check.Equal(t, told.read(events), "FAIL\tsomething\nwrong\n", "what the tests print")
	want := map[string]string{"node failure": fails, "placement": fails, "rollout": passes, "reads in": "a stream", "chart": fails}
	for _, story := range stories() {
		check.Equal(t, told.verdict(story), want[story.name], story.name)
	}
}

func TestPackages(t *testing.T) {
	check.Equal(t, packages(), map[string]string{
		"e2e":    "^(TestNode|TestPlacement|TestGapReason|TestRollout|TestLists)$",
		"deploy": "^(TestInstallation)$/^the_API_server_accepts_every_manifest$",
	})
}
