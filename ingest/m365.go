package ingest

import (
	"strings"

	"phiwatch/ingest/document"
)

var (
	pM365ID        = []*fieldPath{field("Id"), field("OfficeId")}
	pM365Report    = field("ReportId")
	pM365Tenant    = []*fieldPath{field("OrganizationId"), field("OfficeTenantId"), pTenantID}
	pM365Time      = []*fieldPath{field("CreationTime"), field("properties.Timestamp"), field("Timestamp"), pTimeGenerated, pTime}
	pM365Action    = []*fieldPath{field("Operation"), field("properties.ActionType"), field("ActionType")}
	pM365Workload  = []*fieldPath{field("Workload"), field("OfficeWorkload")}
	pM365Result    = field("ResultStatus")
	pM365User      = field("UserId")
	pM365UserKey   = field("UserKey")
	pM365UserType  = field("UserType")
	pM365IP        = []*fieldPath{field("ClientIP"), field("ClientIPAddress"), field("Client_IPAddress"), field("ActorIpAddress"), field("properties.IPAddress"), field("IPAddress")}
	pM365Object    = []*fieldPath{field("ObjectId"), field("OfficeObjectId")}
	pM365ListItem  = field("ListItemUniqueId")
	pM365Enriched  = field("properties.Operation")
	pM365EnrichedT = field("properties.RecordType")
)

// readM365 reads a record of the unified audit log: bare, inside a
// CloudAppEvents record, or a row of Log Analytics. The same record by both
// ways has the same Id, hence the same identity. Time: CreationTime, the
// wrapper's Timestamp, TimeGenerated, time.
func (d *Decoder) readM365(e *Event) {
	e.Action = d.first(pM365Action...)
	e.ID = d.first(pM365ID...)
	e.Tenant = d.tenant(pM365Tenant...)
	e.Time = d.when(e, pM365Time...)
	workload := d.first(pM365Workload...)
	e.Workload = workload
	e.Outcome = m365Outcome(workload, e.Action, d.first(pM365Result))
	e.Actor = d.m365Actor()
	e.Target = d.m365Target(workload)
	e.IP = parseIP(d.first(pM365IP...))
	if e.ID == "" {
		e.ID = d.first(pM365Report)
	}
}

// m365Results are the values of ResultStatus, in lower case.
var m365Results = map[string]Outcome{
	"true": Success, "success": Success, "succeeded": Success, "successful": Success, "partiallysucceeded": Success,
	"false": Failure, "failure": Failure, "failed": Failure,
}

// m365Outcome reads ResultStatus. SharePoint and OneDrive record only what was
// done and, like most others, have no ResultStatus. A failed sign-in may call
// itself a success.
func m365Outcome(workload, action, result string) Outcome {
	switch {
	case strings.EqualFold(action, "UserLoginFailed"):
		return Failure
	case result == "", strings.EqualFold(workload, "SharePoint"), strings.EqualFold(workload, "OneDrive"):
		return Success
	}
	var low [24]byte
	if len(result) > len(low) {
		return OutcomeUnknown
	}
	return m365Results[string(lower(low[:0], result))]
}

// lower appends s with ASCII letters lower-cased.
func lower(dst []byte, s string) []byte {
	for i := range len(s) {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}

// m365UserTypes are the enumeration UserType of the Management Activity API
// schema, by number and, as Log Analytics writes it, by name.
var m365UserTypes = map[string]string{
	"0": "User", "1": "User", "2": "User", "3": "User", "4": "System", "5": "Application", "6": "ServicePrincipal", "7": "Policy", "8": "Policy",
	"Regular": "User", "Reserved": "User", "Admin": "User", "DcAdmin": "User", "System": "System", "Application": "Application",
	"ServicePrincipal": "ServicePrincipal", "CustomPolicy": "Policy", "SystemPolicy": "Policy",
}

func (d *Decoder) m365Actor() Principal {
	id := d.first(pM365User)
	if id == "" {
		id = d.first(pM365UserKey)
	}
	return named(id, id, m365UserTypes[d.text(pM365UserType)])
}

// m365Target returns the object: in SharePoint the item's stable id, elsewhere
// what ObjectId says.
func (d *Decoder) m365Target(workload string) Principal {
	object := d.first(pM365Object...)
	if strings.EqualFold(workload, "SharePoint") || strings.EqualFold(workload, "OneDrive") {
		if item := d.first(pM365ListItem); item != "" {
			return Principal{ID: item, Name: object, Type: "File"}
		}
	}
	return Principal{ID: object, Name: object}
}

// enriched reads EnrichedOffice365AuditLogs (Global Secure Access): the record
// stands in properties.
func (d *Decoder) enriched() (family, bool) {
	if !d.has(pM365Enriched) || !d.has(pM365EnrichedT) {
		return unknownFamily, true
	}
	d.doc.SetLayout(document.CloudApp)
	return m365Family, true
}
