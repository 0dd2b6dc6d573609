package synthetic

import (
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// imagesOnNode is the default limit of images that a kubelet reports.
const imagesOnNode = 50

// nodeMaker makes nodes. Each is valid until the next one is made.
type nodeMaker struct {
	node corev1.Node
}

func newNodeMaker() *nodeMaker {
	m := &nodeMaker{}
	m.node = corev1.Node{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Node"},
		ObjectMeta: metav1.ObjectMeta{
			Annotations: map[string]string{
				"alpha.kubernetes.io/provided-node-ip":                   "",
				"csi.volume.kubernetes.io/nodeid":                        `{"ebs.csi.example.com":"i-0123456789abcdef0","efs.csi.example.com":"i-0123456789abcdef0"}`,
				"node.alpha.kubernetes.io/ttl":                           "300",
				"volumes.kubernetes.io/controller-managed-attach-detach": "true",
			},
			ManagedFields: managedNode(),
		},
		Spec: corev1.NodeSpec{},
		Status: corev1.NodeStatus{
			Capacity:        nodeResources(true),
			Allocatable:     nodeResources(false),
			Images:          nodeImages(),
			DaemonEndpoints: corev1.NodeDaemonEndpoints{KubeletEndpoint: corev1.DaemonEndpoint{Port: 10250}},
			NodeInfo: corev1.NodeSystemInfo{
				KernelVersion: "6.12.53-69.119.amzn2023.x86_64", OSImage: "Amazon Linux 2023.9.20261020",
				ContainerRuntimeVersion: "containerd://2.2.4", KubeletVersion: "v1.37.2",
				OperatingSystem: "linux", Architecture: "amd64",
			},
			RuntimeHandlers: []corev1.NodeRuntimeHandler{{
				Name: "runc", Features: &corev1.NodeRuntimeHandlerFeatures{UserNamespaces: new(true), RecursiveReadOnlyMounts: new(true)},
			}},
		},
	}
	m.node.Status.Conditions = []corev1.NodeCondition{
		{Type: corev1.NodeMemoryPressure, Status: corev1.ConditionFalse, Reason: "KubeletHasSufficientMemory", Message: "kubelet has sufficient memory available"},
		{Type: corev1.NodeDiskPressure, Status: corev1.ConditionFalse, Reason: "KubeletHasNoDiskPressure", Message: "kubelet has no disk pressure"},
		{Type: corev1.NodePIDPressure, Status: corev1.ConditionFalse, Reason: "KubeletHasSufficientPID", Message: "kubelet has sufficient PID available"},
		{Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady", Message: "kubelet is posting ready status"},
	}
	return m
}

// at returns the node with an index.
func (m *nodeMaker) at(index int) (message, error) {
	node := &m.node
	name := nodeName(index)
	node.Name, node.UID, node.ResourceVersion = name, uidOf(seedNode, index), versionOf(seedNode, index)
	node.CreationTimestamp = createdAt(index)
	node.Labels = nodeLabels(index)
	node.Annotations["alpha.kubernetes.io/provided-node-ip"] = addressOf(10, index)
	node.Spec.PodCIDR = "100." + strconv.Itoa(64+index>>8&0x3f) + "." + strconv.Itoa(index&0xff) + ".0/24"
	node.Spec.PodCIDRs = []string{node.Spec.PodCIDR}
	node.Spec.ProviderID = "aws:///" + zoneOf(index) + "/i-" + digestOf(seedNode, index)[:17]
	node.Status.Addresses = []corev1.NodeAddress{
		{Type: corev1.NodeInternalIP, Address: addressOf(10, index)},
		{Type: corev1.NodeInternalDNS, Address: name},
		{Type: corev1.NodeHostName, Address: name},
	}
	node.Status.NodeInfo.MachineID = digestOf(seedNode, index)[:32]
	node.Status.NodeInfo.SystemUUID = string(uidOf(seedNode, index))
	node.Status.NodeInfo.BootID = string(uidOf(seedNode, index+1_000_000))
	for i := range node.Status.Conditions {
		node.Status.Conditions[i].LastTransitionTime = node.CreationTimestamp
		node.Status.Conditions[i].LastHeartbeatTime = createdAt(index + 600_000)
	}
	return node, nil
}

func nodeName(index int) string {
	return "ip-10-" + dotted(index, "-") + ".eu-central-1.compute.internal"
}

func zoneOf(index int) string { return "eu-central-1" + string(rune('a'+index%3)) }

func nodeLabels(index int) map[string]string {
	pool, zone := "pool-"+strconv.Itoa(index%12), zoneOf(index)
	return map[string]string{
		"beta.kubernetes.io/arch":                  "amd64",
		"beta.kubernetes.io/instance-type":         "m7i.4xlarge",
		"beta.kubernetes.io/os":                    "linux",
		"failure-domain.beta.kubernetes.io/region": "eu-central-1",
		"failure-domain.beta.kubernetes.io/zone":   zone,
		"karpenter.sh/capacity-type":               "on-demand",
		"karpenter.sh/initialized":                 "true",
		"karpenter.sh/nodepool":                    pool,
		"karpenter.sh/registered":                  "true",
		"kubernetes.io/arch":                       "amd64",
		"kubernetes.io/hostname":                   nodeName(index),
		"kubernetes.io/os":                         "linux",
		"node-type":                                "worker",
		"node.kubernetes.io/instance-type":         "m7i.4xlarge",
		"node.example.com/kernel":                  "6.12",
		"node.example.com/owner":                   "platform",
		"node.example.com/rack":                    "r" + strconv.Itoa(index/40),
		"topology.ebs.csi.example.com/zone":        zone,
		"topology.k8s.aws/zone-id":                 "euc1-az" + strconv.Itoa(index%3+1),
		"topology.kubernetes.io/region":            "eu-central-1",
		"topology.kubernetes.io/zone":              zone,
	}
}

func nodeResources(all bool) corev1.ResourceList {
	cpu, memory := "15890m", "60826Mi"
	if all {
		cpu, memory = "16", "63598Mi"
	}
	return corev1.ResourceList{
		corev1.ResourceCPU:              resource.MustParse(cpu),
		corev1.ResourceMemory:           resource.MustParse(memory),
		corev1.ResourceEphemeralStorage: resource.MustParse("104779756Ki"),
		corev1.ResourcePods:             resource.MustParse("110"),
		"hugepages-1Gi":                 resource.MustParse("0"),
		"hugepages-2Mi":                 resource.MustParse("0"),
	}
}

func nodeImages() []corev1.ContainerImage {
	images := make([]corev1.ContainerImage, imagesOnNode)
	for i := range images {
		image := imageOf(i)
		images[i] = corev1.ContainerImage{
			Names:     []string{image + "@sha256:" + digestOf(seedContainer, i), image + ":v1." + strconv.Itoa(i) + ".2"},
			SizeBytes: int64(1_000_000 * (i + 7)),
		}
	}
	return images
}

// imageOf returns the name of an image without tag.
func imageOf(index int) string {
	return "registry.example.com/platform/observability/" + daemonSetName(index)
}
