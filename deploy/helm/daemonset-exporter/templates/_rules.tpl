{{/* A text of rules or dashboards, with the name that the label namespace has. */}}
{{- define "renamed" -}}
{{- $label := .root.Values.namespaceLabel -}}
{{- .text | replace "namespace" $label | replace (printf "%s_selector" $label) "namespace_selector" -}}
{{- end }}

{{/* The groups of rules, with the settings of prometheusRule. alerts/mixin.libsonnet knows
the same settings. */}}
{{- define "rules" -}}
{{- $settings := .Values.prometheusRule -}}
{{- $source := include "renamed" (dict "root" . "text" (.Files.Get "files/daemonset_exporter.rules.yaml")) | fromYaml -}}
{{- $links := dict -}}
{{- with $settings.pagesUrl -}}
{{- $text := include "renamed" (dict "root" $ "text" ($.Files.Get "files/coverage_url.tmpl")) | trim -}}
{{- $_ := set $links "coverage_url" (replace "PAGES_URL" (trimSuffix "/" .) $text) -}}
{{- end -}}
{{- $groups := list -}}
{{- range $group := $source.groups -}}
{{- $rules := list -}}
{{- range $rule := $group.rules -}}
{{- if $rule.record -}}
{{- $threshold := get ($settings.thresholds | default dict) (index (splitList ":" $rule.record) 1) -}}
{{- if and (eq $group.name "daemonset_exporter.settings") (not (kindIs "string" $threshold)) -}}
{{- $_ := set $rule "expr" (printf "vector(%s)" (toJson $threshold)) -}}
{{- end -}}
{{- $rules = append $rules $rule -}}
{{- else -}}
{{- $own := get ($settings.alerts | default dict) $rule.alert | default dict -}}
{{- if and $settings.alerting (ne (toString $own.enabled) "false") -}}
{{- with $own.for }}{{ $_ := set $rule "for" . }}{{ end -}}
{{- with $own.keepFiringFor }}{{ $_ := set $rule "keep_firing_for" . }}{{ end -}}
{{- $labels := mergeOverwrite $rule.labels ($settings.alertLabels | default dict) ($own.labels | default dict) -}}
{{- with $own.severity }}{{ $_ := set $labels "severity" . }}{{ end -}}
{{- $annotations := mergeOverwrite $rule.annotations (ternary dict $links (eq $rule.labels.scope "exporter")) ($settings.alertAnnotations | default dict) ($own.annotations | default dict) -}}
{{- with $own.runbookUrl }}{{ $_ := set $annotations "runbook_url" . }}{{ end -}}
{{- $rules = append $rules $rule -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if $rules }}{{ $groups = append $groups (dict "name" $group.name "rules" $rules) }}{{ end -}}
{{- end -}}
{{- dict "groups" $groups | toYaml -}}
{{- end }}
