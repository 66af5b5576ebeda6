package detectors

import (
	"strings"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
)

// signIns are the kinds behind the sign-in log sources.
var signIns = []ingest.Kind{ingest.EntraSignIn, ingest.EntraNonInteractiveSignIn}

// allSignIns adds the sign-ins of workloads.
var allSignIns = append(signIns[:2:2], ingest.EntraServicePrincipalSignIn, ingest.EntraManagedIdentitySignIn)

// logSources maps product/service of a rule to the kinds of events it reads.
// The names are SigmaHQ's, and ours where SigmaHQ has none.
var logSources = map[string][]ingest.Kind{
	"azure/auditlogs":        {ingest.EntraAudit},
	"azure/signinlogs":       signIns,
	"azure/workloadsignin":   {ingest.EntraServicePrincipalSignIn, ingest.EntraManagedIdentitySignIn},
	"azure/activitylogs":     {ingest.AzureActivity},
	"azure/azureactivity":    {ingest.AzureActivity},
	"azure/riskdetection":    {ingest.EntraRisk},
	"azure/pim":              {ingest.EntraAudit, ingest.EntraRisk},
	"azure/keyvault":         {ingest.KeyVault},
	"azure/intune":           {ingest.Intune},
	"azure/":                 append(allSignIns[:4:4], ingest.EntraAudit, ingest.AzureActivity, ingest.EntraRisk, ingest.KeyVault, ingest.Intune),
	"m365/":                  {ingest.M365Audit},
	"m365/audit":             {ingest.M365Audit},
	"m365/exchange":          {ingest.M365Audit},
	"m365/sharepoint":        {ingest.M365Audit},
	"m365/threat_management": {ingest.M365Audit},
	"m365/threat_detection":  {ingest.M365Audit},
	"/":                      ingest.Kinds(), // no log source: every event
}

// kindsOf returns the kinds a log source reads, or false if phiwatch never
// sees such events.
func kindsOf(l sigma.LogSource) ([]ingest.Kind, bool) {
	k, ok := logSources[strings.ToLower(l.Product+"/"+l.Service)]
	return k, ok
}
