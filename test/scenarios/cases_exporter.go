package scenarios

import (
	"context"
	"errors"
	"strings"
	"time"

	authv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/daemonset-exporter/daemonset_exporter/test/cluster"
	"github.com/daemonset-exporter/daemonset_exporter/test/exporter"
)

// renamed is the exporter whose label namespace Prometheus renames.
const renamed = "renamed"

// cutOff is the replica that loses the API server while two others work.
const cutOff = "cutoff"

// exporterScenarios returns exporters that fail beside the two that work.
func exporterScenarios() []*scenario {
	return []*scenario{
		{
			name: cutOff, summary: "one of three replicas of the exporter loses the API server while a pod is broken; then the pod works again, and a node dies",
			nodes: 3, agent: agent{present: true}, inject: cutOffReplica,
			want: []want{
				{alert: "DaemonSetNodeDown", node: cutOff + "-2"},
				{alert: "DaemonSetExporterStale"},
				{alert: "DaemonSetExporterForbidden", optional: true},
			},
		},
		{
			name: "gone", summary: "the exporter of a cluster is gone",
			inject: func(ctx context.Context, f *fixture, s *scenario) error {
				// The alert looks back one hour.
				if err := pause(ctx, 60*time.Second); err != nil {
					return err
				}
				f.mark(s.name)
				return f.gone.Kill()
			},
			want: []want{{alert: "DaemonSetExporterDown"}},
		},
		{
			name: "forbidden", summary: "the exporter has no permissions",
			inject: func(_ context.Context, f *fixture, s *scenario) error { f.mark(s.name); return nil },
			want: []want{
				{alert: "DaemonSetExporterNotSynced"},
				{alert: "DaemonSetExporterForbidden", inhibited: true},
			},
		},
		{
			name: "stale", summary: "the network to the API server swallows everything",
			inject: func(_ context.Context, f *fixture, s *scenario) error {
				f.mark(s.name)
				f.proxy.freeze()
				return nil
			},
			want: []want{{alert: "DaemonSetExporterStale"}, {alert: "DaemonSetExporterForbidden", optional: true}},
		},
		{
			name: renamed, summary: "Prometheus does not honour labels and has a label namespace of its own",
			inject: func(_ context.Context, f *fixture, s *scenario) error { f.mark(s.name); return nil },
			want:   []want{{alert: "DaemonSetExporterNamespaceRenamed"}},
		},
		{
			name: "dropping", summary: "there are more gaps than the exporter may list",
			inject: func(_ context.Context, f *fixture, s *scenario) error { f.mark(s.name); return nil },
			want:   []want{{alert: "DaemonSetExporterDroppingSeries"}},
		},
	}
}

// cutOffReplica leaves one replica with a gap that has long ended, and without an outage
// that goes on.
func cutOffReplica(ctx context.Context, f *fixture, s *scenario) error {
	if err := s.behave(ctx, f, 1, cluster.NeverReady); err != nil {
		return err
	}
	if _, err := f.third.Wait(ctx, "the gap to be seen", func(samples exporter.Samples) error {
		if open := samples.Select("daemonset_gap_start_timestamp_seconds", exporter.Labels{"node": s.node(1)}); len(open) == 0 {
			return errors.New("there is none")
		}
		return nil
	}); err != nil {
		return err
	}
	f.thirdPath.cut()
	if err := s.behave(ctx, f, 1, cluster.Healthy); err != nil {
		return err
	}
	f.mark(s.name)
	return f.PullPlug(ctx, s.node(2))
}

// behind writes a kubeconfig that leads through a proxy.
func (f *fixture) behind(name string, p *proxy) (string, error) {
	return f.writeKubeconfig(name, func(config *clientcmdapi.Config) {
		for _, server := range config.Clusters {
			server.Server = "https://" + p.address()
		}
	})
}

// ofOpenShift lets the exporter read the node selectors of namespaces.
const ofOpenShift = "--namespaces.node-selector=on"

// startExporters runs two that work and those of the scenarios.
func (f *fixture) startExporters(ctx context.Context) (err error) {
	for range 2 {
		e, err := f.startExporter(ctx, "", f.Kubeconfig(), ofOpenShift)
		if err != nil {
			return err
		}
		if err := e.WaitReady(ctx); err != nil {
			return err
		}
	}
	server := strings.TrimPrefix(f.RestConfig().Host, "https://")
	if f.thirdPath, err = newProxy(server); err != nil {
		return err
	}
	path, err := f.behind(cutOff, f.thirdPath)
	if err != nil {
		return err
	}
	if f.third, err = f.startExporter(ctx, cutOff, path, ofOpenShift); err != nil {
		return err
	}
	if err := f.third.WaitReady(ctx); err != nil {
		return err
	}
	if f.gone, err = f.startExporter(ctx, "gone", f.Kubeconfig()); err != nil {
		return err
	}
	if _, err = f.startExporter(ctx, renamed, f.Kubeconfig()); err != nil {
		return err
	}
	if _, err = f.startExporter(ctx, "dropping", f.Kubeconfig(), "--coverage.max-gap-series=0"); err != nil {
		return err
	}
	token, err := f.Client().CoreV1().ServiceAccounts("default").CreateToken(ctx, "default", &authv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	powerless, err := f.writeKubeconfig("forbidden", func(config *clientcmdapi.Config) {
		for name := range config.AuthInfos {
			config.AuthInfos[name] = &clientcmdapi.AuthInfo{Token: token.Status.Token}
		}
	})
	if err != nil {
		return err
	}
	if _, err = f.startExporter(ctx, "forbidden", powerless); err != nil {
		return err
	}
	if f.proxy, err = newProxy(server); err != nil {
		return err
	}
	if path, err = f.behind("stale", f.proxy); err != nil {
		return err
	}
	_, err = f.startExporter(ctx, "stale", path)
	return err
}
