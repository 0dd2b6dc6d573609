{{- define "image" -}}
{{- $repository := printf "%s/%s" (.Values.global.imageRegistry | default .Values.image.registry) .Values.image.repository | trimPrefix "/" }}
{{- if .Values.image.digest }}{{ $repository }}@{{ .Values.image.digest }}
{{- else }}{{ $repository }}:{{ .Values.image.tag | default (printf "v%s" .Chart.AppVersion) }}{{ end }}
{{- end }}

{{- define "pullSecrets" -}}
{{- $secrets := list }}
{{- range concat .Values.global.imagePullSecrets .Values.image.pullSecrets }}
{{- $secrets = append $secrets (ternary . (dict "name" .) (kindIs "map" .)) }}
{{- end }}
{{- with uniq $secrets }}{{ toYaml . }}{{ end }}
{{- end }}

{{- /* A handler of the override replaces that of the chart, other fields are merged. */}}
{{- define "probe" -}}
{{- $handler := dict "httpGet" (dict "path" .path "port" "metrics" "scheme" (include "scheme" .root | upper)) }}
{{- if eq .root.Values.web.probes "tcp" }}
{{- $handler = dict "tcpSocket" (dict "port" "metrics") }}
{{- end }}
{{- range list "httpGet" "tcpSocket" "exec" "grpc" }}
{{- if hasKey $.override . }}{{ $handler = dict }}{{ end }}
{{- end }}
{{- toYaml (mergeOverwrite (dict "timeoutSeconds" 5) $handler .override) }}
{{- end }}

{{- define "podSecurityContext" -}}
{{- $context := .Values.podSecurityContext }}
{{- if include "openshift" . }}{{ $context = omit $context "runAsUser" "runAsGroup" "fsGroup" }}{{ end }}
{{- toYaml $context }}
{{- end }}

{{- define "topologySpreadConstraints" -}}
{{- $selector := dict "labelSelector" (dict "matchLabels" (include "selector" . | fromYaml)) }}
{{- $constraints := list }}
{{- range .Values.topologySpreadConstraints }}
{{- $constraints = append $constraints (ternary . (merge (deepCopy $selector) .) (hasKey . "labelSelector")) }}
{{- end }}
{{- with $constraints }}{{ toYaml . }}{{ end }}
{{- end }}

{{- define "podAnnotations" -}}
{{- $annotations := dict }}
{{- if .Values.scrapeAnnotations }}
{{- $annotations = dict "prometheus.io/scrape" "true" "prometheus.io/port" "10479" "prometheus.io/path" "/metrics" }}
{{- end }}
{{- if .Values.web.configSecret }}{{ $_ := set $annotations "prometheus.io/scheme" (include "scheme" .) }}{{ end }}
{{- with mergeOverwrite $annotations .Values.podAnnotations }}{{ toYaml . }}{{ end }}
{{- end }}

{{- define "args" -}}
- --web.listen-address=:10479
{{- with .Values.namespaces }}
- --namespaces={{ join "," . }}
{{- end }}
{{- if .Values.web.configSecret }}
- --web.config.file=/etc/daemonset-exporter/web/web-config.yaml
{{- end }}
{{- if .Values.web.kubernetesAuth.enabled }}
- --web.kubernetes-auth
{{- end }}
{{- with .Values.args }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /* As in kustomize/base/deployment.yaml. A GOMEMLIMIT of one's own takes precedence. */}}
{{- define "env" -}}
{{- $own := dict }}
{{- range .Values.extraEnv }}{{ $_ := set $own .name true }}{{ end }}
{{- $env := list }}
{{- if and (dig "limits" "memory" "" .Values.resources) (not (hasKey $own "GOMEMLIMIT")) (not (hasKey $own "MEMORY_LIMIT_MIB")) }}
{{- $env = list (dict "name" "MEMORY_LIMIT_MIB" "valueFrom" (dict "resourceFieldRef" (dict "resource" "limits.memory" "divisor" "1Mi"))) }}
{{- $env = append $env (dict "name" "GOMEMLIMIT" "value" "$(MEMORY_LIMIT_MIB)000000") }}
{{- end }}
{{- with concat $env .Values.extraEnv }}{{ toYaml . }}{{ end }}
{{- end }}

{{- define "volumes" -}}
{{- $volumes := .Values.extraVolumes }}
{{- with .Values.web.configSecret }}
{{- /* 288 is 0440. */}}
{{- $volumes = prepend $volumes (dict "name" "web" "secret" (dict "secretName" . "defaultMode" 288)) }}
{{- end }}
{{- with $volumes }}{{ toYaml . }}{{ end }}
{{- end }}

{{- define "volumeMounts" -}}
{{- $mounts := .Values.extraVolumeMounts }}
{{- if .Values.web.configSecret }}
{{- $mounts = prepend $mounts (dict "name" "web" "mountPath" "/etc/daemonset-exporter/web" "readOnly" true) }}
{{- end }}
{{- with $mounts }}{{ toYaml . }}{{ end }}
{{- end }}

{{- /* A value cannot change, so another value has another name. 0 is a value too. */}}
{{- define "priorityClass" -}}
{{- $class := .Values.priorityClass }}
{{- if $class.name }}{{ $class.name }}
{{- else if not $class.create }}
{{- else if eq (int $class.value) 1000000 }}{{ include "fullname" . }}
{{- else }}{{ include "fullname" . }}-{{ $class.value | int }}{{ end }}
{{- end }}
