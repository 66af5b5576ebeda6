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
		{"mailbox of a group with its organisation", mailboxOf, `example.onmicrosoft.com\Records`, "records"},
		{"mailbox of an address", mailboxOf, "Ann@example.org", "ann"},
	} {
		if got := tt.of(tt.in); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestSameVault(t *testing.T) {
	const id = "/subscriptions/S/resourceGroups/G/providers/Microsoft.KeyVault/vaults/KV-Ehr"
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{id, "https://kv-ehr.vault.azure.net/keys/k/0123", true},
		{id, "kv-ehr.vault.azure.net", true},
		{id, "KV-EHR", true},
		{id, "/SUBSCRIPTIONS/S/RESOURCEGROUPS/G/PROVIDERS/MICROSOFT.KEYVAULT/VAULTS/KV-EHR", true},
		{id, "https://kv-ehr.vault.usgovcloudapi.net:443", true},
		{"/vaults/kv-ehr", "kv-ehr", true},
		{"https://kv-ehr.vault.azure.net", "kv-ehr.VAULT.azure.net", true},
		{"https://vault.example.org/", "vault.example.org", true},
		{id, "kv-ehr2", false},
		{id, "https://kv-ehr.vault.azure.net.example.org", false},
		{id, "https://other.vault.azure.net/vaults/kv-ehr", false},
		{id, "https://kv-ehr.vault.azure.net@other.example.org/", false},
		{id, "https://kv-ehr.managedhsm.azure.net", false},
		{"/subscriptions/S/resourceGroups/G/providers/Microsoft.KeyVault/managedHSMs/kv-ehr", "https://kv-ehr.managedhsm.azure.net", true},
		{"", "", false},
		{"/subscriptions/S", "/subscriptions/S", false},
	} {
		if got, back := SameVault(tt.a, tt.b), SameVault(tt.b, tt.a); got != tt.want || back != tt.want {
			t.Errorf("%q and %q: %v and %v, want %v", tt.a, tt.b, got, back, tt.want)
		}
	}
}
