package main

import (
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// The boards, by the end of their uid and the name of their file.
const (
	fleetBoard     = "fleet"
	daemonSetBoard = "daemonset"
	nodeBoard      = "node"
	exporterBoard  = "exporter"
)

// tag is on all boards.
const tag = "daemonset_exporter"

// runbooks is where the pages of the alerts are.
const runbooks = "https://github.com/daemonset-exporter/daemonset_exporter/blob/main/docs/runbooks/"

func uid(board string) string { return "daemonset-exporter-" + board }

// A dataLink is a link from a value of a panel.
type dataLink struct {
	Title       string `json:"title"`
	URL         string `json:"url"`
	TargetBlank bool   `json:"targetBlank"`
}

// links makes links of a field.
func links(all ...dataLink) property { return property{Id: "links", Value: all} }

// ofRow is the cluster of the row of a table that was followed.
const ofRow = "var-cluster=${__data.fields.cluster}"

// boardLink returns a link to a board. It keeps the data source and the time; the
// cluster and the other variables are those of the row that was followed. Boards of one
// cluster lead to their own: see encode.
func boardLink(title, board, variables string) dataLink {
	return dataLink{
		Title: title,
		URL:   "/d/" + uid(board) + "?${datasource:queryparam}&" + ofRow + variables + "&${__url_time_range}",
	}
}

// ofSeries makes a link from a row of a table one from a series.
func ofSeries(l dataLink) dataLink {
	l.URL = strings.ReplaceAll(l.URL, "${__data.fields.", "${__field.labels.")
	return l
}

// leads makes all values of a panel links.
func leads(p *dashboard.Panel, to dataLink) *dashboard.Panel {
	overrideWhere(p, dashboard.MatcherConfig{Id: "byRegexp", Options: "/.*/"}, links(to))
	return p
}

func exporterLink() dataLink { return boardLink("The exporter", exporterBoard, "") }

func daemonSetLink() dataLink {
	return boardLink("The DaemonSet", daemonSetBoard, "&var-namespace=${__data.fields.namespace}&var-daemonset=${__data.fields.daemonset}")
}

func nodeLink() dataLink {
	return boardLink("The node", nodeBoard, "&var-node=${__data.fields.node}")
}

// runbookLink leads to the page of the alert that the value names.
func runbookLink() dataLink {
	return dataLink{Title: "Runbook", URL: runbooks + "${__value.raw}.md", TargetBlank: true}
}

// otherBoards is the list of all boards at the top of each, with data source, cluster
// and time kept.
func otherBoards() dashboard.DashboardLink {
	return dashboard.DashboardLink{
		Type: dashboard.DashboardLinkTypeDashboards, Title: "DaemonSet boards", Tags: []string{tag}, Icon: "external link",
		AsDropdown: true, IncludeVars: true, KeepTime: true, Url: new(""),
	}
}
