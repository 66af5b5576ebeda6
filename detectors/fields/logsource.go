package fields

import "phiwatch/ingest"

// Kinds that log sources share.
var (
	signIns      = []ingest.Kind{ingest.EntraSignIn, ingest.EntraNonInteractiveSignIn}
	workloads    = []ingest.Kind{ingest.EntraServicePrincipalSignIn, ingest.EntraManagedIdentitySignIn}
	allSignIns   = append(signIns[:2:2], workloads...)
	audits       = []ingest.Kind{ingest.EntraAudit}
	risks        = []ingest.Kind{ingest.EntraRisk}
	activities   = []ingest.Kind{ingest.AzureActivity}
	vaults       = []ingest.Kind{ingest.KeyVault}
	intune       = []ingest.Kind{ingest.Intune}
	m365         = []ingest.Kind{ingest.M365Audit}
	unclassified = []ingest.Kind{ingest.Unknown}
)

// logSources maps product/service of a rule to the events it reads. The names
// are SigmaHQ's, and ours where SigmaHQ has none. Views with a condition are of
// events that such rules mean although they arrive by another way.
var logSources = map[string][]View{
	"azure/auditlogs": {
		{Kinds: audits, Mapping: &auditFields},
		// Elevated access is looked for under its name in the portal's activity log.
		{Kinds: activities, Mapping: &auditInActivity, when: asksFor("operationName", portalOperations())},
	},
	// Entra's log and, in record type 8, the unified audit log tell of the same changes.
	"azure/directorychanges": {
		{Kinds: audits, Mapping: &auditFields},
		{Kinds: m365, Mapping: &m365Fields},
	},
	"azure/signinlogs":        {{Kinds: signIns, Mapping: &signInFields}},
	"azure/interactivesignin": {{Kinds: signIns[:1], Mapping: &signInFields}},
	"azure/workloadsignin":    {{Kinds: workloads, Mapping: &signInFields}},
	"azure/activitylogs":      activityViews,
	"azure/azureactivity":     activityViews,
	"azure/riskdetection":     {{Kinds: risks, Mapping: &riskFields}},
	"azure/pim": {
		{Kinds: audits, Mapping: &pimFields},
		{Kinds: risks, Mapping: &riskFields},
	},
	"azure/keyvault": {{Kinds: vaults, Mapping: &vaultFields}},
	// What is done to a vault itself: its own log and the activity log have it.
	"azure/keyvaultmanagement": {
		{Kinds: vaults, Mapping: &vaultFields},
		{Kinds: activities, Mapping: &activityFields},
	},
	"azure/intune":   {{Kinds: intune, Mapping: &intuneFields}},
	"azure/resource": {{Kinds: unclassified, Mapping: &resourceFields}}, // resource logs without a kind of their own: storage
	"azure/": {
		{Kinds: allSignIns, Mapping: &signInFields},
		{Kinds: audits, Mapping: &auditFields},
		{Kinds: activities, Mapping: &activityFields},
		{Kinds: risks, Mapping: &riskFields},
		{Kinds: vaults, Mapping: &vaultFields},
		{Kinds: intune, Mapping: &intuneFields},
	},
	"m365/":                  {{Kinds: m365, Mapping: &m365Fields}},
	"m365/audit":             {{Kinds: m365, Mapping: &m365Fields}},
	"m365/exchange":          {{Kinds: m365, Mapping: &m365Fields}},
	"m365/sharepoint":        {{Kinds: m365, Mapping: &m365Fields}},
	"m365/threat_management": threatViews,
	"m365/threat_detection":  threatViews,
}

var activityViews = []View{
	{Kinds: activities, Mapping: &activityFields},
	// Keys and secrets are data: what is done with them only their vault logs.
	{Kinds: vaults, Mapping: &vaultInActivity, when: asksFor("operationName", vaultPermissions())},
	// Only Entra names an activity in a sentence.
	{Kinds: audits, Mapping: &auditFields, when: uses("properties.message")},
}

var threatViews = []View{
	{Kinds: m365, Mapping: &m365Fields},
	// Defender XDR streams the same alerts as rows of AlertInfo.
	{Kinds: unclassified, Mapping: &alertInfoFields, when: uses("eventName")},
}

// kindMappings says how a rule that names no log source of its own in full sees
// a kind.
var kindMappings = map[ingest.Kind]*Mapping{
	ingest.EntraAudit: &auditFields, ingest.EntraSignIn: &signInFields, ingest.EntraNonInteractiveSignIn: &signInFields,
	ingest.EntraServicePrincipalSignIn: &signInFields, ingest.EntraManagedIdentitySignIn: &signInFields,
	ingest.EntraRisk: &riskFields, ingest.AzureActivity: &activityFields, ingest.KeyVault: &vaultFields,
	ingest.Intune: &intuneFields, ingest.M365Audit: &m365Fields,
}
