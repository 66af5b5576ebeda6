package fields

import "testing"

func TestThingsAreNamedHoweverTheyAreWritten(t *testing.T) {
	const id = "/subscriptions/S/resourceGroups/G/providers/Microsoft.KeyVault/vaults/KV-Ehr"
	for _, tt := range []struct {
		name     string
		of       func(string) string
		in, want string
	}{
		{"vault of a resource id", vaultOf, id + "/keys/K", "kv-ehr"},
		{"vault of an address", vaultOf, "https://KV-Ehr.vault.azure.net:443/keys/K/0123", "kv-ehr"},
		{"vault of a bare address", vaultOf, "https://kv-ehr", "kv-ehr"},
		{"vault of anything", vaultOf, "kv-ehr", ""},
		{"resource", resourceOf, id, "/subscriptions/s/resourcegroups/g/providers/microsoft.keyvault/vaults/kv-ehr"},
		{"resource of what lies in it", resourceOf, id + "/keys/K", "/subscriptions/s/resourcegroups/g/providers/microsoft.keyvault/vaults/kv-ehr"},
		{"resource of a group", resourceOf, "/subscriptions/S/resourceGroups/G", "/subscriptions/s/resourcegroups/g"},
		{"site", siteOf, "https://X.example.org/sites/Ward/Shared/a.docx", "https://x.example.org/sites/ward"},
		{"site of none", siteOf, "https://X.example.org/a.docx", "https://x.example.org"},
		{"mailbox of a path", mailboxOf, "EU/Org/Ann", "ann"},
		{"mailbox of an address", mailboxOf, "Ann@example.org", "ann"},
	} {
		if got := tt.of(tt.in); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
