{{- define "name" -}}
{{ .Values.nameOverride | default .Chart.Name | trunc 45 | trimSuffix "-" }}
{{- end }}

{{- define "fullname" -}}
{{- $name := include "name" . }}
{{- if .Values.fullnameOverride }}{{ .Values.fullnameOverride | trunc 45 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}{{ .Release.Name | trunc 45 | trimSuffix "-" }}
{{- else }}{{ printf "%s-%s" .Release.Name $name | trunc 45 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "namespace" -}}
{{ .Values.namespaceOverride | default .Release.Namespace }}
{{- end }}

{{- define "selector" -}}
app.kubernetes.io/name: {{ include "name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- /* Maps are merged and printed once, so that no key can be there twice. */}}
{{- define "labels" -}}
{{- $own := dict
  "app.kubernetes.io/version" .root.Chart.AppVersion
  "app.kubernetes.io/managed-by" .root.Release.Service
  "helm.sh/chart" (printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_") }}
{{- toYaml (mergeOverwrite (dict) .root.Values.commonLabels (.extra | default dict) $own (include "selector" .root | fromYaml)) }}
{{- end }}

{{- define "metadata" -}}
name: {{ include "fullname" .root }}{{ .suffix }}
{{- if not .cluster }}
namespace: {{ .namespace | default (include "namespace" .root) }}
{{- end }}
labels: {{- include "labels" (dict "root" .root "extra" .labels) | nindent 2 }}
{{- with mergeOverwrite (dict) .root.Values.commonAnnotations (.annotations | default dict) }}
annotations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "serviceAccount" -}}
{{ .Values.serviceAccount.name | default (ternary (include "fullname" .) "default" .Values.serviceAccount.create) }}
{{- end }}

{{- define "scheme" -}}
{{ if .Values.web.configSecret }}{{ .Values.web.scheme }}{{ else }}http{{ end }}
{{- end }}

{{- /* true on OpenShift, else empty. */}}
{{- define "openshift" -}}
{{- if kindIs "bool" .Values.openshift }}{{ ternary "true" "" .Values.openshift }}
{{- else if .Capabilities.APIVersions.Has "security.openshift.io/v1" }}true{{ end }}
{{- end }}
