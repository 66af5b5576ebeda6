package fields

import (
	"fmt"
	"maps"
	"strings"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
	"phiwatch/ingest/document"
)

// The mappings, as literal tables. On the right stands a path, or a computed
// field: "first." takes the first path with a value, "any." the values of all,
// "mapped." a function below. What the right side says is from the record
// schemas and from published records; what the left side means,
// from the rules and the pages that they cite:
//
//   - SecOps: the Microsoft Entra security operations guide
//     (learn.microsoft.com/entra/architecture/security-operations-introduction),
//     whose tables quote the portal ("Status = Success", "Username = UPN").
//   - LA: the columns of the Log Analytics tables AuditLogs, SigninLogs,
//     AzureActivity (learn.microsoft.com/azure/azure-monitor/reference/tables).
//     Those that are properties of the record need no line here.
var auditFields = Mapping{schema: &auditSchema, names: map[string]string{
	"operationname":                 "operationName",
	"activitydisplayname":           "mapped.audit-activity",              // LA
	"activitytype":                  "mapped.audit-activity",              // SecOps: "Activity type"
	"properties.message":            "mapped.audit-message",               // in no record; SecOps quotes of activity, reason and changed properties
	"category":                      "any.category | properties.category", // the envelope's is AuditLogs, LA's the record's own
	"status":                        "mapped.audit-status",                // SecOps: "Status = failure", or the reason
	"resultreason":                  "first.properties.resultReason",      // LA
	"resultdescription":             "any.resultDescription | properties.resultDescription | properties.resultReason",
	"failure_status_reason":         "mapped.audit-reason",      // SecOps: "Failure status reason"
	"initiatedby":                   "mapped.audit-initiator",   // SecOps: "Initiated by = UPN"
	"target":                        "mapped.audit-target",      // SecOps: "Target = UPN"
	"targetresources.type":          "mapped.audit-target-type", // SecOps: "Service Principal"; in records ServicePrincipal
	"identity":                      "any.identity | properties.identity",
	"consentcontext.isadminconsent": "modified.ConsentContext.IsAdminConsent.new",
	"useragent":                     "any.properties.userAgent | detail.User-Agent",
}, prefixes: map[string]string{
	"additionaldetails.": "mapped.audit-detail ", // a list of key and value
}}

// pimFields: Privileged Identity Management raises alerts, which rules name by
// their types in Graph; in the audit log an alert has its title.
var pimFields = Mapping{schema: &auditSchema, prefixes: auditFields.prefixes, names: with(auditFields.names, map[string]string{
	"riskeventtype": "mapped.pim-alert",
})}

// auditInActivity is what a rule for the audit log looks for in the activity log.
var auditInActivity = Mapping{schema: &activitySchema, names: with(activityFields.names, map[string]string{
	"operationname": "mapped.activity-title",
	"category":      "mapped.activity-category",
	"status":        "mapped.activity-status",
	"result":        "mapped.activity-status",
})}

var signInFields = Mapping{schema: &signInSchema, names: map[string]string{
	"resulttype":              "first.resultType | properties.status.errorCode",
	"resultdescription":       "mapped.signin-description", // rules quote the portal's and the documentation's texts of an error
	"status":                  "mapped.signin-status",      // SecOps: "Status = Success", "MFA Denied"
	"conditionalaccessstatus": "mapped.signin-access",
	"clientapp":               "mapped.signin-client",  // SecOps: "Client App"
	"username":                "mapped.signin-user",    // SecOps: "Username = UPN"
	"activitydetails":         "mapped.signin-report",  // SecOps: "Activity details = Sign-ins"
	"properties.message":      "mapped.signin-message", // in no record; SecOps: "Device Code", "ROPC"
	"ipaddress":               "first.properties.ipAddress | callerIpAddress",
	"locationdetails":         "properties.location", // LA
}, prefixes: map[string]string{
	"locationdetails.": "properties.location.", // LA
}}

var riskFields = Mapping{schema: &riskSchema, names: map[string]string{
	"riskeventtype": "mapped.risk-type",
	"risktype":      "mapped.risk-type",
}}

var activityFields = Mapping{schema: &activitySchema, names: map[string]string{
	"operationname":         "operationName",
	"operationnamevalue":    "operationName", // LA
	"category":              "mapped.activity-category",
	"categoryvalue":         "mapped.activity-category", // LA
	"resourceprovider":      "mapped.activity-provider", // LA
	"resourceprovidervalue": "mapped.activity-provider", // LA
	"resourceid":            "resourceId",
	"activitystatus":        "mapped.activity-status", // LA
	"activitystatusvalue":   "mapped.activity-status", // LA
	"status":                "mapped.activity-status",
	"correlationid":         "first.correlationId | correlation_id",
	"caller":                `any.caller | identity.claims."http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn" | identity.claims.appid`, // LA
}}

var vaultFields = Mapping{schema: &vaultSchema, names: map[string]string{"operationname": "operationName"}}

// vaultInActivity: rules name what is done with keys and secrets by the
// permission it takes.
var vaultInActivity = Mapping{schema: &vaultSchema, names: map[string]string{"operationname": "mapped.vault-permission"}}

var intuneFields = Mapping{schema: &intuneSchema, names: map[string]string{"operationname": "operationName"}}

var m365Fields = Mapping{schema: &m365Schema, names: map[string]string{
	"operation":   "Operation",
	"eventname":   "mapped.m365-name", // an operation, or the title of an alert
	"eventsource": "first.Workload | OfficeWorkload",
	"status":      "mapped.m365-status",
	"payload":     "mapped.m365-payload",                  // the command that was run
	"requesttype": "any.RequestType | detail.RequestType", // a sign-in's, in ExtendedProperties
	"useragent":   "any.UserAgent | detail.UserAgent",
}}

// alertInfoFields: alerts of Microsoft 365 as Defender XDR streams them.
var alertInfoFields = Mapping{schema: &m365Schema, names: map[string]string{
	"eventname":   "first.properties.Title",
	"eventsource": "mapped.alert-source",
	"status":      "mapped.alert-status",
}}

// with returns a copy of names with others added.
func with(names, others map[string]string) map[string]string {
	out := maps.Clone(names)
	maps.Copy(out, others)
	return out
}

// derived computes the values of a field from an event.
type derived func(dst []sigma.Value, ev *ingest.Event) []sigma.Value

func (f derived) append(dst []sigma.Value, ev *ingest.Event) []sigma.Value { return f(dst, ev) }

// derivedField is one with the paths that it reads of every event.
type derivedField struct {
	derived
	paths []*document.Path
}

func (f *derivedField) inputs() []*document.Path { return f.paths }

// derivationInputs are the paths of those that are asked of every sign-in.
var derivationInputs = map[string][]*document.Path{
	"signin-description": {pathReasonLA, pathFailure, pathMoreDetails, pathErrorCode[0]},
	"signin-status":      {pathFailure, pathMoreDetails, pathStepDetail, pathStatus},
	"signin-access":      {pathAccess},
	"signin-client":      {pathClientApp},
	"signin-user":        {pathSignInUPN, pathSignInUser, pathSignInUserID},
	"signin-message":     {pathProtocol, pathTransfer, pathSignInAgent, pathReasonLA, pathFailure, pathMoreDetails},
}

var derivations = map[string]derived{
	"audit-activity":     auditActivity,
	"audit-message":      auditMessage,
	"audit-status":       auditStatus,
	"audit-reason":       auditReason,
	"audit-initiator":    auditInitiator,
	"audit-target":       auditTarget,
	"audit-target-type":  auditTargetType,
	"pim-alert":          pimAlert,
	"signin-description": signInDescription,
	"signin-status":      signInStatus,
	"signin-access":      signInAccess,
	"signin-client":      signInClient,
	"signin-user":        signInUser,
	"signin-report":      signInReport,
	"signin-message":     signInMessage,
	"risk-type":          riskType,
	"activity-category":  activityCategory,
	"activity-provider":  activityProvider,
	"activity-status":    activityStatus,
	"activity-title":     activityTitle,
	"vault-permission":   vaultPermission,
	"m365-name":          m365Name,
	"m365-status":        m365Status,
	"m365-payload":       m365Payload,
	"alert-source":       alertSource,
	"alert-status":       alertStatus,
}

// newMapped makes the computed field "mapped.<name>".
func newMapped(name string, _ map[string][]string) (computed, error) {
	if key, found := strings.CutPrefix(name, "audit-detail "); found {
		return newAuditDetail(key), nil
	}
	if f := derivations[name]; f != nil {
		return &derivedField{f, derivationInputs[name]}, nil
	}
	return nil, fmt.Errorf("mapped.%s: no such field", name)
}

// paths is a field that stands in different places: the first that has a
// value, or all of them.
type paths struct {
	list []*document.Path
	all  bool
}

func newFirst(arg string, _ map[string][]string) (computed, error) { return newPaths(arg, false) }

func newAny(arg string, _ map[string][]string) (computed, error) { return newPaths(arg, true) }

func newPaths(arg string, all bool) (computed, error) {
	p := &paths{all: all}
	for text := range strings.SplitSeq(arg, " | ") {
		path, err := document.Compile(strings.TrimSpace(text))
		if err != nil {
			return nil, err
		}
		p.list = append(p.list, path)
	}
	return p, nil
}

func (p *paths) append(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	for _, path := range p.list {
		var found bool
		dst, found = values(dst, ev, path)
		if found && !p.all {
			break
		}
	}
	return dst
}
