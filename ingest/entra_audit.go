package ingest

import (
	"strings"

	"phiwatch/ingest/document"
)

var (
	pAuditID        = document.MustCompile("properties.id")
	pAuditTenant    = document.MustCompile("AADTenantId") // Log Analytics: there TenantId is the workspace
	pAuditPropsID   = document.MustCompile("properties.tenantId")
	pAuditTime      = document.MustCompile("properties.activityDateTime")
	pAuditResult    = document.MustCompile("properties.result")
	pAuditUserID    = document.MustCompile("properties.initiatedBy.user.id")
	pAuditUserUPN   = document.MustCompile("properties.initiatedBy.user.userPrincipalName")
	pAuditUserName  = document.MustCompile("properties.initiatedBy.user.displayName")
	pAuditUserIP    = document.MustCompile("properties.initiatedBy.user.ipAddress")
	pAuditAppSP     = document.MustCompile("properties.initiatedBy.app.servicePrincipalId")
	pAuditAppID     = document.MustCompile("properties.initiatedBy.app.appId")
	pAuditAppName   = document.MustCompile("properties.initiatedBy.app.displayName")
	pAuditTarget    = document.MustCompile("properties.targetResources.id")
	pAuditTargetNam = document.MustCompile("properties.targetResources.displayName")
	pAuditTargetUPN = document.MustCompile("properties.targetResources.userPrincipalName")
	pAuditTargetTyp = document.MustCompile("properties.targetResources.type")

	pAuditLegacyTypes = document.MustCompile("properties.targetResourceType")
	pAuditLegacyNames = document.MustCompile("properties.targetResourceName")
)

// readEntraAudit reads Entra's AuditLogs: in the envelope, as Graph's
// directoryAudit, as a row of Log Analytics, and in the schema of 2018. Time:
// activityDateTime, time, TimeGenerated. Records of 2018 carry no id and get
// one from their correlation id, operation and time.
func (d *Decoder) readEntraAudit(e *Event) {
	e.ID = d.first(pAuditID)
	e.Tenant = d.auditTenant()
	e.Time = d.when(e, pAuditTime, pTime, pRootCreated, pTimeGenerated)
	if e.Action = d.doc.Text(pOperationName); e.Action == "" {
		e.Action = d.doc.Text(pActivityDisplayName)
	}
	e.Outcome = auditOutcome(d.first(pAuditResult, pResultType))
	e.Actor = d.auditActor()
	if e.IP = parseIP(d.doc.Text(pCallerIP)); !e.IP.IsValid() {
		e.IP = parseIP(d.doc.Text(pAuditUserIP))
	}
	e.Target = Principal{ID: d.first(pAuditTarget), Name: d.first(pAuditTargetNam, pAuditTargetUPN), Type: d.first(pAuditTargetTyp)}
	if e.Target.ID == "" && e.Target.Name == "" {
		e.Target = legacyTarget(d.doc.Text(pAuditLegacyTypes), d.doc.Text(pAuditLegacyNames))
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
