package ingest

import (
	"strings"
	"time"

	"phiwatch/ingest/document"
)

var (
	pIntuneID         = document.MustCompile("properties.AuditEventId")
	pIntuneBatch      = document.MustCompile("properties.BatchId")
	pIntuneDevice     = []*document.Path{document.MustCompile("properties.IntuneDeviceId"), document.MustCompile("properties.DeviceId")}
	pIntuneDeviceName = []*document.Path{document.MustCompile("properties.DeviceHostName"), document.MustCompile("properties.DeviceName")}
	pIntuneAlert      = []*document.Path{document.MustCompile("properties.AlertType"), document.MustCompile("properties.Description")}
	pIntuneStart      = []*document.Path{document.MustCompile("properties.StartTimeUtc"), document.MustCompile("properties.EnrollmentTimeUTC")}
	pIntuneTenant     = document.MustCompile("properties.AADTenantId")
	pIntuneDate       = document.MustCompile("properties.ActivityDate")
	pIntuneStatus     = document.MustCompile("properties.ActivityResultStatus")
	pIntuneActorID    = document.MustCompile("properties.Actor.ObjectId")
	pIntuneActorUPN   = []*document.Path{document.MustCompile("properties.Actor.UPN"), document.MustCompile("properties.Actor.Name")}
	pIntuneActorApp   = document.MustCompile("properties.Actor.Application")
	pIntuneActorAppNm = document.MustCompile("properties.Actor.ApplicationName")
	pIntuneTarget     = document.MustCompile("properties.TargetObjectIds")
	pIntuneTargetName = []*document.Path{document.MustCompile("properties.Targets.Name"), document.MustCompile("properties.TargetDisplayNames")}
)

// readIntune reads Intune's audit, operational and device reports.
func (d *Decoder) readIntune(e *Event) {
	e.Tenant = d.tenant(pTenantID, pIntuneTenant)
	e.Action = d.doc.Text(pOperationName)
	if d.has(pIntuneActivity) {
		d.readIntuneAudit(e)
	} else {
		d.readIntuneReport(e)
	}
}

// readIntuneAudit reads what an administrator or the service did. Time: time,
// unless ActivityDate (in whole seconds) is a second or more away from it.
func (d *Decoder) readIntuneAudit(e *Event) {
	e.ID = d.first(pIntuneID, pCorrelationID)
	e.Time = d.when(e, pTime)
	if t := d.when(e, pIntuneDate); !t.IsZero() && (e.Time.IsZero() || e.Time.Sub(t).Abs() >= time.Second) {
		e.Time = t
	}
	switch result := d.first(pResultType); {
	case strings.EqualFold(result, "success"):
		e.Outcome = Success
	case strings.EqualFold(result, "failure"), strings.EqualFold(result, "error"):
		e.Outcome = Failure
	case d.first(pIntuneStatus) == "1":
		e.Outcome = Success
	}
	e.Actor = named(d.first(pIntuneActorID), d.first(pIntuneActorUPN...), "User")
	if e.Actor == (Principal{}) {
		e.Actor = named(d.first(pIntuneActorApp), d.first(pIntuneActorAppNm), "Application")
	}
	e.Target = named(d.first(pIntuneTarget), d.first(pIntuneTargetName...), "")
}

// readIntuneReport reads what Intune found about a device. It states what is,
// so its outcome is Success unless it says Failure. Time: the report's own
// start or enrolment time, time.
func (d *Decoder) readIntuneReport(e *Event) {
	device := d.first(pIntuneDevice...)
	e.Time = d.when(e, pIntuneStart[0], pIntuneStart[1], pTime)
	e.ID = d.compose(e.Action, device, d.first(pIntuneBatch), d.first(pIntuneAlert[0]), d.first(pIntuneAlert[1]), firstOf(d.first(pIntuneStart...), d.first(pTime)))
	e.Outcome = Success
	if strings.EqualFold(d.first(pResultType), "failure") {
		e.Outcome = Failure
	}
	e.Target = named(device, d.first(pIntuneDeviceName...), "Device")
}
