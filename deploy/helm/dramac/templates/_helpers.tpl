{{- define "dramac.labels" -}}
app.kubernetes.io/name: dramac
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "dramac.selector" -}}
app.kubernetes.io/name: dramac
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end }}

{{- define "dramac.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "dramac.environment" -}}
- {name: PLATFORM_URL, value: {{ printf "https://%s" (required "platformHost: the host of the platform, such as dramac.example.com" .Values.platformHost) | quote }}}
- {name: RUNTIME_URL, value: {{ printf "https://%s" (required "runtimeHost: the host of module pages, another than platformHost" .Values.runtimeHost) | quote }}}
- {name: TRUSTED_PROXIES, value: {{ .Values.trustedProxies | quote }}}
{{- with .Values.mailFrom }}
- {name: MAIL_FROM, value: {{ . | quote }}}
{{- end }}
{{- with .Values.domains.target }}
- {name: DOMAINS_TARGET, value: {{ . | quote }}}
{{- end }}
{{- with .Values.domains.addresses }}
- {name: DOMAINS_ADDRESSES, value: {{ join "," . | quote }}}
{{- end }}
{{- with .Values.domains.resolvers }}
- {name: DNS_RESOLVERS, value: {{ join "," . | quote }}}
{{- end }}
{{- end }}

{{- define "dramac.container" -}}
image: {{ include "dramac.image" .root | quote }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
envFrom: [{secretRef: {name: {{ .root.Values.existingSecret | quote }}}}]
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
volumeMounts:
  - {name: files, mountPath: /var/lib/dramac}
  - {name: tmp, mountPath: /tmp}
{{- end }}

{{- define "dramac.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext: {runAsNonRoot: true, runAsUser: 10001, runAsGroup: 10001, fsGroup: 10001, seccompProfile: {type: RuntimeDefault}}
volumes:
  - {name: files, persistentVolumeClaim: {claimName: {{ printf "%s-files" .root.Release.Name | quote }}}}
  - {name: tmp, emptyDir: {}}
{{- end }}
