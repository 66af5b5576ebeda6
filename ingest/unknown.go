package ingest

import (
	"strings"

	"phiwatch/ingest/document"
)

var (
	pUnknownID         = document.MustCompile("properties.id")
	pUnknownRequest    = document.MustCompile("properties.requestId")
	pUnknownReport     = document.MustCompile("properties.ReportId")
	pUnknownRootID     = document.MustCompile("id")
	pUnknownAction     = document.MustCompile("properties.ActionType")
	pUnknownRowAction  = document.MustCompile("ActionType")
	pUnknownTimestamp  = document.MustCompile("properties.Timestamp")
	pUnknownRowTime    = document.MustCompile("Timestamp")
	pUnknownEventTime  = document.MustCompile("EventTimeString") // Event Hubs' operational logs
	pUnknownEventName  = document.MustCompile("EventName")
	pUnknownPropTenant = document.MustCompile("properties.tenantId")
	pUnknownPropIP     = document.MustCompile("properties.IPAddress")
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
	e.Action = d.doc.Text(pOperationName)
	if e.Action == "" || strings.EqualFold(e.Action, "Publish") { // what Defender calls all it streams
		if a := d.first(pUnknownAction, pUnknownRowAction, pUnknownEventName, pRootOperation); a != "" {
			e.Action = a
		}
	}
	e.IP = parseIP(d.first(pCallerIP, pUnknownPropIP))
	e.Target.ID = d.first(pResourceID)
}
