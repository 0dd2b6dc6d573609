package deploy

import (
	"context"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/daemonset-exporter/daemonset_exporter/test/cluster"
)

// assigned is the user that the admission of testdata/openshift.yaml assigns.
const assigned = 1000680000

// TestOpenShift installs where admission demands users of a range, as the
// SecurityContextConstraints restricted-v2 do.
func TestOpenShift(t *testing.T) {
	t.Parallel()
	f := newCluster(t, cluster.Config{})
	f.must(f.Apply(t.Context(), read(t, "testdata/openshift.yaml")))
	f.waitServed("security.openshift.io/v1", 1)
	for _, name := range []string{"helm", "kustomize", "upstream"} {
		f.must(f.Apply(t.Context(), fmt.Appendf(nil,
			"{apiVersion: v1, kind: Namespace, metadata: {name: %s, labels: {project: openshift, pod-security.kubernetes.io/enforce: restricted}}}", name)))
	}
	plain := objects(t, templated(t))["Deployment/"+namespace+"/"+release]
	// Policies take effect a moment after they are created.
	f.must(f.Wait(t.Context(), "a user out of the range to be refused", func(context.Context) (bool, string, error) {
		err := f.createPod(plain, "upstream", nil)
		return err != nil && strings.Contains(err.Error(), "runAsUser: Invalid value"), fmt.Sprint(err), nil
	}))
	f.must(f.Wait(t.Context(), "a user to be assigned", func(context.Context) (bool, string, error) {
		err := f.createPod(plain, "upstream", func(pod *corev1.Pod) {
			pod.Spec.SecurityContext.RunAsUser, pod.Spec.SecurityContext.FSGroup = nil, nil
		})
		return err == nil, fmt.Sprint(err), nil
	}))

	for _, tc := range []struct {
		name    string
		install func(*fixture)
	}{
		{"helm", func(f *fixture) {
			tool(f.t, "helm", "install", release, chart, "--kubeconfig", f.Kubeconfig(), "--namespace", "helm")
		}},
		{"kustomize", func(f *fixture) {
			manifest := strings.ReplaceAll(kustomized(f.t, "openshift"), "namespace: "+namespace+"\n", "namespace: kustomize\n")
			f.must(f.Apply(f.t.Context(), []byte(manifest)))
		}},
	} {
		t.Run(tc.name+" installs what is admitted without settings", func(t *testing.T) {
			g := *f
			g.t = t
			tc.install(&g)
			g.must(g.WaitPods(t.Context(), tc.name, "app.kubernetes.io/name="+release, "the pod to run as the assigned user",
				func(pods []corev1.Pod) (bool, string) {
					if ok, state := ready(1)(pods); !ok {
						return ok, state
					}
					user := pods[0].Spec.SecurityContext.RunAsUser
					return user != nil && *user == assigned, fmt.Sprintf("user %v", user)
				}))
		})
	}
}
