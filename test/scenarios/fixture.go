package scenarios

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/yaml"

	"github.com/daemonset-exporter/daemonset_exporter/test/cluster"
	"github.com/daemonset-exporter/daemonset_exporter/test/cluster/build"
	"github.com/daemonset-exporter/daemonset_exporter/test/cluster/child"
	"github.com/daemonset-exporter/daemonset_exporter/test/exporter"
	"github.com/daemonset-exporter/daemonset_exporter/test/scenarios/shipped"
)

// fixture holds everything that runs.
type fixture struct {
	*cluster.Cluster
	dir          string
	root         string // of the repository
	launcher     *child.Launcher
	tools        build.Tools
	prometheus   *program
	alertmanager *program
	programs     []*program
	proxy        *proxy // of the exporter that is stale
	// remediation is the URL of a receiver that acts on alerts; "" for none.
	remediation string
	// gone is the exporter that a scenario kills.
	gone *exporter.Exporter
	// third is a replica beside the two that work, until its connection is cut.
	third     *exporter.Exporter
	thirdPath *proxy

	mu        sync.Mutex
	exporters map[string][]*exporter.Exporter // by the label cluster; "" for the two that work
	marks     map[string]time.Time            // when each scenario's fault began
}

// newFixture compiles the programs and starts the control plane.
func newFixture(ctx context.Context, dir string, progress io.Writer) (*fixture, error) {
	root, err := shipped.Root()
	if err != nil {
		return nil, err
	}
	tools, err := build.AllTools(ctx, progress)
	if err != nil {
		return nil, err
	}
	c, err := cluster.Start(ctx, cluster.Config{Progress: progress})
	if err != nil {
		return nil, err
	}
	return &fixture{
		Cluster: c, dir: dir, root: root, tools: tools, launcher: child.NewLauncher(),
		exporters: map[string][]*exporter.Exporter{}, marks: map[string]time.Time{},
	}, nil
}

// stop stops everything.
func (f *fixture) stop() error {
	var errs []error
	for _, p := range f.programs {
		p.stop()
	}
	f.launcher.Close()
	for _, p := range []*proxy{f.proxy, f.thirdPath} {
		if p != nil {
			p.close()
		}
	}
	for _, list := range f.exporters {
		for _, e := range list {
			errs = append(errs, e.Kill())
		}
	}
	return errors.Join(append(errs, f.Stop())...)
}

// mark records that a scenario's fault begins now.
func (f *fixture) mark(scenario string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.marks[scenario] = time.Now()
}

func (f *fixture) marked(scenario string) time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.marks[scenario]
}

// startExporter runs an exporter that Prometheus scrapes with this label cluster.
func (f *fixture) startExporter(ctx context.Context, label, kubeconfig string, args ...string) (*exporter.Exporter, error) {
	e, err := exporter.Start(ctx, exporter.Config{
		Kubeconfig: kubeconfig,
		Args:       append(graces(), args...),
	})
	if err == nil {
		f.exporters[label] = append(f.exporters[label], e)
	}
	return e, err
}

// graces returns the graces of new nodes as flags, scaled like the durations of the rules.
func graces() []string {
	return []string{
		fmt.Sprintf("--node.join-grace=%s", 5*time.Minute/pace),
		fmt.Sprintf("--node.startup-grace=%s", 15*time.Minute/pace),
	}
}

// startMonitoring runs kube-state-metrics, Alertmanager and Prometheus.
func (f *fixture) startMonitoring(ctx context.Context) error {
	telemetry, err := cluster.FreeAddress(ctx)
	if err != nil {
		return err
	}
	ksm, err := f.start(ctx, "kube-state-metrics", f.tools.KubeStateMetrics, "/healthz", func(address string) []string {
		host, port, _ := strings.Cut(address, ":")
		_, telemetryPort, _ := strings.Cut(telemetry, ":")
		return []string{
			"--kubeconfig=" + f.Kubeconfig(), "--resources=nodes,pods,daemonsets",
			"--host=" + host, "--port=" + port, "--telemetry-host=" + host, "--telemetry-port=" + telemetryPort,
		}
	})
	if err != nil {
		return err
	}
	if err := f.writeAlertmanagerConfig(); err != nil {
		return err
	}
	f.alertmanager, err = f.start(ctx, "alertmanager", f.tools.Alertmanager, "/-/ready", func(address string) []string {
		return []string{
			"--config.file=alertmanager.yaml", "--storage.path=alertmanager-data",
			"--web.listen-address=" + address, "--cluster.listen-address=",
		}
	})
	if err != nil {
		return err
	}
	if err := f.writePrometheusConfig(ksm); err != nil {
		return err
	}
	f.prometheus, err = f.start(ctx, "prometheus", f.tools.Prometheus, "/-/ready", func(address string) []string {
		return []string{"--config.file=prometheus.yaml", "--storage.tsdb.path=prometheus-data", "--web.listen-address=" + address}
	})
	return err
}

func (f *fixture) start(ctx context.Context, name, binaries, ready string, arguments func(string) []string) (*program, error) {
	p, err := startProgram(ctx, f.launcher, f.dir, name, filepath.Join(binaries, name), ready, arguments)
	if p != nil && p.command.Process != nil {
		f.programs = append(f.programs, p)
	}
	return p, err
}

// writeAlertmanagerConfig writes the example with scaled intervals and receivers
// that notify nobody.
func (f *fixture) writeAlertmanagerConfig() error {
	example, err := os.ReadFile(filepath.Join(f.root, shipped.AlertmanagerFile))
	if err != nil {
		return err
	}
	scaled, err := speedUpText(string(example))
	if err != nil {
		return err
	}
	var config map[string]any
	if err := yaml.Unmarshal([]byte(scaled), &config); err != nil {
		return err
	}
	config["receivers"] = []any{map[string]string{"name": "pager"}, map[string]string{"name": "chat"}}
	if f.remediation != "" {
		if err := f.addRemediation(config); err != nil {
			return err
		}
	}
	return writeYAML(filepath.Join(f.dir, "alertmanager.yaml"), config)
}

// addRemediation adds the route and the receiver of docs/remediation.md to a
// configuration of Alertmanager.
func (f *fixture) addRemediation(config map[string]any) error {
	page, err := os.ReadFile(filepath.Join(f.root, "docs", "remediation.md"))
	if err != nil {
		return err
	}
	_, rest, _ := strings.Cut(string(page), "```yaml\n")
	block, _, found := strings.Cut(rest, "```")
	if !found {
		return errors.New("docs/remediation.md has no configuration of Alertmanager")
	}
	if block, err = speedUpText(strings.ReplaceAll(block, "http://remediation.example.com/", f.remediation)); err != nil {
		return err
	}
	var more struct {
		Route     struct{ Routes []any }
		Receivers []any
	}
	if err := yaml.UnmarshalStrict([]byte(block), &more); err != nil {
		return fmt.Errorf("read the configuration in docs/remediation.md: %w", err)
	}
	route, _ := config["route"].(map[string]any)
	routes, _ := route["routes"].([]any)
	receivers, _ := config["receivers"].([]any)
	route["routes"] = slices.Concat(more.Route.Routes, routes)
	config["receivers"] = slices.Concat(more.Receivers, receivers)
	return nil
}

func (f *fixture) writePrometheusConfig(ksm *program) error {
	for from, to := range map[string]string{
		filepath.Join(f.root, shipped.RuleFile):                  "ours.rules.yaml",
		filepath.Join(f.root, "test/scenarios/mixin.rules.yaml"): "mixin.rules.yaml",
	} {
		rules, err := shipped.ReadRules(from)
		if err != nil {
			return err
		}
		if rules, err = speedUp(rules); err != nil {
			return err
		}
		if err := writeYAML(filepath.Join(f.dir, to), rules); err != nil {
			return err
		}
	}
	type object = map[string]any
	var real, failing, dishonoured []object
	for label, list := range f.exporters {
		for _, e := range list {
			target := object{"targets": []string{strings.TrimPrefix(e.URL, "http://")}}
			switch label {
			case "":
				real = append(real, target)
				continue
			case cutOff:
				target["labels"] = object{"instance": cutOff + "-replica"}
				real = append(real, target)
				continue
			}
			target["labels"] = object{"cluster": label}
			if label == renamed {
				target["labels"] = object{"cluster": label, "namespace": "monitoring"}
				dishonoured = append(dishonoured, target)
				continue
			}
			failing = append(failing, target)
		}
	}
	const exporterJob = "daemonset-exporter"
	return writeYAML(filepath.Join(f.dir, "prometheus.yaml"), object{
		"global": object{"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
		"alerting": object{"alertmanagers": []object{{"static_configs": []object{
			{"targets": []string{strings.TrimPrefix(f.alertmanager.url, "http://")}},
		}}}},
		"rule_files": []string{"ours.rules.yaml", "mixin.rules.yaml"},
		"scrape_configs": []object{
			{"job_name": exporterJob, "honor_labels": true, "static_configs": real},
			// They watch the same cluster: keep only metrics about themselves.
			{
				"job_name": exporterJob + "-failing", "honor_labels": true, "static_configs": failing,
				"metric_relabel_configs": []object{{"source_labels": []string{"__name__"}, "regex": "daemonset_exporter_.*", "action": "keep"}},
			},
			{
				"job_name": exporterJob + "-dishonoured", "static_configs": dishonoured,
				"metric_relabel_configs": []object{{"source_labels": []string{"__name__"}, "regex": "daemonset_exporter_.*|daemonset_expected_nodes", "action": "keep"}},
			},
			{
				"job_name": "kube-state-metrics", "honor_labels": true,
				"static_configs": []object{{"targets": []string{strings.TrimPrefix(ksm.url, "http://")}}},
			},
		},
	})
}

func writeYAML(path string, content any) error {
	text, err := yaml.Marshal(content)
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}

// writeKubeconfig copies the administrator's kubeconfig with changes, and
// returns its path.
func (f *fixture) writeKubeconfig(name string, change func(*clientcmdapi.Config)) (string, error) {
	config, err := clientcmd.LoadFromFile(f.Kubeconfig())
	if err != nil {
		return "", err
	}
	change(config)
	path := filepath.Join(f.dir, name+".kubeconfig")
	return path, clientcmd.WriteToFile(*config, path)
}
