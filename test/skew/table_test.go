package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/test/cluster/build"
)

// The package's files are named from the directory of the module.
func TestMain(m *testing.M) {
	if err := os.Chdir(".."); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// TestPromise: the page and the chart promise what works, and nothing that fails.
func TestPromise(t *testing.T) {
	versions := check.Must(build.Versions(t.Context()))(t)
	rows := check.Must(readTable(versions))(t)
	want := promised(versions, rows)
	check.Require(t, want != "", "nothing is promised: the table says %q", rows)
	minor := want[:strings.LastIndex(want, ".")]
	for path, promise := range map[string]string{
		page: `(?m)^Requires Kubernetes (\S+) or later`,
		"../deploy/helm/daemonset-exporter/Chart.yaml": `(?m)^kubeVersion: ">=(\d+\.\d+)\.0-0"$`,
	} {
		found := regexp.MustCompile(promise).FindSubmatch(check.Must(os.ReadFile(path))(t))
		check.Require(t, found != nil, "%s promises no version", path)
		check.Equal(t, "v"+string(found[1]), minor, "the oldest version that", path, "promises")
	}
}

func TestPromised(t *testing.T) {
	good, streams := row{passes, passes, passes, "pages", passes}, row{passes, passes, passes, "a stream", passes}
	bad := row{passes, fails, passes, "pages", passes}
	versions := []string{"v1.1.9", "v1.2.0", "v1.3.4"}
	for name, tc := range map[string]struct {
		rows map[string]row
		want string
	}{
		"all work":                    {map[string]row{"v1.1.9": good, "v1.2.0": good, "v1.3.4": streams}, "v1.1.9"},
		"the oldest was not run":      {map[string]row{"v1.1.9": {notRun}, "v1.2.0": good, "v1.3.4": good}, "v1.1.9"},
		"one between has no row":      {map[string]row{"v1.1.9": good, "v1.3.4": good}, "v1.1.9"},
		"one between fails":           {map[string]row{"v1.1.9": good, "v1.2.0": bad, "v1.3.4": good}, "v1.3.4"},
		"one between cannot be built": {map[string]row{"v1.1.9": good, "v1.2.0": {noBuild}, "v1.3.4": good}, "v1.1.9"},
		"the oldest cannot be built":  {map[string]row{"v1.1.9": {noBuild}, "v1.2.0": good, "v1.3.4": good}, "v1.2.0"},
		"a row is cut":                {map[string]row{"v1.1.9": good, "v1.2.0": {passes, passes}, "v1.3.4": good}, "v1.3.4"},
		"the newest fails":            {map[string]row{"v1.1.9": good, "v1.2.0": good, "v1.3.4": bad}, ""},
	} {
		check.Equal(t, promised(versions, tc.rows), tc.want, name)
	}
}

// A run of one version leaves the rows of the others.
func TestTable(t *testing.T) {
	before := "# Page\n\n" + begin + "\n| Kubernetes | old |\n|---|---|\n| 1.1.9 | does not build |  |  |  |  |\n" +
		"| 1.2.0 | passes | fails | passes | pages | passes |\n| 1.0.0 | passes |\n\n" + end + "\nAfter.\n"
	t.Chdir(t.TempDir())
	check.NoError(t, os.MkdirAll("docs", 0o755))
	check.NoError(t, os.WriteFile("docs/installing.md", []byte(before), 0o644))
	check.NoError(t, os.Mkdir("test", 0o755))
	t.Chdir("test")

	versions := []string{"v1.1.9", "v1.2.0", "v1.3.4", "v1.4.0"}
	rows := check.Must(readTable(versions))(t)
	check.Equal(t, rows, map[string]row{"v1.1.9": {noBuild}, "v1.2.0": {passes, fails, passes, "pages", passes}}, "what the table has")
	rows["v1.4.0"] = row{passes, passes, passes, "a stream", passes}
	check.NoError(t, writeTable(versions, rows))
	check.Equal(t, string(check.Must(os.ReadFile(page))(t)), "# Page\n\n"+begin+`
| Kubernetes | node failure | placement | rollout | reads in | chart |
|---|---|---|---|---|---|
| 1.1.9 | does not build |  |  |  |  |
| 1.2.0 | passes | fails | passes | pages | passes |
| 1.3.4 | not run |  |  |  |  |
| 1.4.0 | passes | passes | passes | a stream | passes |

`+end+"\nAfter.\n", "the page")
}
