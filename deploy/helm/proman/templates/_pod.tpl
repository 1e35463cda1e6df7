{{/* What every pod of the chart has in common. */}}
{{- define "proman.pod" -}}
serviceAccountName: {{ include "proman.serviceAccount" . }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}

{{- define "proman.securityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- define "proman.volumes" -}}
- name: data
  persistentVolumeClaim:
    claimName: {{ include "proman.claim" (list . "data") }}
- name: backups
  persistentVolumeClaim:
    claimName: {{ include "proman.claim" (list . "backups") }}
- name: tmp
  emptyDir:
    sizeLimit: 1Gi
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "proman.mounts" -}}
- name: data
  mountPath: /data
- name: backups
  mountPath: /backups
- name: tmp
  mountPath: /tmp
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* One variable from the Secret: (list $ NAME isOptional). */}}
{{- define "proman.fromSecret" -}}
- name: {{ index . 1 }}
  valueFrom:
    secretKeyRef:
      name: {{ include "proman.secret" (index . 0) }}
      key: {{ index . 1 }}
      {{- if index . 2 }}
      optional: true
      {{- end }}
{{- end }}

{{- define "proman.env" -}}
- name: PROMAN_DATA_DIR
  value: /data
- name: PROMAN_BACKUP_DIR
  value: /backups
- name: HOST
  value: 0.0.0.0
- name: PORT
  value: "8000"
- name: THREADS
  value: {{ .Values.settings.threads | quote }}
{{- with include "proman.url" . }}
- name: PROMAN_URL
  value: {{ . | quote }}
{{- end }}
{{- with .Values.settings.mailFrom }}
- name: MAIL_FROM
  value: {{ . | quote }}
{{- end }}
- name: PROMAN_TRUSTED_PROXIES
  value: {{ ternary (ternary 1 0 .Values.ingress.enabled) .Values.settings.trustedProxies (kindIs "invalid" .Values.settings.trustedProxies) | quote }}
- name: PROMAN_METRICS
  value: {{ ternary "on" "off" (or .Values.settings.metrics .Values.serviceMonitor.enabled) | quote }}
{{- if ne .Values.engine "sqlite" }}
{{ include "proman.fromSecret" (list . "DATABASE_URL" false) }}
{{- end }}
{{- if eq .Values.engine "postgresql" }}
{{ include "proman.fromSecret" (list . "DATABASE_REPLICA_URL" true) }}
{{- end }}
{{- range list "SECRET_KEY" "SMTP_URL" "PROMAN_BACKUP_PASSPHRASE" }}
{{ include "proman.fromSecret" (list $ . true) }}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}
