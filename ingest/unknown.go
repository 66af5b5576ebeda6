package ingest

import (
	"strings"

	"phiwatch/ingest/document"
)

var (
	pUnknownID         = field("properties.id")
	pUnknownRequest    = field("properties.requestId")
	pUnknownReport     = field("properties.ReportId")
	pUnknownRootID     = field("id")
	pUnknownAction     = field("properties.ActionType")
	pUnknownRowAction  = field("ActionType")
	pUnknownTimestamp  = field("properties.Timestamp")
	pUnknownRowTime    = field("Timestamp")
	pUnknownEventTime  = field("EventTimeString") // Event Hubs' operational logs
	pUnknownEventName  = field("EventName")
	pUnknownPropTenant = field("properties.tenantId")
	pUnknownPropIP     = field("properties.IPAddress")
)

// readUnknown reads what most records have. The outcome stays unknown. Time:
// time, Timestamp, createdDateTime, TimeGenerated.
func (d *Decoder) readUnknown(e *Event) {
	if d.doc.Kind() != document.Object {
		return
	}
	e.ID = d.first(pUnknownID, pUnknownRequest, pUnknownReport, pUnknownRootID)
	e.Tenant = d.tenant(pTenantID, pUnknownPropTenant)
	e.Time = d.when(e, pUnknownTimestamp, pTime, pUnknownRowTime, pRootCreated, pTimeGenerated, pUnknownEventTime)
	e.Action = d.text(pOperationName)
	if e.Action == "" || strings.EqualFold(e.Action, "Publish") { // what Defender calls all it streams
		if a := d.first(pUnknownAction, pUnknownRowAction, pUnknownEventName, pRootOperation); a != "" {
			e.Action = a
		}
	}
	e.IP = parseIP(d.first(pCallerIP, pUnknownPropIP))
	e.Target.ID = d.first(pResourceID)
}
