package scenarios

import (
	"context"
	"strings"
	"time"

	authv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// exporterScenarios are exporters that fail beside the two that work.
func exporterScenarios() []*scenario {
	return []*scenario{
		{
			name: "gone", story: "the exporter of a cluster is gone",
			cause: func(ctx context.Context, w *world, s *scenario) error {
				// An hour at our pace is when it must have been there before.
				if err := pause(ctx, 60*time.Second); err != nil {
					return err
				}
				w.mark(s.name)
				return w.gone.Kill()
			},
			want: []want{{alert: "DaemonSetExporterDown"}},
		},
		{
			name: "forbidden", story: "the exporter has no permissions",
			cause: func(_ context.Context, w *world, s *scenario) error { w.mark(s.name); return nil },
			want: []want{
				{alert: "DaemonSetExporterNotSynced"},
				{alert: "DaemonSetExporterForbidden", inhibited: true},
			},
		},
		{
			name: "stale", story: "the network to the API server swallows everything",
			cause: func(_ context.Context, w *world, s *scenario) error {
				w.mark(s.name)
				w.proxy.freeze()
				return nil
			},
			want: []want{{alert: "DaemonSetExporterStale"}, {alert: "DaemonSetExporterForbidden", maybe: true}},
		},
		{
			name: "dropping", story: "there are more gaps than the exporter may list",
			cause: func(_ context.Context, w *world, s *scenario) error { w.mark(s.name); return nil },
			want:  []want{{alert: "DaemonSetExporterDroppingSeries"}},
		},
	}
}

// startExporters runs two that work and those that are to fail.
func (w *world) startExporters(ctx context.Context) (err error) {
	for range 2 {
		e, err := w.startExporter(ctx, "", w.Kubeconfig())
		if err != nil {
			return err
		}
		if err := e.WaitReady(ctx); err != nil {
			return err
		}
	}
	if w.gone, err = w.startExporter(ctx, "gone", w.Kubeconfig()); err != nil {
		return err
	}
	if _, err = w.startExporter(ctx, "dropping", w.Kubeconfig(), "--coverage.max-gap-series=0"); err != nil {
		return err
	}
	token, err := w.Client().CoreV1().ServiceAccounts("default").CreateToken(ctx, "default", &authv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	powerless, err := w.writeKubeconfig("forbidden", func(config *clientcmdapi.Config) {
		for name := range config.AuthInfos {
			config.AuthInfos[name] = &clientcmdapi.AuthInfo{Token: token.Status.Token}
		}
	})
	if err != nil {
		return err
	}
	if _, err = w.startExporter(ctx, "forbidden", powerless); err != nil {
		return err
	}
	if w.proxy, err = newProxy(strings.TrimPrefix(w.RestConfig().Host, "https://")); err != nil {
		return err
	}
	behind, err := w.writeKubeconfig("stale", func(config *clientcmdapi.Config) {
		for _, server := range config.Clusters {
			server.Server = "https://" + w.proxy.address()
		}
	})
	if err != nil {
		return err
	}
	_, err = w.startExporter(ctx, "stale", behind)
	return err
}
