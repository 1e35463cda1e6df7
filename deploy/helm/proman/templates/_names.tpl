{{- define "proman.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{/* At most 40 letters, so that what is put behind it still fits into a CronJob's 52. */}}
{{- define "proman.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains (include "proman.name" .) .Release.Name }}
{{- .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "proman.name" .) | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "proman.selector" -}}
app.kubernetes.io/name: {{ include "proman.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "proman.labels" -}}
{{ include "proman.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "proman.image" -}}
{{- with .Values.image }}
{{- if .digest }}{{ .repository }}@{{ .digest }}
{{- else }}{{ .repository }}:{{ default $.Chart.AppVersion .tag }}
{{- end }}
{{- end }}
{{- end }}

{{- define "proman.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}{{ default (include "proman.fullname" .) .Values.serviceAccount.name }}
{{- else }}{{ default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "proman.secret" -}}
{{- default (include "proman.fullname" .) .Values.secrets.existingSecret }}
{{- end }}

{{/* The claim of a volume: (list $ "data"). */}}
{{- define "proman.claim" -}}
{{- $root := index . 0 }}{{ $name := index . 1 }}
{{- default (printf "%s-%s" (include "proman.fullname" $root) $name) (index $root.Values.persistence $name).existingClaim }}
{{- end }}

{{/* How a volume may be mounted, with spaces between: (list $ "data"). A claim that is there cannot
be changed, whatever the replicas have become, so it is asked. */}}
{{- define "proman.accessModes" -}}
{{- $root := index . 0 }}{{ $volume := index $root.Values.persistence (index . 1) }}
{{- $there := lookup "v1" "PersistentVolumeClaim" $root.Release.Namespace (include "proman.claim" .) }}
{{- if $volume.accessModes }}{{ join " " $volume.accessModes }}
{{- else if $there }}{{ join " " $there.spec.accessModes }}
{{- else if gt (int $root.Values.replicas) 1 }}ReadWriteMany
{{- else }}ReadWriteOnce
{{- end }}
{{- end }}

{{/* "yes" when both volumes may be mounted on several nodes at once. */}}
{{- define "proman.isShared" -}}
{{- if and (contains "ReadWriteMany" (include "proman.accessModes" (list . "data")))
           (contains "ReadWriteMany" (include "proman.accessModes" (list . "backups"))) }}yes{{ end }}
{{- end }}

{{- define "proman.isHttps" -}}
{{- if or .Values.ingress.tls .Values.ingress.tlsSecret }}yes{{ end }}
{{- end }}

{{- define "proman.url" -}}
{{- if .Values.settings.url }}{{ .Values.settings.url }}
{{- else if .Values.ingress.enabled }}{{ ternary "https" "http" (eq (include "proman.isHttps" .) "yes") }}://{{ first .Values.ingress.hosts }}
{{- end }}
{{- end }}

{{/* Below which path of its hosts ProMan is: that of settings.url. */}}
{{- define "proman.path" -}}
{{- default "/" (regexReplaceAll "^[^/]*//[^/]*" .Values.settings.url "" | trimSuffix "/") }}
{{- end }}

{{/* On which ports the database is, with spaces between: those of the addresses, where the values
have them, else the engine's own. */}}
{{- define "proman.databasePorts" -}}
{{- $own := ternary 5432 3306 (eq .Values.engine "postgresql") | toString }}
{{- $ports := list }}
{{- if .Values.networkPolicy.databasePort }}
{{- $ports = list (toString .Values.networkPolicy.databasePort) }}
{{- else if ne .Values.engine "sqlite" }}
{{- range compact (list (default "//" .Values.secrets.databaseUrl) .Values.secrets.databaseReplicaUrl) }}
{{- range splitList "," (regexReplaceAll "^[^/]*//([^/?]*@)?([^/?]*).*$" . "${2}") }}
{{- $ports = append $ports (default $own (regexFind ":[0-9]+$" . | trimPrefix ":")) }}
{{- end }}
{{- end }}
{{- end }}
{{- $ports | uniq | join " " }}
{{- end }}
