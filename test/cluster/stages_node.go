package cluster

// nodeStages returns the actions of a kubelet on its Node: it registers, reports
// Ready, and repeats that every five minutes. kwok renews the lease without a stage.
//
// After an outage the transition time of Ready is that of the return. (With kwok's
// own stages it would be the creation of the node.)
func nodeStages() []stage {
	return []stage{
		{
			name:   "node-register",
			kind:   "Node",
			when:   `condition("Ready") == ""`,
			status: reports("False", "KubeletNotReady", "container runtime network not ready"),
		},
		{
			name:   "node-ready",
			kind:   "Node",
			when:   `behaviour != "not-ready" and (condition("Ready") | IN("False", "Unknown"))`,
			at:     `(.metadata.creationTimestamp | stamp) + seconds("ready-after") | todateiso8601`,
			status: reports("True", "KubeletReady", "kubelet is posting ready status"),
		},
		{
			name:   "node-not-ready",
			kind:   "Node",
			when:   `behaviour == "not-ready" and (condition("Ready") | IN("True", "Unknown"))`,
			status: reports("False", "KubeletNotReady", "container runtime is down"),
		},
		{
			name:   "node-heartbeat",
			kind:   "Node",
			when:   `behaviour != "not-ready" and condition("Ready") == "True"`,
			at:     `"5m"`,
			status: reports("True", "KubeletReady", "kubelet is posting ready status"),
		},
	}
}

// reports returns the patch of a kubelet with a Ready condition.
func reports(ready, reason, message string) string {
	return conditions(
		condition{kind: "MemoryPressure", status: "False", reason: "KubeletHasSufficientMemory", message: "kubelet has sufficient memory available", beat: true},
		condition{kind: "DiskPressure", status: "False", reason: "KubeletHasNoDiskPressure", message: "kubelet has no disk pressure", beat: true},
		condition{kind: "PIDPressure", status: "False", reason: "KubeletHasSufficientPID", message: "kubelet has sufficient PID available", beat: true},
		condition{kind: "Ready", status: ready, reason: reason, message: message, beat: true},
	)
}
