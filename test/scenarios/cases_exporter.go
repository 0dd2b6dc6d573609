package scenarios

import (
	"context"
	"strings"
	"time"

	authv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// renamed is the exporter whose label namespace Prometheus renames.
const renamed = "renamed"

// exporterScenarios returns exporters that fail beside the two that work.
func exporterScenarios() []*scenario {
	return []*scenario{
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

// startExporters runs two that work and those of the scenarios.
func (f *fixture) startExporters(ctx context.Context) (err error) {
	for range 2 {
		e, err := f.startExporter(ctx, "", f.Kubeconfig())
		if err != nil {
			return err
		}
		if err := e.WaitReady(ctx); err != nil {
			return err
		}
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
	if f.proxy, err = newProxy(strings.TrimPrefix(f.RestConfig().Host, "https://")); err != nil {
		return err
	}
	behind, err := f.writeKubeconfig("stale", func(config *clientcmdapi.Config) {
		for _, server := range config.Clusters {
			server.Server = "https://" + f.proxy.address()
		}
	})
	if err != nil {
		return err
	}
	_, err = f.startExporter(ctx, "stale", behind)
	return err
}
