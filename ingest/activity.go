package ingest

import "strings"

// The activity log comes in four forms: the hub's, the REST API's, the same
// dumped by Azure's Python SDK with its names in snake case, and rows of Log
// Analytics.
var (
	pActOperation     = []*fieldPath{pOperationName, field("OperationNameValue")}
	pActSnakeOp       = field("operation_name.value")
	pActCorrelation   = []*fieldPath{pCorrelationID, field("correlation_id")}
	pActResource      = []*fieldPath{pResourceID, field("_ResourceId"), field("resource_id")}
	pActResult        = []*fieldPath{pResultType, field("status"), field("ActivityStatusValue"), field("status.value")}
	pActSignature     = field("resultSignature")
	pActTime          = []*fieldPath{pTime, field("eventTimestamp"), field("event_timestamp"), pTimeGenerated, field("EventSubmissionTimestamp")}
	pActTenant        = []*fieldPath{pTenantID, pActClaimTenant, field("tenant_id"), field(`claims."http://schemas.microsoft.com/identity/claims/tenantid"`)}
	pActWorkspaceOp   = field("OperationNameValue")
	pActClaimTenant   = field(`identity.claims."http://schemas.microsoft.com/identity/claims/tenantid"`)
	pActHierarchy     = field("properties.hierarchy")
	pActIP            = []*fieldPath{pCallerIP, field("httpRequest.clientIpAddress"), field("http_request.client_ip_address"), field("identity.claims.ipaddr"), field("claims.ipaddr")}
	pActOID           = []*fieldPath{field(`identity.claims."http://schemas.microsoft.com/identity/claims/objectidentifier"`), field(`claims."http://schemas.microsoft.com/identity/claims/objectidentifier"`)}
	pActUPN           = []*fieldPath{field(`identity.claims."http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"`), field(`claims."http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"`)}
	pActEmail         = []*fieldPath{field(`identity.claims."http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress"`), field(`claims."http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress"`)}
	pActCaller        = field("caller")
	pActPIMOID        = field("properties.CallerInfo[CallerIdentityType=ObjectID].CallerIdentityValue")
	pActPIMUPN        = field("properties.CallerInfo[CallerIdentityType=UPN].CallerIdentityValue")
	pActAppID         = []*fieldPath{field("identity.claims.appid"), field("claims.appid")}
	pActPrincipalType = []*fieldPath{field("identity.authorization.evidence.principalType"), field("authorization.evidence.principalType")}
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
	if p.Name == "" { // a person is not the application that they use
		app = d.first(pActAppID...)
	}
	if p.Name == "" {
		p.Name = firstOf(d.first(pActEmail...), d.first(pActCaller), app)
	}
	if p.Name == "" && p.ID == "" { // Privileged Identity Management writes no claims
		p.ID, p.Name = d.text(pActPIMOID), d.text(pActPIMUPN)
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
