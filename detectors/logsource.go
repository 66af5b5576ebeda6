package detectors

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
var logSources = map[string][]view{
	"azure/auditlogs": {
		{kinds: audits, mapping: &auditFields},
		// Elevated access is looked for under its name in the portal's activity log.
		{kinds: activities, mapping: &auditInActivity, when: asksFor("operationName", portalOperations())},
	},
	"azure/signinlogs":        {{kinds: signIns, mapping: &signInFields}},
	"azure/interactivesignin": {{kinds: signIns[:1], mapping: &signInFields}},
	"azure/workloadsignin":    {{kinds: workloads, mapping: &signInFields}},
	"azure/activitylogs":      activityViews,
	"azure/azureactivity":     activityViews,
	"azure/riskdetection":     {{kinds: risks, mapping: &riskFields}},
	"azure/pim": {
		{kinds: audits, mapping: &pimFields},
		{kinds: risks, mapping: &riskFields},
	},
	"azure/keyvault": {{kinds: vaults, mapping: &vaultFields}},
	// What is done to a vault itself: its own log and the activity log have it.
	"azure/keyvaultmanagement": {
		{kinds: vaults, mapping: &vaultFields},
		{kinds: activities, mapping: &activityFields},
	},
	"azure/intune":   {{kinds: intune, mapping: &intuneFields}},
	"azure/resource": {{kinds: unclassified, mapping: &resourceFields}}, // resource logs without a kind of their own: storage
	"azure/": {
		{kinds: allSignIns, mapping: &signInFields},
		{kinds: audits, mapping: &auditFields},
		{kinds: activities, mapping: &activityFields},
		{kinds: risks, mapping: &riskFields},
		{kinds: vaults, mapping: &vaultFields},
		{kinds: intune, mapping: &intuneFields},
	},
	"m365/":                  {{kinds: m365, mapping: &m365Fields}},
	"m365/audit":             {{kinds: m365, mapping: &m365Fields}},
	"m365/exchange":          {{kinds: m365, mapping: &m365Fields}},
	"m365/sharepoint":        {{kinds: m365, mapping: &m365Fields}},
	"m365/threat_management": threatViews,
	"m365/threat_detection":  threatViews,
}

var activityViews = []view{
	{kinds: activities, mapping: &activityFields},
	// Keys and secrets are data: what is done with them only their vault logs.
	{kinds: vaults, mapping: &vaultInActivity, when: asksFor("operationName", vaultPermissions())},
	// Only Entra names an activity in a sentence.
	{kinds: audits, mapping: &auditFields, when: uses("properties.message")},
}

var threatViews = []view{
	{kinds: m365, mapping: &m365Fields},
	// Defender XDR streams the same alerts as rows of AlertInfo.
	{kinds: unclassified, mapping: &alertInfoFields, when: uses("eventName")},
}

// kindMappings says how a rule that names no log source of its own in full sees
// a kind.
var kindMappings = map[ingest.Kind]*mapping{
	ingest.EntraAudit: &auditFields, ingest.EntraSignIn: &signInFields, ingest.EntraNonInteractiveSignIn: &signInFields,
	ingest.EntraServicePrincipalSignIn: &signInFields, ingest.EntraManagedIdentitySignIn: &signInFields,
	ingest.EntraRisk: &riskFields, ingest.AzureActivity: &activityFields, ingest.KeyVault: &vaultFields,
	ingest.Intune: &intuneFields, ingest.M365Audit: &m365Fields,
}
