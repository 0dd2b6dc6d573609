package cluster

// Annotations of a pod (or of a pod template) and of a node that control the
// simulated kubelet. Numbers are whole seconds. They count from timestamps in the
// objects, so that an unrelated change of the object does not restart the wait.
const (
	// BehaviourAnnotation holds a Behaviour. A change takes effect at once.
	BehaviourAnnotation = annotationPrefix + "behaviour"
	// StartAfterAnnotation is how long a pod's containers stay in
	// ContainerCreating: a slow start.
	StartAfterAnnotation = annotationPrefix + "start-after"
	// StopAfterAnnotation is how long a pod's containers take to end after SIGTERM.
	// If it is not less than the grace period they are killed at its end, with exit
	// code 137.
	StopAfterAnnotation = annotationPrefix + "stop-after"
	// ExitCodeAnnotation is the exit code of containers that end after SIGTERM, such
	// as 143; 0 without it.
	ExitCodeAnnotation = annotationPrefix + "exit-code"
	// ReadyAfterAnnotation is how long after its creation a node becomes Ready.
	ReadyAfterAnnotation = annotationPrefix + "ready-after"

	annotationPrefix = "test.daemonset-exporter/"

	// plugLabel is on the nodes whose kubelet runs. An annotation does not work: kwok
	// v0.8.0 keeps renewing the lease when it is removed.
	plugLabel = annotationPrefix + "plug"
	plugIn    = "in"
)

// Behaviour is what happens to a pod or a node.
type Behaviour string

// Behaviours of pods. Those about the start have no effect on a pod whose containers
// run already.
const (
	// Healthy is a pod that starts, becomes Ready and ends after SIGTERM, and a node
	// that reports Ready.
	Healthy Behaviour = ""
	// ImagePull alternates ErrImagePull and ImagePullBackOff.
	ImagePull Behaviour = "image-pull"
	// ContainerConfig waits in CreateContainerConfigError.
	ContainerConfig Behaviour = "container-config"
	// CrashLoop exits the first container with 1 two seconds after each start. It is
	// restarted at once the first time, then after 10s, 20s, 40s, and is Ready in
	// between.
	CrashLoop Behaviour = "crash-loop"
	// NeverReady runs, and its readiness probe fails.
	NeverReady Behaviour = "never-ready"
	// Evicted is evicted by the kubelet for lack of memory: phase Failed.
	Evicted Behaviour = "evicted"
	// Rejected is rejected by the kubelet before anything starts: phase Failed.
	Rejected Behaviour = "rejected"
)

// NotReady is a node whose kubelet reports that it is not Ready, because the
// container runtime is down.
const NotReady Behaviour = "not-ready"

// value returns the value for a JSON patch: Healthy removes the annotation.
func (b Behaviour) value() any {
	if b == Healthy {
		return nil
	}
	return string(b)
}
