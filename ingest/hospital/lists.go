package hospital

// Ids that templates name and an operator of this hospital would list.
const (
	phiLabel  = "7e0a11ab-0000-4000-8000-00000000c0de"
	emergency = "e3e90000-0000-4000-8000-0000000000e1"
)

// Lists returns the operator lists of this hospital, complete and right: with
// them, what reaches patient data is told from the rest, and the ordinary
// traffic must still be harmless.
func Lists() map[string][]string {
	l := map[string][]string{
		"phi_labels":          {phiLabel},
		"label_order":         {"7e0a11ab-0000-4000-8000-00000000c0d0", "7e0a11ab-0000-4000-8000-00000000c0d1", phiLabel},
		"phi_apps":            {stable("app", 3), stable("app", 4)}, // the ward board and the health records
		"emergency_accounts":  {emergency, "emergency.one@" + Domain},
		"accepted_domains":    {Domain},
		"legal_staff":         {"legal.office@" + Domain, "legal.clerk@" + Domain},
		"ca_exclusion_groups": {"e8c10000-0000-4000-8000-0000000000f1"},
	}
	for _, ward := range wards {
		group := "/subscriptions/22222222-0000-4000-8000-000000000001/resourceGroups/rg-" + ward
		vault := "https://stb-" + ward + ".vault.example.net"
		l["phi_sites"] = append(l["phi_sites"], "https://stbrigid.sharepoint.example.org/sites/"+ward+"/")
		l["phi_resources"] = append(l["phi_resources"], group+"/")
		l["phi_vaults"] = append(l["phi_vaults"], vault, "/vaults/stb-"+ward)
		l["cmk_keys"] = append(l["cmk_keys"], vault+"/keys/storage-cmk", vault+"/keys/disk-cmk")
	}
	return l
}
