package scenarios

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/test/cluster"
	"github.com/daemonset-exporter/daemonset_exporter/test/cluster/build"
	"github.com/daemonset-exporter/daemonset_exporter/test/cluster/child"
	"github.com/daemonset-exporter/daemonset_exporter/test/cluster/clustertest"
	"github.com/daemonset-exporter/daemonset_exporter/test/exporter"
)

// TestCreatedTimestamps shows what docs/metrics.md says about the first event of a
// counter: Prometheus sees it by the created timestamp, and not without.
func TestCreatedTimestamps(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), setUp)
	defer cancel()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	tools, err := build.Prometheus(ctx, os.Stderr)
	must(err)
	c := clustertest.Start(t, cluster.Config{})
	must(c.AddNode(ctx, cluster.NodeSpec{Name: "a"}))
	running, err := exporter.Start(ctx, exporter.Config{Kubeconfig: c.Kubeconfig()})
	must(err)
	t.Cleanup(func() { _ = running.Kill() })
	must(running.WaitReady(ctx))

	launcher := child.NewLauncher()
	t.Cleanup(launcher.Close)
	servers := map[string]*program{}
	for name, flags := range map[string][]string{"without": nil, "with": {"--enable-feature=created-timestamp-zero-ingestion"}} {
		dir := filepath.Join(t.TempDir(), name)
		must(os.Mkdir(dir, 0o700))
		config := fmt.Sprintf("global: {scrape_interval: 1s}\nscrape_configs:\n- {job_name: exporter, static_configs: [{targets: [%q]}]}\n",
			strings.TrimPrefix(running.URL, "http://"))
		must(os.WriteFile(filepath.Join(dir, "prometheus.yaml"), []byte(config), 0o600))
		server, err := startProgram(ctx, launcher, dir, name, filepath.Join(tools, "prometheus"), "/-/ready", func(address string) []string {
			return append([]string{"--config.file=prometheus.yaml", "--storage.tsdb.path=data", "--web.listen-address=" + address}, flags...)
		})
		must(err)
		t.Cleanup(server.stop)
		servers[name] = server
	}
	wait := func(server *program, query string, want float64) {
		t.Helper()
		must(c.Wait(ctx, query, func(ctx context.Context) (bool, string, error) {
			got, err := server.instant(ctx, query)
			return err == nil && got == want, fmt.Sprint(got), err
		}))
	}
	const transitions = "daemonset_node_transitions_total[5m]"
	for _, server := range servers {
		wait(server, "count(daemonset_cluster_nodes == 1)", 1)
		wait(server, "count(count_over_time("+transitions+")) or vector(0)", 0)
	}
	must(c.PullPlug(ctx, "a"))
	for name, want := range map[string]float64{"with": 1, "without": 0} {
		wait(servers[name], "max(count_over_time("+transitions+")) >= bool 5", 1)
		if got, err := servers[name].instant(ctx, "round(sum(increase("+transitions+")))"); err != nil || got != want {
			t.Errorf("%s created timestamps the increase is %v, %v; want %v", name, got, err, want)
		}
	}
}

// instant returns the value of a query whose result is one series.
func (p *program) instant(ctx context.Context, query string) (float64, error) {
	body, err := get(ctx, p.url+"/api/v1/query?"+url.Values{"query": {query}, "time": {fmt.Sprint(time.Now().Unix())}}.Encode())
	if err != nil {
		return 0, err
	}
	var answer struct {
		Data struct {
			Result []struct{ Value [2]json.RawMessage }
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return 0, fmt.Errorf("read answer: %w", err)
	}
	if len(answer.Data.Result) != 1 {
		return 0, fmt.Errorf("%s has %d results", query, len(answer.Data.Result))
	}
	var value float64
	_, err = fmt.Sscanf(string(answer.Data.Result[0].Value[1]), "\"%g\"", &value)
	return value, err
}
