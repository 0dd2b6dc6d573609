package main

import (
	"slices"
	"strconv"
)

// A meaning is what a value of a label is called and how it is coloured. The names of
// colours are Grafana's, which look right in the dark theme and in the light one.
type meaning struct{ value, text, colour string }

// A palette holds the meanings of a label's values. Their order is that of legends and
// of the numbers that stand for them on timelines.
type palette []meaning

// The colours of families: whatever has the same cause looks alike on all boards.
const (
	green      = "green"
	red        = "red"
	orange     = "orange"
	yellow     = "yellow"
	blue       = "blue"
	purple     = "purple"
	neutral    = "text" // black or white, as the theme has it
	grey       = "#8a8f98"
	slate      = "#5b7a99"
	darkRed    = "dark-red"
	noBackdrop = "transparent"
)

// statuses are the statuses of nodes.
func statuses() palette {
	return palette{
		{"ready", "Ready", green},
		{"not_ready", "not Ready", red},
		{"unreachable", "unreachable", darkRed},
		{"never_ready", "never Ready", grey},
	}
}

// lifecycles are the lifecycles of nodes.
func lifecycles() palette {
	return palette{
		{"active", "active", green},
		{"joining", "joining", "light-blue"},
		{"cordoned", "cordoned", yellow},
		{"leaving", "leaving", "light-purple"},
	}
}

// causes are what gaps are blamed on.
func causes() palette {
	return palette{
		{"node", "node", darkRed},
		{"scheduling", "scheduling", purple},
		{"pod", "pod", orange},
		{"other", "other", slate},
	}
}

// reasons are the reasons of gaps: reds for the node, purples for scheduling, oranges
// and yellows for a broken pod, blues for one that is on its way.
func reasons() palette {
	return palette{
		{"node_unreachable", "node unreachable", darkRed},
		{"node_not_ready", "node not Ready", red},
		{"node_never_ready", "node never Ready", grey},
		{"node_tainted", "node tainted", "light-red"},
		{"pod_missing", "no pod", "dark-purple"},
		{"awaiting_scheduler", "no scheduler", "semi-dark-purple"},
		{"insufficient_resources", "no room", purple},
		{"pod_unschedulable", "unschedulable", "light-purple"},
		{"image_pull", "image pull", "dark-orange"},
		{"container_config", "container config", "semi-dark-orange"},
		{"crash_loop", "crash loop", orange},
		{"pod_failed", "pod failed", "light-orange"},
		{"pod_evicted", "evicted", "super-light-orange"},
		{"pod_not_ready", "pod not Ready", yellow},
		{"readiness_gate", "readiness gate", "light-yellow"},
		{"pod_starting", "starting", "light-blue"},
		{"min_ready_seconds", "minReadySeconds", "super-light-blue"},
		{"pod_terminating", "terminating", blue},
		{"other", "other", slate},
	}
}

// exclusions are the reasons why a node is not expected.
func exclusions() palette {
	return palette{
		{"node_name", "node name", slate},
		{"namespace_selector", "Namespace's selector", "light-blue"},
		{"node_selector", "node selector", blue},
		{"node_affinity", "node affinity", purple},
		{"taint", "taint", orange},
	}
}

// stages are the parts of a rescheduling, in their order.
func stages() palette {
	return palette{
		{"create", "create", purple},
		{"schedule", "schedule", blue},
		{"start", "start", orange},
		{"ready", "ready", green},
	}
}

// triggers are what makes a pod needed.
func triggers() palette {
	return palette{
		{"rollout", "rollout", blue},
		{"node_added", "node added", green},
		{"node_recovered", "node recovered", darkRed},
		{"node_eligible", "node eligible", purple},
		{"pod_deleted", "pod deleted", yellow},
		{"pod_evicted", "pod evicted", "super-light-orange"},
		{"pod_failed", "pod failed", "light-orange"},
		{"daemonset_created", "DaemonSet created", grey},
	}
}

// outcomes are how terminations end.
func outcomes() palette {
	return palette{
		{"graceful", "graceful", green},
		{"not_running", "not running", grey},
		{"unknown", "unknown", slate},
		{"forced", "forced", yellow},
		{"grace_exceeded", "grace exceeded", orange},
		{"oom_killed", "OOM killed", red},
		{"node_lost", "node lost", darkRed},
	}
}

// terminationStates are how terminations stand.
func terminationStates() palette {
	return palette{
		{"within_grace", "within grace", blue},
		{"overdue", "overdue", orange},
		{"node_lost", "node lost", darkRed},
	}
}

// restartReasons are how the run of a container before its restart ended.
func restartReasons() palette {
	return palette{
		{"OOMKilled", "OOMKilled", red},
		{"Error", "Error", orange},
		{"StartError", "StartError", "semi-dark-orange"},
		{"Completed", "Completed", blue},
		{"other", "other", slate},
	}
}

// severities are those of the alerts.
func severities() palette {
	return palette{
		{"critical", "critical", red},
		{"warning", "warning", orange},
		{"info", "info", blue},
	}
}

// nodeStates are what the board of one node knows of it. Only nodes in trouble have
// series of their own: of one without any it is not known whether it is Ready, was
// deleted, or never was.
func nodeStates() palette {
	return append(statuses(), meaning{"none", "Ready or gone", slate})
}

// number returns the number that stands for a value on timelines and in the matrix.
// Numbers begin with 1.
func (p palette) number(value string) string {
	return strconv.Itoa(1 + slices.IndexFunc(p, func(m meaning) bool { return m.value == value }))
}
