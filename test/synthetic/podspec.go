package synthetic

import (
	"fmt"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// podSpecOf returns the spec of the pods of a DaemonSet or another workload, as the
// API server completes it. Of five, one has an init container and two have two
// containers.
func podSpecOf(index int) corev1.PodSpec {
	spec := corev1.PodSpec{
		RestartPolicy:                 corev1.RestartPolicyAlways,
		TerminationGracePeriodSeconds: new(int64(30)),
		DNSPolicy:                     corev1.DNSClusterFirst,
		ServiceAccountName:            daemonSetName(index),
		DeprecatedServiceAccount:      daemonSetName(index),
		HostNetwork:                   index%3 == 0,
		SecurityContext:               &corev1.PodSecurityContext{FSGroup: new(int64(65534)), RunAsNonRoot: new(true), RunAsUser: new(int64(65534))},
		SchedulerName:                 corev1.DefaultSchedulerName,
		PriorityClassName:             "system-node-critical",
		Priority:                      new(int32(2000001000)),
		EnableServiceLinks:            new(true),
		PreemptionPolicy:              new(corev1.PreemptLowerPriority),
		NodeSelector:                  map[string]string{"kubernetes.io/os": "linux"},
		Tolerations: []corev1.Toleration{
			{Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoSchedule},
			{Key: "CriticalAddonsOnly", Operator: corev1.TolerationOpExists},
		},
		Volumes: volumesOf(2 + index%3),
	}
	if index%5 == 0 {
		spec.InitContainers = []corev1.Container{containerOf(index, 2)}
	}
	for number := range 1 + index%5/3 {
		spec.Containers = append(spec.Containers, containerOf(index, number))
	}
	return spec
}

func volumesOf(hostPaths int) []corev1.Volume {
	volumes := []corev1.Volume{{
		Name: "config",
		VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
			LocalObjectReference: corev1.LocalObjectReference{Name: "agent-config"}, DefaultMode: new(int32(420)),
		}},
	}, {
		Name: "tls",
		VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{
			SecretName: "agent-tls", DefaultMode: new(int32(420)),
		}},
	}}
	for i := range hostPaths {
		volumes = append(volumes, corev1.Volume{
			Name: "host-" + strconv.Itoa(i),
			VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{
				Path: "/var/lib/agent/" + strconv.Itoa(i), Type: new(corev1.HostPathDirectoryOrCreate),
			}},
		})
	}
	return volumes
}

func containerOf(index, number int) corev1.Container {
	container := corev1.Container{
		Name:  fmt.Sprintf("agent-%d", number),
		Image: imageOf(index) + ":v1.14.2",
		Args: []string{
			"--config=/etc/agent/config.yaml", "--log.level=info", "--web.listen-address=:9100",
			"--collector.filesystem.mount-points-exclude=^/(dev|proc|sys|var/lib/docker/.+|var/lib/kubelet/.+)($|/)",
		},
		Ports: []corev1.ContainerPort{{Name: "metrics", ContainerPort: 9100, Protocol: corev1.ProtocolTCP}},
		Env: []corev1.EnvVar{
			{Name: "NODE_NAME", ValueFrom: fieldRef("spec.nodeName")},
			{Name: "POD_NAME", ValueFrom: fieldRef("metadata.name")},
			{Name: "POD_NAMESPACE", ValueFrom: fieldRef("metadata.namespace")},
			{Name: "GOMEMLIMIT", Value: "180MiB"},
			{Name: "OTEL_EXPORTER_OTLP_ENDPOINT", Value: "http://collector.monitoring.svc.cluster.local:4317"},
			{Name: "TOKEN", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
				LocalObjectReference: corev1.LocalObjectReference{Name: "agent-token"}, Key: "token",
			}}},
		},
		Resources: corev1.ResourceRequirements{
			Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("50m"), corev1.ResourceMemory: resource.MustParse("128Mi")},
			Limits:   corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("200Mi")},
		},
		VolumeMounts: []corev1.VolumeMount{
			{Name: "config", MountPath: "/etc/agent", ReadOnly: true},
			{Name: "tls", MountPath: "/etc/agent/tls", ReadOnly: true},
			{Name: "host-0", MountPath: "/var/lib/agent/0", MountPropagation: new(corev1.MountPropagationHostToContainer)},
			{Name: "host-1", MountPath: "/var/lib/agent/1"},
		},
		LivenessProbe:            probe("/healthz"),
		ReadinessProbe:           probe("/readyz"),
		TerminationMessagePath:   corev1.TerminationMessagePathDefault,
		TerminationMessagePolicy: corev1.TerminationMessageReadFile,
		ImagePullPolicy:          corev1.PullIfNotPresent,
		SecurityContext: &corev1.SecurityContext{
			AllowPrivilegeEscalation: new(false), ReadOnlyRootFilesystem: new(true),
			Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}, Add: []corev1.Capability{"SYS_TIME"}},
		},
	}
	if number == 2 {
		container.Name, container.LivenessProbe, container.ReadinessProbe = "init", nil, nil
	}
	return container
}

func fieldRef(path string) *corev1.EnvVarSource {
	return &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: path}}
}

func probe(path string) *corev1.Probe {
	return &corev1.Probe{
		ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{
			Path: path, Port: intstr.FromString("metrics"), Scheme: corev1.URISchemeHTTP,
		}},
		InitialDelaySeconds: 10, TimeoutSeconds: 5, PeriodSeconds: 10, SuccessThreshold: 1, FailureThreshold: 3,
	}
}
