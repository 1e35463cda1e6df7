{{/* What would fail later, or lose something, is refused here with a line that says what to do. */}}
{{- define "proman.guards" -}}
{{- $own := omit .Values.secrets "existingSecret" "generateSecretKey" }}
{{- $isSQLite := eq .Values.engine "sqlite" }}
{{- if and $isSQLite (gt (int .Values.replicas) 1) }}
{{- fail (printf "SQLite is one file for one replica, and replicas is %d: set replicas to 1, or engine to postgresql, mariadb or mysql with secrets.databaseUrl. (settings.processes uses more cores.)" (int .Values.replicas)) }}
{{- end }}
{{- if .Values.secrets.existingSecret }}
{{- range $name, $value := $own }}
{{- if $value }}
{{- fail (printf "secrets.existingSecret and secrets.%s are both set: put the value into the Secret, or leave existingSecret empty." $name) }}
{{- end }}
{{- end }}
{{- else if not (or $isSQLite .Values.secrets.databaseUrl) }}
{{- fail (printf "engine is %s and no address is given: set secrets.databaseUrl, or secrets.existingSecret to a Secret with the key DATABASE_URL." .Values.engine) }}
{{- end }}
{{- with .Values.secrets.databaseUrl }}
{{- $scheme := regexFind "^[a-z]+" . | replace "postgres" "postgresql" | replace "postgresqlql" "postgresql" }}
{{- $schemes := dict "sqlite" (list "sqlite" "file") "postgresql" (list "postgresql") "mariadb" (list "mariadb" "mysql") "mysql" (list "mysql") }}
{{- if not (has $scheme (index $schemes $.Values.engine)) }}
{{- fail (printf "secrets.databaseUrl begins with %q and engine is %s: let both name the same engine." $scheme $.Values.engine) }}
{{- end }}
{{- if and $isSQLite (not (regexMatch "^(sqlite:///|file:)/data/proman\\.sqlite$" .)) }}
{{- fail "On SQLite the database is /data/proman.sqlite: leave secrets.databaseUrl empty." }}
{{- end }}
{{- end }}
{{- if and .Values.secrets.databaseReplicaUrl (ne .Values.engine "postgresql") }}
{{- fail "secrets.databaseReplicaUrl needs engine postgresql." }}
{{- end }}
{{- if and .Values.secrets.smtpUrl (not .Values.settings.mailFrom) }}
{{- fail "secrets.smtpUrl needs settings.mailFrom, the address that mail comes from." }}
{{- end }}
{{- if and (gt (int .Values.replicas) 1) (not (include "proman.isShared" .)) }}
{{- fail "Several replicas share /data and /backups, which have to be ReadWriteMany: say so in persistence.data.accessModes and persistence.backups.accessModes, and name new claims in existingClaim where those that are there cannot be shared." }}
{{- end }}
{{- if and .Values.ingress.enabled (not .Values.ingress.hosts) }}
{{- fail "ingress.enabled needs at least one name in ingress.hosts." }}
{{- end }}
{{- if and .Values.ingress.enabled (not .Values.settings.url) (hasPrefix "*" (first .Values.ingress.hosts)) }}
{{- fail "The first of ingress.hosts is ProMan's public address and cannot begin with a star: name the very host first, or set settings.url." }}
{{- end }}
{{- end }}
