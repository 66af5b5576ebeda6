package detectors

import (
	"slices"
	"testing"

	"phiwatch/detectors/rules"
)

// inTestEvents returns what a rule of the catalog finds in its test events.
func inTestEvents(t *testing.T, e *Engine, entry string) []Finding {
	t.Helper()
	r := e.byEntry[entry]
	s, err := ReadScenario(rules.FS, r.File)
	if err != nil {
		t.Fatal(err)
	}
	var out []Finding
	_, err = e.Play(t.Context(), begin(t, openDB(t)), r, s, func(found []Finding) error {
		for _, f := range found {
			if f.Rule.Entry == entry && f.State != Restored {
				out = append(out, f)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Who was given what, and people rather than ids: half of it tells nobody what to do.
func TestNamesTellPeopleWhoAndWhat(t *testing.T) {
	e := loadCatalog(t)
	for entry, want := range map[string]string{
		"role-assigned-privileged":        "b.quist@stbrigid.example.org + Global Administrator",
		"role-assigned-outside-pim":       "b.quist@stbrigid.example.org + Global Administrator",
		"app-role-granted":                "Wayfinding + RoleManagement.ReadWrite.Directory",
		"compliance-role-granted":         "k.dorn + eDiscovery Manager",
		"azure-role-assigned":             "0c1d2e3f-2222-4a4b-8c8d-2e2f3a3b4c4d + Owner + /SUBSCRIPTIONS/1F0E2D3C-4B5A-4968-8776-655443322110/RESOURCEGROUPS/RG-PHI",
		"ca-exclusion-group-member-added": "b.quist@stbrigid.example.org + CA001 exclusions",
		"signin-ca-not-applied":           "t.adeyemi@stbrigid.example.org + St. Brigid EHR",
		"signin-single-factor-phi-app":    "t.adeyemi@stbrigid.example.org + St. Brigid EHR",
		"signin-unmanaged-device":         "t.adeyemi@stbrigid.example.org + Imaging archive",
		"ediscovery-access-widened":       "k.dorn@stbrigid.example.org + Matter 2026-041 Harlow v St. Brigid",
		"case-hold-removed":               "Harlow custodians + Matter 2026-041 Harlow v St. Brigid",
		"search-purge":                    "Phish 0918 + Matter 2026-041 Harlow v St. Brigid",
		"labelled-file-shared-external":   "Tumour board 2026-09.docx + dr.hale_example.net#EXT#@stbrigid.onmicrosoft.com",
		"sql-masking-off":                 "PATIENTS + DBO_PATIENTS_SSN",
		"role-add-remove":                 "h3.role@stbrigid.example.org + Reports Reader",
		"method-added-after-risk":         "n.farah@stbrigid.example.org",
		"exclusion-then-signin":           "x.petrov@stbrigid.example.org",
		"break-glass-activity":            "bg-one@stbrigid.example.org",
		"noncompliant-device-phi":         "WARD-03X",
		"exposure-window":                 "Require MFA 01",
		"key-mass-delete":                 "s.kovacs@stbrigid.example.org + kv-brigid-14",
	} {
		var names []string
		for _, f := range inTestEvents(t, e, entry) {
			names = append(names, f.Name)
		}
		if !slices.Contains(names, want) {
			t.Errorf("%s is named %q, want %q among them", entry, names, want)
		}
	}
}
