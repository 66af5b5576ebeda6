package fields

import (
	"strings"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
	"phiwatch/ingest/document"
)

var (
	pathCategories = []*document.Path{document.MustCompile("category"), document.MustCompile("CategoryValue")}
	pathProviders  = []*document.Path{document.MustCompile("resourceProviderName"), document.MustCompile("ResourceProviderValue")}
	pathActResults = []*document.Path{document.MustCompile("resultType"), document.MustCompile("status"), document.MustCompile("ActivityStatusValue"), document.MustCompile("resultSignature")}
	pathLocalized  = document.MustCompile("operationName.localizedValue")
)

// olderCategories were the last words of operations; what they hold is
// Administrative today.
var olderCategories = map[string]string{"action": "Administrative", "write": "Administrative", "delete": "Administrative"}

func activityCategory(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	from := len(dst)
	dst = sayAll(dst, ev, pathCategories...)
	if len(dst) > from {
		dst = say(dst, fold(olderCategories, dst[from].Text))
	}
	return dst
}

// activityProvider is the resource provider, which the hub's form names in the
// operation only.
func activityProvider(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	if provider, _, found := strings.Cut(ev.Action, "/"); found {
		dst = say(dst, provider)
	}
	return sayAll(dst, ev, pathProviders...)
}

func activityStatus(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	return sayAll(sayOutcome(dst, ev), ev, pathActResults...)
}

// activityTitles are operations as the portal shows them, for those that rules
// quote: the SecOps guide's words, and the portal's of today.
var activityTitles = map[string][]string{
	"microsoft.authorization/elevateaccess/action": {"Assigns the caller to user access admin", "Assigns the caller to User Access Administrator role"},
}

// portalOperations returns all titles, in lower case.
func portalOperations() []string {
	var out []string
	for _, titles := range activityTitles {
		for _, t := range titles {
			out = append(out, strings.ToLower(t))
		}
	}
	return out
}

// activityTitle is an operation by its name, and as the portal shows it.
func activityTitle(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	dst = sayAll(say(dst, ev.Action), ev, pathLocalized)
	for _, title := range activityTitles[ev.Op] {
		dst = say(dst, title)
	}
	return dst
}

// vaultOperations are the operations that a vault logs
// (learn.microsoft.com/azure/key-vault/general/logging), in lower case, and the
// permissions of data actions that they take
// (learn.microsoft.com/azure/role-based-access-control/permissions/security).
// A permission that rules write with and without /action stands in both forms.
var vaultOperations = underVaults(map[string][]string{
	"keycreate":  {"keys/create/action", "keys/create", "keys/write"},
	"keyimport":  {"keys/import/action"},
	"keyupdate":  {"keys/update/action"},
	"keydelete":  {"keys/delete"},
	"keyrecover": {"keys/recover/action"},
	"keyrestore": {"keys/restore/action"},
	"keybackup":  {"keys/backup/action"},
	"keypurge":   {"keys/purge/action"},

	"secretset":     {"secrets/setSecret/action", "secrets/write"},
	"secretupdate":  {"secrets/update/action"},
	"secretdelete":  {"secrets/delete"},
	"secretrecover": {"secrets/recover/action"},
	"secretrestore": {"secrets/restore/action"},
	"secretbackup":  {"secrets/backup/action"},
	"secretpurge":   {"secrets/purge/action"},

	"certificatecreate":  {"certificates/create/action", "certificates/create"},
	"certificateimport":  {"certificates/import/action"},
	"certificateupdate":  {"certificates/update/action"},
	"certificatedelete":  {"certificates/delete"},
	"certificaterecover": {"certificates/recover/action"},
	"certificaterestore": {"certificates/restore/action"},
	"certificatebackup":  {"certificates/backup/action"},
	"certificatepurge":   {"certificates/purge/action"},
})

// underVaults completes permissions with their provider.
func underVaults(operations map[string][]string) map[string][]string {
	for _, list := range operations {
		for i := range list {
			list[i] = "Microsoft.KeyVault/vaults/" + list[i]
		}
	}
	return operations
}

// vaultPermissions returns all permissions, in lower case.
func vaultPermissions() []string {
	var out []string
	for _, list := range vaultOperations {
		for _, p := range list {
			out = append(out, strings.ToLower(p))
		}
	}
	return out
}

// vaultPermission is a vault's operation by its name and by the permissions that it takes.
func vaultPermission(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	dst = say(dst, ev.Action)
	for _, p := range vaultOperations[ev.Op] {
		dst = say(dst, p)
	}
	return dst
}
