package main

import "github.com/grafana/grafana-foundation-sdk/go/dashboard"

// annotation returns a mark on the time axis of graphs.
func annotation(name, colour, expr, title, text, step string) dashboard.AnnotationQuery {
	return dashboard.AnnotationQuery{
		Name: name, Datasource: source(), Enable: true, Hide: new(false), IconColor: colour,
		Expr: &expr, TitleFormat: &title, TextFormat: &text, Step: &step,
	}
}

// criticalAlerts marks the time for which critical alerts fired.
func criticalAlerts(matchers string) dashboard.AnnotationQuery {
	return annotation("Critical alerts", red,
		maxBy("cluster, alertname, namespace, daemonset, node, zone",
			series("ALERTS", `alertname=~"DaemonSet.+"`, `alertstate="firing"`, `severity="critical"`, matchers)),
		"{{alertname}}", "{{cluster}} {{namespace}} {{daemonset}} {{node}} {{zone}}", "30s")
}

// nodeFailures marks the second in which nodes stopped being Ready.
func nodeFailures(matchers string) dashboard.AnnotationQuery {
	a := annotation("Node failures", orange,
		"1000 * "+earliest("cluster, node, zone", series("daemonset_node_not_ready_start_timestamp_seconds", matchers, `status=~"not_ready|unreachable"`)),
		"{{node}} stopped being Ready", "{{cluster}} {{zone}}", "30s")
	a.UseValueForTime = new(true)
	return a
}

// rolloutStarts marks when rollouts began. A mark for as long as they run would cover
// the graph when one is stuck.
func rolloutStarts(matchers string) dashboard.AnnotationQuery {
	outdated := series("daemonset_rollout_outdated_nodes", matchers)
	return annotation("Rollout starts", blue,
		"("+replicas(workload, outdated)+" > 0) and "+maxBy(workload, currentAt(outdated+" offset 1m", " offset 1m"))+" == 0",
		"Rollout of {{namespace}}/{{daemonset}}", "{{cluster}}", "60s")
}
