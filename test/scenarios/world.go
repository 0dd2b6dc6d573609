package scenarios

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
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

// A world is everything that runs.
type world struct {
	*cluster.Cluster
	dir          string
	root         string // of the repository
	launcher     *child.Launcher
	tools        build.Tools
	prometheus   *part
	alertmanager *part
	parts        []*part
	proxy        *proxy
	// gone is an exporter that a scenario ends.
	gone *exporter.Exporter

	mu        sync.Mutex
	exporters map[string][]*exporter.Exporter // by the label cluster; "" for the real ones
	marks     map[string]time.Time            // when each scenario's fault began
}

// newWorld builds what is needed and starts the control plane.
func newWorld(ctx context.Context, dir string, progress io.Writer) (*world, error) {
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
	return &world{
		Cluster: c, dir: dir, root: root, tools: tools, launcher: child.NewLauncher(),
		exporters: map[string][]*exporter.Exporter{}, marks: map[string]time.Time{},
	}, nil
}

// stop ends everything.
func (w *world) stop() error {
	var errs []error
	for _, p := range w.parts {
		p.stop()
	}
	w.launcher.Close()
	if w.proxy != nil {
		w.proxy.close()
	}
	for _, list := range w.exporters {
		for _, e := range list {
			errs = append(errs, e.Kill())
		}
	}
	return errors.Join(append(errs, w.Stop())...)
}

// mark notes that a scenario's fault begins now.
func (w *world) mark(scenario string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.marks[scenario] = time.Now()
}

func (w *world) marked(scenario string) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.marks[scenario]
}

// startExporter runs an exporter that Prometheus gives this label cluster.
func (w *world) startExporter(ctx context.Context, label, kubeconfig string, args ...string) (*exporter.Exporter, error) {
	e, err := exporter.Start(ctx, exporter.Config{
		Kubeconfig: kubeconfig,
		// The join grace is a duration of the rules in all but name.
		Args: append([]string{fmt.Sprintf("--node.join-grace=%s", 5*time.Minute/Pace)}, args...),
	})
	if err == nil {
		w.exporters[label] = append(w.exporters[label], e)
	}
	return e, err
}

// startMonitoring runs kube-state-metrics, Alertmanager and Prometheus.
func (w *world) startMonitoring(ctx context.Context) error {
	telemetry, err := cluster.FreeAddress(ctx)
	if err != nil {
		return err
	}
	ksm, err := w.start(ctx, "kube-state-metrics", w.tools.KubeStateMetrics, "/healthz", func(address string) []string {
		host, port, _ := strings.Cut(address, ":")
		_, telemetryPort, _ := strings.Cut(telemetry, ":")
		return []string{
			"--kubeconfig=" + w.Kubeconfig(), "--resources=nodes,pods,daemonsets",
			"--host=" + host, "--port=" + port, "--telemetry-host=" + host, "--telemetry-port=" + telemetryPort,
		}
	})
	if err != nil {
		return err
	}
	if err := w.writeAlertmanagerConfig(); err != nil {
		return err
	}
	w.alertmanager, err = w.start(ctx, "alertmanager", w.tools.Alertmanager, "/-/ready", func(address string) []string {
		return []string{
			"--config.file=alertmanager.yaml", "--storage.path=alertmanager-data",
			"--web.listen-address=" + address, "--cluster.listen-address=",
		}
	})
	if err != nil {
		return err
	}
	if err := w.writePrometheusConfig(ksm); err != nil {
		return err
	}
	w.prometheus, err = w.start(ctx, "prometheus", w.tools.Prometheus, "/-/ready", func(address string) []string {
		return []string{"--config.file=prometheus.yaml", "--storage.tsdb.path=prometheus-data", "--web.listen-address=" + address}
	})
	return err
}

func (w *world) start(ctx context.Context, name, binaries, ready string, arguments func(string) []string) (*part, error) {
	p, err := startPart(ctx, w.launcher, w.dir, name, filepath.Join(binaries, name), ready, arguments)
	if p != nil && p.command.Process != nil {
		w.parts = append(w.parts, p)
	}
	return p, err
}

// writeAlertmanagerConfig takes the example as it is, but for its intervals and
// for whom it tells: nobody.
func (w *world) writeAlertmanagerConfig() error {
	example, err := os.ReadFile(filepath.Join(w.root, shipped.AlertmanagerFile))
	if err != nil {
		return err
	}
	fast, err := hastenText(string(example))
	if err != nil {
		return err
	}
	var config map[string]any
	if err := yaml.Unmarshal([]byte(fast), &config); err != nil {
		return err
	}
	config["receivers"] = []map[string]string{{"name": "pager"}, {"name": "chat"}}
	return writeYAML(filepath.Join(w.dir, "alertmanager.yaml"), config)
}

func (w *world) writePrometheusConfig(ksm *part) error {
	for from, to := range map[string]string{
		filepath.Join(w.root, shipped.RuleFile):                  "ours.rules.yaml",
		filepath.Join(w.root, "test/scenarios/mixin.rules.yaml"): "mixin.rules.yaml",
	} {
		rules, err := shipped.ReadRules(from)
		if err != nil {
			return err
		}
		if rules, err = Hasten(rules); err != nil {
			return err
		}
		if err := writeYAML(filepath.Join(w.dir, to), rules); err != nil {
			return err
		}
	}
	type object = map[string]any
	var real, failing []object
	for label, list := range w.exporters {
		for _, e := range list {
			target := object{"targets": []string{strings.TrimPrefix(e.URL, "http://")}}
			if label == "" {
				real = append(real, target)
				continue
			}
			target["labels"] = object{"cluster": label}
			failing = append(failing, target)
		}
	}
	const exporterJob = "daemonset-exporter"
	return writeYAML(filepath.Join(w.dir, "prometheus.yaml"), object{
		"global": object{"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
		"alerting": object{"alertmanagers": []object{{"static_configs": []object{
			{"targets": []string{strings.TrimPrefix(w.alertmanager.url, "http://")}},
		}}}},
		"rule_files": []string{"ours.rules.yaml", "mixin.rules.yaml"},
		"scrape_configs": []object{
			{"job_name": exporterJob, "honor_labels": true, "static_configs": real},
			// These see the same cluster: only what they say of themselves is theirs.
			{
				"job_name": exporterJob + "-failing", "honor_labels": true, "static_configs": failing,
				"metric_relabel_configs": []object{{"source_labels": []string{"__name__"}, "regex": "daemonset_exporter_.*", "action": "keep"}},
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
func (w *world) writeKubeconfig(name string, change func(*clientcmdapi.Config)) (string, error) {
	config, err := clientcmd.LoadFromFile(w.Kubeconfig())
	if err != nil {
		return "", err
	}
	change(config)
	path := filepath.Join(w.dir, name+".kubeconfig")
	return path, clientcmd.WriteToFile(*config, path)
}
