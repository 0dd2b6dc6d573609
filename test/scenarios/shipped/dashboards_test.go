package shipped_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/test/scenarios/shipped"
	"github.com/daemonset-exporter/daemonset_exporter/test/scenarios/shipped/shippedtest"
)

func dashboards(t *testing.T) map[string]*shipped.Dashboard {
	t.Helper()
	dashboards := check.Must(shipped.ReadDashboards(shippedtest.Path(t, ".")))(t)
	check.Require(t, len(dashboards) == 4, "%d dashboards", len(dashboards))
	return dashboards
}

func TestDashboards(t *testing.T) {
	t.Parallel()
	t.Run("query what exists", func(t *testing.T) {
		t.Parallel()
		vocabulary := vocabulary(t)
		metric := regexp.MustCompile(`daemonset_\w+`)
		values := map[string]string{"cluster": ".*", "instance": ".*", "namespace": "ns", "daemonset": "ds", "node": "n"}
		for file, dashboard := range dashboards(t) {
			for _, panel := range dashboard.AllPanels() {
				for _, target := range panel.Targets {
					if err := vocabulary.Check(shipped.Fill(target.Expr, values, window)); err != nil {
						t.Errorf("%s, %q: %v", file, panel.Title, err)
					}
				}
			}
			for _, annotation := range dashboard.Annotations.List {
				if err := vocabulary.Check(shipped.Fill(annotation.Expr, values, window)); err != nil {
					t.Errorf("%s, annotation %q: %v", file, annotation.Name, err)
				}
			}
			for _, variable := range dashboard.Templating.List {
				for _, name := range metric.FindAllString(variable.Definition, -1) {
					if err := vocabulary.Check(name); err != nil {
						t.Errorf("%s, variable %s: %v", file, variable.Name, err)
					}
				}
			}
		}
	})
	t.Run("leave out replicas that have lost the API server", func(t *testing.T) {
		t.Parallel()
		for file, dashboard := range dashboards(t) {
			if file == "exporter.json" { // it shows each replica by itself
				continue
			}
			check := func(title, query string) {
				stale, err := shipped.OfStaleReplicas(shipped.Fill(query, nil, window))
				if err != nil || len(stale) > 0 {
					t.Errorf("%s, %q shows %v of all replicas: %v", file, title, stale, err)
				}
			}
			for _, panel := range dashboard.AllPanels() {
				for _, target := range panel.Targets {
					check(panel.Title, target.Expr)
				}
			}
			for _, annotation := range dashboard.Annotations.List {
				check(annotation.Name, annotation.Expr)
			}
		}
	})
	t.Run("tell clusters apart", func(t *testing.T) {
		t.Parallel()
		for file, dashboard := range dashboards(t) {
			oneCluster := file == "daemonset.json" || file == "node.json"
			for title, query := range allOf(dashboard) {
				all := check.Must(shipped.OfAllClusters(query))(t)
				check.That(t, len(all) == 0, "%s, %s: %v are of all clusters", file, title, all)
				// A dot in the name of the one cluster stands for no other letter.
				if oneCluster {
					check.That(t, !strings.Contains(query, `cluster=~`), "%s, %s matches clusters: %s", file, title, query)
					continue
				}
				many := check.Must(shipped.OfManyClusters(query, true))(t)
				check.That(t, len(many) == 0, "%s, %s mixes clusters in %q", file, title, many)
			}
			for _, variable := range dashboard.Templating.List {
				ofAll := variable.Type != "query" || variable.Name == "cluster"
				matched := strings.Contains(variable.Definition, `cluster=~"$cluster"`)
				compared := strings.Contains(variable.Definition, `cluster="$cluster"`)
				check.That(t, ofAll || oneCluster && compared || !oneCluster && matched, "%s, variable %s is of all clusters", file, variable.Name)
			}
		}
	})
	t.Run("have title, description, unit and legend in every panel", func(t *testing.T) {
		t.Parallel()
		for file, dashboard := range dashboards(t) {
			for _, panel := range dashboard.AllPanels() {
				defaults := panel.FieldConfig.Defaults
				check.That(t, panel.Title != "" && panel.Description != "" && defaults.Unit != "", "%s, panel %d %q: title, description and unit are needed", file, panel.ID, panel.Title)
				check.That(t, panel.Datasource.UID == "${datasource}", "%s, %q: data source %q", file, panel.Title, panel.Datasource.UID)
				if panel.Type == "text" {
					continue
				}
				check.That(t, len(panel.Targets) != 0, "%s, %q shows nothing", file, panel.Title)
				for _, target := range panel.Targets {
					check.That(t, target.LegendFormat != "" && target.Datasource.UID == "${datasource}", "%s, %q: a query lacks legend or data source", file, panel.Title)
				}
				check.That(t, defaults.NoValue != "", "%s, %q does not say what it means that there is nothing", file, panel.Title)
			}
		}
	})
	t.Run("lead from an alert to its runbook", func(t *testing.T) {
		t.Parallel()
		for _, rule := range rules(t).All() {
			if rule.Alert == "" {
				continue
			}
			page := rule.Annotations["runbook_url"]
			link := strings.ReplaceAll(page, rule.Alert, "${__value.raw}")
			for file := range dashboards(t) {
				check.That(t, strings.Contains(read(t, shippedtest.Path(t, "dashboards/"+file)), `"`+link+`"`), "%s does not lead to %s", file, page)
			}
		}
	})
	t.Run("can be imported", func(t *testing.T) {
		t.Parallel()
		uids := map[string]bool{}
		for file, dashboard := range dashboards(t) {
			check.That(t, dashboard.UID != "" && !uids[dashboard.UID] && len(dashboard.UID) <= 40, "%s: uid %q", file, dashboard.UID)
			uids[dashboard.UID] = true
			check.That(t, dashboard.SchemaVersion >= 39, "%s: schema version %d is older than Grafana 11", file, dashboard.SchemaVersion)
			variables := dashboard.Templating.List
			if len(variables) < 2 || variables[0].Name != "datasource" || variables[0].Type != "datasource" || variables[1].Name != "cluster" {
				t.Errorf("%s: the first variables must be datasource and cluster", file)
			}
			ids := map[int]bool{}
			all := append(dashboard.AllPanels(), rows(dashboard)...)
			for i, panel := range all {
				if ids[panel.ID] {
					t.Errorf("%s: two panels have the id %d", file, panel.ID)
				}
				ids[panel.ID] = true
				if panel.GridPos.X+panel.GridPos.W > 24 {
					t.Errorf("%s: %q does not fit", file, panel.Title)
				}
				for _, other := range all[:i] {
					a, b := panel.GridPos, other.GridPos
					if a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H {
						t.Errorf("%s: %q lies over %q", file, panel.Title, other.Title)
					}
				}
			}
		}
	})
}

// allOf returns the queries of a dashboard, those of annotations too, by what they are
// for. Windows have values, variables have none.
func allOf(dashboard *shipped.Dashboard) map[string]string {
	queries := map[string]string{}
	for _, panel := range dashboard.AllPanels() {
		for _, target := range panel.Targets {
			queries[panel.Title+" "+target.RefID] = shipped.Fill(target.Expr, nil, window)
		}
	}
	for _, annotation := range dashboard.Annotations.List {
		queries["annotation "+annotation.Name] = shipped.Fill(annotation.Expr, nil, window)
	}
	return queries
}

// window fits any range.
var window = shipped.Window{Interval: 15 * time.Second, Range: 5 * time.Minute}

// rows returns the rows between the panels of a dashboard.
func rows(dashboard *shipped.Dashboard) []shipped.Panel {
	var rows []shipped.Panel
	for _, panel := range dashboard.Panels {
		if panel.Type == "row" {
			rows = append(rows, panel)
		}
	}
	return rows
}

func TestFill(t *testing.T) {
	t.Parallel()
	t.Run("replaces variables", func(t *testing.T) {
		t.Parallel()
		got := shipped.Fill(`rate(a{x="$name", y="${name}"}[$__rate_interval]) > $__interval_ms / 1000 offset $__interval`, map[string]string{"name": "v"}, window)
		check.Equal(t, got, `rate(a{x="v", y="v"}[60s]) > 15000 / 1000 offset 15s`)
	})
}
