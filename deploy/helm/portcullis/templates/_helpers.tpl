{{- define "portcullis.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "portcullis.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else if contains (include "portcullis.name" .) .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "portcullis.name" .) | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "portcullis.selectorLabels" -}}
app.kubernetes.io/name: {{ include "portcullis.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "portcullis.labels" -}}
{{ include "portcullis.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "portcullis.metadata" -}}
name: {{ include "portcullis.fullname" . }}
namespace: {{ .Release.Namespace }}
labels:
  {{- include "portcullis.labels" . | nindent 2 }}
{{- end -}}

{{- define "portcullis.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "portcullis.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "portcullis.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{/* The Service whose Checks get the policy of an entry of istio.policies: its host is the gRPC :authority. */}}
{{- define "portcullis.aliasName" -}}
{{- printf "%s-%s" (include "portcullis.fullname" .root) .entry.name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "portcullis.config" -}}
{{- if not .Values.config.issuers -}}
{{- fail "config.issuers is empty: set config to your portcullis.yaml, or existingConfigMap to a ConfigMap that holds it" -}}
{{- end -}}
{{- $server := dict "grpc" (printf "%s:9191" .Values.listenAddress) "admin" (printf "%s:9192" .Values.listenAddress) -}}
{{- if .Values.public.enabled -}}
{{- $_ := set $server "public" (printf "%s:9193" .Values.listenAddress) -}}
{{- end -}}
{{- range list "grpc" "admin" "public" -}}
{{- if hasKey (default dict $.Values.config.server) . -}}
{{- fail (printf "config.server.%s is set by the chart: the ports of the container and the probes must agree with it" .) -}}
{{- end -}}
{{- end -}}
{{- if .Values.tls.enabled -}}
{{- $tls := dict "cert" "/etc/portcullis-tls/tls.crt" "key" "/etc/portcullis-tls/tls.key" -}}
{{- if .Values.tls.requireClientCertificate -}}
{{- $_ := set $tls "clientCa" "/etc/portcullis-tls/ca.crt" -}}
{{- end -}}
{{- $_ := set $server "tls" $tls -}}
{{- end -}}
{{- if .Values.istio.enabled -}}
{{- range .Values.istio.policies -}}
{{- if .policy -}}
{{- $host := printf "%s.%s.svc.cluster.local" (include "portcullis.aliasName" (dict "root" $ "entry" .)) $.Release.Namespace -}}
{{- $_ := set $server "authorities" (merge (dict $host .policy) (default dict $server.authorities)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $added := dict "server" $server "jwks" (dict "snapshotDir" "/var/lib/portcullis/jwks") -}}
{{- if .Values.redis.enabled -}}
{{- $_ := set $added "redis" (dict "url" "${env:REDIS_URL}") -}}
{{- $_ := set $added "replay" (dict "store" "redis") -}}
{{- end -}}
{{/* What the user says wins, but for the ports, which were refused above. */}}
{{- toYaml (mergeOverwrite $added (deepCopy .Values.config)) -}}
{{- end -}}
