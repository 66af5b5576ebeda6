package detectors

import "phiwatch/ingest"

// Feed says in plain words where events of one kind come from and what to
// switch on to have them in an event hub.
type Feed struct {
	Kind       ingest.Kind
	Name       string   // what people call the log
	Setting    string   // where it is switched on
	Categories []string // what is ticked there
	Note       string   // what else to know; may be empty
}

const (
	entraSetting = "Entra admin centre > Monitoring & health > Diagnostic settings > Add, stream to an event hub"
	// What follows is of the vendor's documentation of each diagnostic setting
	// and, for unified audit, of the Defender XDR Streaming API and the Office
	// 365 Management Activity API.
	unifiedSetting = "A: Defender portal > Settings > Microsoft Defender XDR > Streaming API, to an event hub; " +
		"B: a function that pulls the Office 365 Management Activity API and forwards each record to an event hub"
)

// Feeds returns the feed of every kind that rules can read, in the order of the
// kinds. The slice is the caller's own.
func Feeds() []Feed {
	return []Feed{
		{ingest.EntraAudit, "Entra ID audit log", entraSetting, []string{"AuditLogs"}, ""},
		{ingest.EntraSignIn, "Entra ID interactive sign-ins", entraSetting, []string{"SignInLogs", "ADFSSignInLogs"},
			"needs a P1 or P2 licence"},
		{ingest.EntraNonInteractiveSignIn, "Entra ID non-interactive sign-ins", entraSetting, []string{"NonInteractiveUserSignInLogs"},
			"the largest of the feeds; needs a P1 or P2 licence"},
		{ingest.EntraServicePrincipalSignIn, "Entra ID service principal sign-ins", entraSetting, []string{"ServicePrincipalSignInLogs"},
			"needs a P1 or P2 licence"},
		{ingest.EntraManagedIdentitySignIn, "Entra ID managed identity sign-ins", entraSetting, []string{"ManagedIdentitySignInLogs"},
			"needs a P1 or P2 licence"},
		{ingest.EntraRisk, "Entra ID Protection", entraSetting, []string{"UserRiskEvents", "RiskyUsers"},
			"needs a P2 licence"},
		{ingest.AzureActivity, "Azure Activity log", "Azure portal > Monitor > Activity log > Export Activity Logs, for every subscription, stream to an event hub",
			[]string{"Administrative", "Policy", "Security"},
			"operations on the tenant itself, such as those on Entra diagnostic settings (entra-diag-deleted), are not in a subscription's export: there, silence of the source is the sign"},
		{ingest.KeyVault, "Key Vault audit log", "Azure portal > the key vault > Monitoring > Diagnostic settings > Add, for every vault, stream to an event hub",
			[]string{"AuditEvent"}, "what is done with keys and secrets is in no other log; its records name no tenant: say it with tenant: in the hub's configuration"},
		{ingest.Intune, "Intune", "Intune admin centre > Reports > Diagnostic settings > Add, stream to an event hub",
			[]string{"AuditLogs", "OperationalLogs", "DeviceComplianceOrg"}, ""},
		{ingest.M365Audit, "Microsoft 365 and Purview unified audit log", unifiedSetting, []string{"CloudAppEvents (A)", "Audit.General, Audit.Exchange, Audit.SharePoint, Audit.AzureActiveDirectory (B)"},
			"A needs Defender for Cloud Apps with the Microsoft 365 connector and carries what that connector ingests; " +
				"only B is complete for labels, Exchange administration, the compliance centre and holds; with both, each record counts once"},
	}
}
