package cluster

// Annotations of a pod (or of a pod template) and of a node that tell the
// kubelet played by kwok what happens there. Numbers are whole seconds: the
// moment that something happens is reckoned from the objects' own stamps, so
// that an unrelated change of the object does not start the wait again.
const (
	// BehaviourAnnotation holds a Behaviour. A change takes effect at once.
	BehaviourAnnotation = annotationPrefix + "behaviour"
	// StartAfterAnnotation is how long a pod's containers stay in
	// ContainerCreating: a slow start.
	StartAfterAnnotation = annotationPrefix + "start-after"
	// StopAfterAnnotation is how long a pod's containers need to end when they
	// are asked to. With as much as the grace period or more they are killed when
	// it is over, with exit code 137.
	StopAfterAnnotation = annotationPrefix + "stop-after"
	// ExitCodeAnnotation is the exit code of containers that end when they are
	// asked to, such as 143; 0 without it.
	ExitCodeAnnotation = annotationPrefix + "exit-code"
	// ReadyAfterAnnotation is how long after its creation a node becomes Ready.
	ReadyAfterAnnotation = annotationPrefix + "ready-after"

	annotationPrefix = "test.daemonset-exporter/"

	// plugLabel is on the nodes whose kubelet is played. An annotation would not
	// do: kwok v0.8.0 keeps renewing the lease when one is removed.
	plugLabel = annotationPrefix + "plug"
	plugIn    = "in"
)

// A Behaviour is how a pod or a node fares.
type Behaviour string

// Behaviours of pods. Those that concern the start do nothing to a pod whose
// containers run already.
const (
	// Healthy is a pod that starts, becomes Ready and ends when asked to, and a
	// node that reports Ready.
	Healthy Behaviour = ""
	// ImagePull alternates ErrImagePull and ImagePullBackOff.
	ImagePull Behaviour = "image-pull"
	// ContainerConfig waits in CreateContainerConfigError.
	ContainerConfig Behaviour = "container-config"
	// CrashLoop has the first container exit with 1 two seconds after each start.
	// It is started again at once the first time, then after 10s, 20s, 40s, and
	// is Ready in between.
	CrashLoop Behaviour = "crash-loop"
	// NeverReady runs, and its readiness probe fails.
	NeverReady Behaviour = "never-ready"
	// Evicted is put out by the kubelet for lack of memory: phase Failed.
	Evicted Behaviour = "evicted"
	// Rejected is refused by the kubelet before anything is started: phase Failed.
	Rejected Behaviour = "rejected"
)

// NotReady is a node whose kubelet reports, but not Ready: the container runtime
// is down.
const NotReady Behaviour = "not-ready"

// value is what goes into a JSON patch: Healthy removes the annotation.
func (b Behaviour) value() any {
	if b == Healthy {
		return nil
	}
	return string(b)
}
