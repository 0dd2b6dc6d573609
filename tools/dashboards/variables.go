package main

import "github.com/grafana/grafana-foundation-sdk/go/dashboard"

// sourceVariable chooses the Prometheus. It begins with Grafana's default one: without
// a current value Grafana takes the alphabetically first.
func sourceVariable() dashboard.VariableModel {
	return dashboard.VariableModel{
		Type: dashboard.VariableTypeDatasource, Name: "datasource", Label: new("Data source"),
		Query: &dashboard.StringOrMap{String: new("prometheus")}, Current: option("default", "default"),
		Refresh: new(dashboard.VariableRefreshOnDashboardLoad), Hide: new(dashboard.VariableHideDontHide),
		Multi: new(false), IncludeAll: new(false), Options: []dashboard.VariableOption{},
	}
}

// variable returns a variable whose values are those of a label.
func variable(name, label, description, values string) dashboard.VariableModel {
	return dashboard.VariableModel{
		Type: dashboard.VariableTypeQuery, Name: name, Label: &label, Description: &description, Datasource: source(),
		Definition: &values, Query: &dashboard.StringOrMap{Map: map[string]any{"qryType": 1, "query": values, "refId": name}},
		Refresh: new(dashboard.VariableRefreshOnTimeRangeChanged), Sort: new(dashboard.VariableSortAlphabeticalAsc),
		Hide: new(dashboard.VariableHideDontHide), Multi: new(false), IncludeAll: new(false), AllowCustomValue: new(true),
		Options: []dashboard.VariableOption{}, Regex: new(""),
	}
}

// withAll lets a variable choose everything, and several values.
func withAll(v dashboard.VariableModel) dashboard.VariableModel {
	v.IncludeAll, v.AllValue, v.Multi, v.Current = new(true), new(".*"), new(true), option("All", "$__all")
	return v
}

func option(text, value string) *dashboard.VariableOption {
	return &dashboard.VariableOption{
		Text:  dashboard.StringOrArrayOfString{String: &text},
		Value: dashboard.StringOrArrayOfString{String: &value},
	}
}

// clusters chooses among the values of the label cluster, which Prometheus may add.
// Where there is none the variable is empty, and so is the label. Boards about one
// object have no choice of all: two DaemonSets of one name would become one.
func clusters(all bool) dashboard.VariableModel {
	v := variable("cluster", "Cluster", "The label that your Prometheus adds, if it does.", "label_values(daemonset_exporter_build_info, cluster)")
	if all {
		v = withAll(v)
	}
	return v
}
