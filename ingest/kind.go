package ingest

import "slices"

// Kind is the family a record belongs to, told from its envelope. The set is
// closed, so a Kind is safe as a metric label.
type Kind uint8

// The kinds, in the order in which they are reported.
const (
	Unknown                     Kind = iota // kept, counted and matchable by raw path
	EntraAudit                              // Entra ID AuditLogs, also in Graph directoryAudit shape
	EntraSignIn                             // SignInLogs, ADFSSignInLogs: interactive user sign-ins
	EntraNonInteractiveSignIn               // NonInteractiveUserSignInLogs
	EntraServicePrincipalSignIn             // ServicePrincipalSignInLogs
	EntraManagedIdentitySignIn              // ManagedIdentitySignInLogs
	EntraRisk                               // RiskyUsers, UserRiskEvents
	AzureActivity                           // Azure Activity Log, also in its REST shape
	KeyVault                                // Key Vault AuditEvent
	Intune                                  // Intune AuditLogs, OperationalLogs, DeviceComplianceOrg
	M365Audit                               // unified audit record, bare or inside CloudAppEvents
	kindCount
)

var kindNames = [kindCount]string{
	"unknown", "entra-audit", "entra-signin", "entra-noninteractive-signin",
	"entra-service-principal-signin", "entra-managed-identity-signin", "entra-risk",
	"azure-activity", "key-vault", "intune", "m365-audit",
}

// String returns the kind's name as it appears in metrics, output and configuration.
func (k Kind) String() string {
	if k >= kindCount {
		k = Unknown
	}
	return kindNames[k]
}

// KindOf returns the kind with a name; false if there is none.
func KindOf(name string) (Kind, bool) {
	i := slices.Index(kindNames[:], name)
	return Kind(max(i, 0)), i >= 0
}

// Kinds returns every kind, for pre-created metrics and tables.
func Kinds() []Kind {
	out := make([]Kind, kindCount)
	for i := range out {
		out[i] = Kind(i)
	}
	return out
}
