package cluster

// nodeStages are what a kubelet does to its Node: it registers, says that it is
// Ready, and says so again every five minutes. Renewing the lease is no stage,
// kwok does that by itself.
//
// After an outage a node turns Ready with the stamp of its return. (kwok's own
// stages would put the node's creation there.)
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

// reports is the patch of a kubelet that says this about its node.
func reports(ready, reason, message string) string {
	return conditions(
		condition{kind: "MemoryPressure", status: "False", reason: "KubeletHasSufficientMemory", message: "kubelet has sufficient memory available", beat: true},
		condition{kind: "DiskPressure", status: "False", reason: "KubeletHasNoDiskPressure", message: "kubelet has no disk pressure", beat: true},
		condition{kind: "PIDPressure", status: "False", reason: "KubeletHasSufficientPID", message: "kubelet has sufficient PID available", beat: true},
		condition{kind: "Ready", status: ready, reason: reason, message: message, beat: true},
	)
}
