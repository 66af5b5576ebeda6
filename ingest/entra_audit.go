package ingest

import (
	"strings"

	"phiwatch/ingest/document"
)

var (
	pAuditID        = field("properties.id")
	pAuditTenant    = field("AADTenantId") // Log Analytics: there TenantId is the workspace
	pAuditPropsID   = field("properties.tenantId")
	pAuditTime      = field("properties.activityDateTime")
	pAuditResult    = field("properties.result")
	pAuditUserID    = field("properties.initiatedBy.user.id")
	pAuditUserUPN   = field("properties.initiatedBy.user.userPrincipalName")
	pAuditUserName  = field("properties.initiatedBy.user.displayName")
	pAuditUserIP    = field("properties.initiatedBy.user.ipAddress")
	pAuditAppSP     = field("properties.initiatedBy.app.servicePrincipalId")
	pAuditAppID     = field("properties.initiatedBy.app.appId")
	pAuditAppName   = field("properties.initiatedBy.app.displayName")
	pAuditTarget    = field("properties.targetResources.id")
	pAuditTargetNam = field("properties.targetResources.displayName")
	pAuditTargetUPN = field("properties.targetResources.userPrincipalName")
	pAuditTargetTyp = field("properties.targetResources.type")

	pAuditLegacyTypes = field("properties.targetResourceType")
	pAuditLegacyNames = field("properties.targetResourceName")
)

// readEntraAudit reads Entra's AuditLogs: in the envelope, as Graph's
// directoryAudit, as a row of Log Analytics, and in the schema of 2018. Time:
// activityDateTime, time, TimeGenerated. Records of 2018 carry no id and get
// one from their correlation id, operation and time.
func (d *Decoder) readEntraAudit(e *Event) {
	e.ID = d.first(pAuditID)
	e.Tenant = d.auditTenant()
	e.Time = d.when(e, pAuditTime, pTime, pRootCreated, pTimeGenerated)
	if e.Action = d.text(pOperationName); e.Action == "" {
		e.Action = d.text(pActivityDisplayName)
	}
	e.Outcome = auditOutcome(d.first(pAuditResult, pResultType))
	e.Actor = d.auditActor()
	if e.IP = parseIP(d.text(pCallerIP)); !e.IP.IsValid() {
		e.IP = parseIP(d.text(pAuditUserIP))
	}
	e.Target = Principal{ID: d.first(pAuditTarget), Name: d.first(pAuditTargetNam, pAuditTargetUPN), Type: d.first(pAuditTargetTyp)}
	if e.Target.ID == "" && e.Target.Name == "" {
		e.Target = legacyTarget(d.text(pAuditLegacyTypes), d.text(pAuditLegacyNames))
	}
	if e.ID == "" {
		e.ID = d.compose(d.first(pCorrelationID), e.Action, d.first(pTime))
	}
}

func (d *Decoder) auditTenant() string {
	if d.doc.Layout() == document.Graph {
		if id := d.first(pAuditTenant); id != "" {
			return strings.ToLower(id)
		}
	}
	return d.tenant(pTenantID, pAuditPropsID)
}

func auditOutcome(result string) Outcome {
	switch {
	case strings.EqualFold(result, "success"):
		return Success
	case strings.EqualFold(result, "failure"), strings.EqualFold(result, "timeout"), strings.EqualFold(result, "clientError"):
		return Failure
	}
	return OutcomeUnknown
}

// auditActor returns the user, or the application when no user is named: both
// are set when a portal acts for a user.
func (d *Decoder) auditActor() Principal {
	if id, name := d.first(pAuditUserID), d.first(pAuditUserUPN, pAuditUserName); id != "" || name != "" {
		return Principal{ID: id, Name: name, Type: "User"}
	}
	name := d.first(pAuditAppName)
	if id := d.first(pAuditAppSP); id != "" {
		return Principal{ID: id, Name: name, Type: "ServicePrincipal"}
	}
	if id := d.first(pAuditAppID); id != "" || name != "" {
		return Principal{ID: id, Name: name, Type: "Application"}
	}
	return Principal{Name: d.first(pIdentity)}
}

// legacyTarget reads the target of 2018: names and their kinds, each joined by
// two underscores ("UPN__TenantContextID__PUID__ObjectID__ObjectClass").
func legacyTarget(kinds, names string) (p Principal) {
	for kinds != "" && names != "" {
		var kind, name string
		kind, kinds, _ = strings.Cut(kinds, "__")
		name, names, _ = strings.Cut(names, "__")
		switch strings.ToLower(kind) {
		case "objectid":
			p.ID = name
		case "upn", "name", "displayname":
			p.Name = name
		case "objectclass":
			p.Type = name
		}
	}
	return p
}
