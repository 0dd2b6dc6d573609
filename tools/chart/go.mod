module github.com/daemonset-exporter/daemonset_exporter/tools/chart

go 1.26.0

require go.yaml.in/yaml/v3 v3.0.5
