package ingest

import (
	"strings"

	"phiwatch/ingest/document"
)

// The activity log comes in four forms: the hub's, the REST API's, the same
// dumped by Azure's Python SDK with its names in snake case, and rows of Log
// Analytics.
var (
	pActOperation     = []*document.Path{pOperationName, document.MustCompile("OperationNameValue")}
	pActSnakeOp       = document.MustCompile("operation_name.value")
	pActCorrelation   = []*document.Path{pCorrelationID, document.MustCompile("correlation_id")}
	pActResource      = []*document.Path{pResourceID, document.MustCompile("_ResourceId"), document.MustCompile("resource_id")}
	pActResult        = []*document.Path{pResultType, document.MustCompile("status"), document.MustCompile("ActivityStatusValue"), document.MustCompile("status.value")}
	pActSignature     = document.MustCompile("resultSignature")
	pActTime          = []*document.Path{pTime, document.MustCompile("eventTimestamp"), document.MustCompile("event_timestamp"), pTimeGenerated, document.MustCompile("EventSubmissionTimestamp")}
	pActTenant        = []*document.Path{pTenantID, pActClaimTenant, document.MustCompile("tenant_id"), document.MustCompile(`claims."http://schemas.microsoft.com/identity/claims/tenantid"`)}
	pActWorkspaceOp   = document.MustCompile("OperationNameValue")
	pActClaimTenant   = document.MustCompile(`identity.claims."http://schemas.microsoft.com/identity/claims/tenantid"`)
	pActHierarchy     = document.MustCompile("properties.hierarchy")
	pActIP            = []*document.Path{pCallerIP, document.MustCompile("httpRequest.clientIpAddress"), document.MustCompile("http_request.client_ip_address"), document.MustCompile("identity.claims.ipaddr"), document.MustCompile("claims.ipaddr")}
	pActOID           = []*document.Path{document.MustCompile(`identity.claims."http://schemas.microsoft.com/identity/claims/objectidentifier"`), document.MustCompile(`claims."http://schemas.microsoft.com/identity/claims/objectidentifier"`)}
	pActUPN           = []*document.Path{document.MustCompile(`identity.claims."http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"`), document.MustCompile(`claims."http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"`)}
	pActEmail         = []*document.Path{document.MustCompile(`identity.claims."http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress"`), document.MustCompile(`claims."http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress"`)}
	pActCaller        = document.MustCompile("caller")
	pActAppID         = []*document.Path{document.MustCompile("identity.claims.appid"), document.MustCompile("claims.appid")}
	pActPrincipalType = []*document.Path{document.MustCompile("identity.authorization.evidence.principalType"), document.MustCompile("authorization.evidence.principalType")}
)

// readActivity reads the activity log. The identity is correlation id,
// operation, resource and result, so that the Start and the result of one
// operation stay apart. A tenant is named in newer records only; else it is
// the caller's claim, else the root of the management groups, which has the
// tenant's id. Time: time (eventTimestamp in REST), TimeGenerated, submission.
func (d *Decoder) readActivity(e *Event) {
	if e.Action = d.first(pActOperation...); e.Action == "" {
		e.Action = d.first(pActSnakeOp)
	}
	result := d.first(pActResult...)
	resource := d.first(pActResource...)
	e.ID = d.compose(d.first(pActCorrelation...), e.Action, resource, result)
	e.Tenant = d.activityTenant()
	e.Time = d.when(e, pActTime...)
	e.Outcome = d.activityOutcome(result)
	e.Actor = d.activityActor()
	e.Target = named(resource, resource[strings.LastIndexByte(resource, '/')+1:], "Resource")
	e.IP = parseIP(d.first(pActIP...))
}

func (d *Decoder) activityTenant() string {
	paths := pActTenant
	if d.has(pActWorkspaceOp) {
		paths = paths[1:] // a row of Log Analytics: TenantId is the workspace
	}
	if id := d.tenant(paths...); id != "" {
		return id
	}
	id, _, _ := strings.Cut(d.first(pActHierarchy), "/")
	return strings.ToLower(id)
}

// activityResults are the words of resultType, of status in REST, and of the
// first half of resultSignature, in lower case without a full stop. What
// begins an operation (Start, Accept) is not among them: its outcome is not
// known yet.
var activityResults = map[string]Outcome{
	"success": Success, "succeeded": Success,
	"failure": Failure, "failed": Failure, "canceled": Failure, "cancelled": Failure, "timedout": Failure,
}

func (d *Decoder) activityOutcome(result string) Outcome {
	if result == "" {
		result, _, _ = strings.Cut(d.first(pActSignature), ".")
	}
	return activityResults[d.fold(result)]
}

// activityActor returns the caller: a user by its claims, else the application.
func (d *Decoder) activityActor() Principal {
	p := Principal{ID: d.first(pActOID...), Name: d.first(pActUPN...), Type: d.first(pActPrincipalType...)}
	if p.Name != "" && p.Type == "" {
		p.Type = "User"
	}
	app := ""
	if p.Name == "" || p.ID == "" {
		app = d.first(pActAppID...)
	}
	if p.Name == "" {
		p.Name = firstOf(d.first(pActEmail...), d.first(pActCaller), app)
	}
	if p.ID == "" {
		p.ID = firstOf(app, p.Name)
	}
	if p.Type == "" && app != "" {
		p.Type = "ServicePrincipal"
	}
	return p
}

func firstOf(texts ...string) string {
	for _, s := range texts {
		if s != "" {
			return s
		}
	}
	return ""
}
