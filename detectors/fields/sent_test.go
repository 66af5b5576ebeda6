package fields

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSentLogs(t *testing.T) {
	type m = map[string]any
	category := func(name string, on any) m { return m{"category": name, "categoryGroup": nil, "enabled": on} }
	group := func(name string, on bool) m { return m{"category": nil, "categoryGroup": name, "enabled": on} }
	for name, test := range map[string]struct {
		of   string
		logs []m
		want []string
	}{
		"categories":                {"Microsoft.KeyVault/vaults/kv", []m{category("AuditEvent", true), category("Other", false)}, []string{"AuditEvent"}},
		"text":                      {"Microsoft.KeyVault/vaults/kv", []m{category("AuditEvent", "True")}, []string{"AuditEvent"}},
		"group of a vault":          {"MICROSOFT.KEYVAULT/VAULTS/KV", []m{group("audit", true)}, []string{"AuditEvent"}},
		"group that is off":         {"Microsoft.KeyVault/vaults/kv", []m{group("audit", false), group("allLogs", true)}, []string{"allLogs"}},
		"group of a database":       {"Microsoft.Sql/servers/s/databases/d", []m{group("Audit", true)}, []string{"SQLSecurityAuditEvents"}},
		"group of a blob service":   {"Microsoft.Storage/storageAccounts/a/blobServices/default", []m{group("audit", true)}, []string{"StorageRead", "StorageWrite", "StorageDelete"}},
		"group of something else":   {"Microsoft.Web/sites/w", []m{group("audit", true)}, []string{"audit"}},
		"each once":                 {"Microsoft.KeyVault/vaults/kv", []m{category("AuditEvent", true), group("audit", true)}, []string{"AuditEvent"}},
		"nothing":                   {"Microsoft.KeyVault/vaults/kv", nil, nil},
		"a null in place of a name": {"Microsoft.KeyVault/vaults/kv", []m{category("", true)}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			record := m{"time": "2026-03-02T09:00:00Z", "category": "Administrative", "operationName": "MICROSOFT.INSIGHTS/DIAGNOSTICSETTINGS/WRITE", "resultType": "Success",
				"resourceId": "/subscriptions/s/resourceGroups/g/providers/" + test.of + "/providers/microsoft.insights/diagnosticSettings/x",
				"properties": m{"requestbody": m{"properties": m{"logs": test.logs}}}}
			if diff := cmp.Diff(test.want, told(t, "sent.body.properties.logs", record)); diff != "" {
				t.Errorf("sent (-want +got):\n%s", diff)
			}
		})
	}
}
