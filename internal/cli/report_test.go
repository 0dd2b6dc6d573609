package cli_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/daemonset-exporter/daemonset_exporter/collector"
	"github.com/daemonset-exporter/daemonset_exporter/internal/cli"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/apiserver"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

const exampleReport = `
NAMESPACE   DAEMONSET   EXPECTED   COVERED   GAPS   EXCLUDED   MISPLACED   OUTDATED
default     agent       3          1         2      2          0           0

Gaps:
NAMESPACE   DAEMONSET   NODE       REASON             SINCE
default     agent       crashing   crash_loop         2026-11-23T12:00:00Z (60s)
default     agent       dead       node_unreachable   2026-11-23T12:00:00Z (60s)

Nodes in trouble, of 5:
NODE       STATUS        LIFECYCLE   SINCE                         GAPS
crashing   ready         active      2026-11-23T09:30:10Z (150m)   1
dead       unreachable   active      2026-11-23T12:00:00Z (60s)    1
`

func TestReport(t *testing.T) {
	t.Parallel()
	server := serveExample(t)
	t.Run("live", func(t *testing.T) {
		t.Parallel()
		got := ask(t, server, "report")
		if diff := cmp.Diff(strings.TrimPrefix(exampleReport, "\n"), got.stdout); diff != "" || got.code != cli.ExitFinding {
			t.Errorf("exit code %d, %q (-want +got):\n%s", got.code, got.stderr, diff)
		}
	})
	t.Run("a dump says the same, and so does the dump of a dump", func(t *testing.T) {
		t.Parallel()
		dump := ask(t, server, "dump")
		if dump.code != cli.ExitNothing {
			t.Fatalf("exit code %d, %q", dump.code, dump.stderr)
		}
		got := askWith(t, dump.stdout, "report", "--from=-")
		want := "As of 2026-11-23T12:01:00Z, when the dump was made.\n" + strings.TrimPrefix(exampleReport, "\n")
		if diff := cmp.Diff(want, got.stdout); diff != "" || got.code != cli.ExitFinding {
			t.Errorf("exit code %d, %q (-want +got):\n%s", got.code, got.stderr, diff)
		}
		if again := askWith(t, dump.stdout, "dump", "--from=-"); again.stdout != dump.stdout {
			t.Errorf("the dump of a dump (-dump +again):\n%s", cmp.Diff(dump.stdout, again.stdout))
		}
		explained := askWith(t, dump.stdout, "explain", "agent", "--from=-", "--no-headers")
		if !strings.Contains(explained.stdout, "gap        crash_loop         1   crashing\n") || explained.code != cli.ExitFinding {
			t.Errorf("exit code %d, explained %s %s", explained.code, explained.stdout, explained.stderr)
		}
	})
	t.Run("it is of one namespace where one is named", func(t *testing.T) {
		t.Parallel()
		if got := ask(t, server, "report", "-n", "other", "--no-headers"); got.code != cli.ExitNothing || strings.Contains(got.stdout, "agent") {
			t.Errorf("exit code %d, %s", got.code, got.stdout)
		}
	})
	t.Run("files without a kind that matters cannot tell", func(t *testing.T) {
		t.Parallel()
		got := askWith(t, `{"apiVersion":"v1","kind":"Node","metadata":{"name":"n"}}`, "report", "--from=-")
		if got.code != cli.ExitUnknown || got.stdout != "" || !strings.Contains(got.stderr, "- has no pods, no daemonsets: ") {
			t.Errorf("exit code %d, %q, %q", got.code, got.stdout, got.stderr)
		}
	})
	t.Run("--at moves the clock of files", func(t *testing.T) {
		t.Parallel()
		got := askWith(t, ask(t, server, "dump").stdout, "report", "--from=-", "--at=2026-11-23T13:00:00Z")
		if !strings.HasPrefix(got.stdout, "As of 2026-11-23T13:00:00Z, as you set it.\n") || !strings.Contains(got.stdout, "2026-11-23T12:00:00Z (60m)") {
			t.Errorf("printed %s", got.stdout)
		}
		if bad := askWith(t, "", "report", "--from=-", "--at=noon"); bad.code != cli.ExitUsage || !strings.Contains(bad.stderr, `--at: "noon" is not a time`) {
			t.Errorf("exit code %d, %q", bad.code, bad.stderr)
		}
	})
}

// planted is in all that must be in no dump and in no recording.
const planted = "PLANTED-SECRET"

// servePlanted serves objects with planted in everything that is not to be shared.
func servePlanted(t *testing.T) *apiserver.Server {
	t.Helper()
	server := apiserver.New(t)
	container := corev1.Container{
		Name: "agent", Image: planted, Command: []string{planted}, Args: []string{planted},
		Env: []corev1.EnvVar{{Name: "TOKEN", Value: planted}},
	}
	annotate := func(object metav1.Object) { object.SetAnnotations(map[string]string{"secret": planted}) }
	server.Put(
		objects.Node("n", annotate),
		objects.DaemonSet("agent", objects.Change(func(ds *appsv1.DaemonSet) {
			annotate(ds)
			ds.Spec.Template.Annotations = map[string]string{"secret": planted}
			ds.Spec.Template.Spec.Containers = []corev1.Container{container}
		})),
		objects.PodOf("agent", "n", annotate, objects.CrashLooping(0), objects.Label("secret", planted), objects.Change(func(pod *corev1.Pod) {
			pod.Spec.Containers = []corev1.Container{container}
			pod.Status.ContainerStatuses[0].State.Waiting.Message = planted
			pod.Status.Message = planted
		})),
		objects.Pod("other", annotate),
	)
	return server
}

func TestDumpHasNoSecrets(t *testing.T) {
	t.Parallel()
	dump := ask(t, servePlanted(t), "dump")
	if dump.code != cli.ExitNothing || !strings.Contains(dump.stdout, "CrashLoopBackOff") {
		t.Fatalf("exit code %d, %s %s", dump.code, dump.stdout, dump.stderr)
	}
	if strings.Contains(dump.stdout, planted) || strings.Contains(dump.stdout, `"other"`) {
		t.Errorf("the dump has what it should not: %s", dump.stdout)
	}
}

func TestDumpCannotTell(t *testing.T) {
	t.Parallel()
	server := serveExample(t)
	server.Forbid("list", "pods")
	if got := ask(t, server, "dump"); got.code != cli.ExitUnknown || !strings.Contains(got.stderr, "forbidden: cannot list pods") {
		t.Errorf("exit code %d, %q", got.code, got.stderr)
	}
}

func TestReportJSON(t *testing.T) {
	t.Parallel()
	var report collector.Report
	got := ask(t, serveExample(t), "report", "-o", "json")
	if err := json.Unmarshal([]byte(got.stdout), &report); err != nil {
		t.Fatal(err)
	}
	want := []collector.DaemonSetReport{{
		Namespace: "default", DaemonSet: "agent", Expected: 3, Covered: 1, Gaps: 2,
		Excluded: map[string]int{"taint": 1, "node_selector": 1}, RevisionInferred: true,
	}}
	if diff := cmp.Diff(want, report.DaemonSets); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
