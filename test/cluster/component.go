package cluster

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/test/cluster/build"
)

// Component is one program of the cluster.
type Component string

// The components, in the order in which they start.
const (
	Etcd              Component = "etcd"
	APIServer         Component = "kube-apiserver"
	ControllerManager Component = "kube-controller-manager"
	Scheduler         Component = "kube-scheduler"
	Kwok              Component = "kwok"
)

func components() []Component {
	return []Component{Etcd, APIServer, ControllerManager, Scheduler, Kwok}
}

// endpoints holds the ports of the cluster, all on loopback.
type endpoints struct {
	etcd, etcdPeer, apiServer int
}

func (e endpoints) server() string { return "https://" + address(e.apiServer) }

// flags returns the flags of one component. Config.Flags overrides them.
func (c Config) flags(component Component, dir *workdir, e endpoints) map[string]string {
	etcdURL, peerURL := "http://"+address(e.etcd), "http://"+address(e.etcdPeer)
	switch component {
	case Etcd:
		return map[string]string{
			"data-dir":                    dir.file(etcdData),
			"name":                        "etcd",
			"listen-client-urls":          etcdURL,
			"advertise-client-urls":       etcdURL,
			"listen-peer-urls":            peerURL,
			"initial-advertise-peer-urls": peerURL,
			"initial-cluster":             "etcd=" + peerURL,
			// Data survives a crash of etcd, not of the machine.
			"unsafe-no-fsync": "true",
		}
	case APIServer:
		return map[string]string{
			"etcd-servers":                     etcdURL,
			"bind-address":                     "127.0.0.1",
			"advertise-address":                "127.0.0.1",
			"secure-port":                      strconv.Itoa(e.apiServer),
			"tls-cert-file":                    dir.file(servingCert),
			"tls-private-key-file":             dir.file(servingKey),
			"token-auth-file":                  dir.file(tokens),
			"authorization-mode":               "Node,RBAC",
			"allow-privileged":                 "true",
			"service-account-issuer":           "https://kubernetes.default.svc.cluster.local",
			"service-account-key-file":         dir.file(serviceAccountKey),
			"service-account-signing-key-file": dir.file(serviceAccountKey),
			"service-cluster-ip-range":         "10.96.0.0/16",
			// No Endpoints can hold a loopback address.
			"endpoint-reconciler-type": "none",
		}
	case ControllerManager:
		return map[string]string{
			"kubeconfig":                       dir.file(kubeconfig("system:kube-controller-manager")),
			"root-ca-file":                     dir.file(servingCert),
			"service-account-private-key-file": dir.file(serviceAccountKey),
			"use-service-account-credentials":  "true",
			// With the default limits requesting the credentials of all controllers
			// takes four seconds.
			"kube-api-qps":              "500",
			"kube-api-burst":            "500",
			"leader-elect":              "false",
			"secure-port":               "0",
			"node-monitor-period":       c.NodeMonitorPeriod.String(),
			"node-monitor-grace-period": c.NodeMonitorGracePeriod.String(),
			"node-startup-grace-period": c.NodeStartupGracePeriod.String(),
		}
	case Scheduler:
		return map[string]string{
			"kubeconfig":   dir.file(kubeconfig("system:kube-scheduler")),
			"leader-elect": "false",
			"secure-port":  "0",
		}
	case Kwok:
		return map[string]string{
			"kubeconfig":                       dir.file(kubeconfig("kwok")),
			"config":                           dir.file(kwokConfig),
			"manage-all-nodes":                 "false",
			"manage-nodes-with-label-selector": plugLabel + "=" + plugIn,
			"node-lease-duration-seconds":      strconv.Itoa(int(c.NodeLeaseDuration / time.Second)),
			// The address of no node: see stage.template.
			"node-ip": noNodeIP,
		}
	}
	panic("no flags for component " + component)
}

// processes returns the components, not started.
func (c Config) processes(bin build.Binaries, dir *workdir, e endpoints) map[Component]*process {
	// Without these two kwok would read and write under the home directory.
	env := append(os.Environ(), "KWOK_WORKDIR="+dir.file("kwok"), "HOME="+dir.path)
	result := map[Component]*process{}
	for _, component := range components() {
		flags := c.flags(component, dir, e)
		maps.Copy(flags, c.Flags[component])
		var args []string
		for _, name := range slices.Sorted(maps.Keys(flags)) {
			args = append(args, fmt.Sprintf("--%s=%s", name, flags[name]))
		}
		result[component] = &process{
			name:    component,
			path:    bin.Path(string(component)),
			args:    args,
			env:     env,
			logPath: dir.file(string(component) + ".log"),
		}
	}
	return result
}
