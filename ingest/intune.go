package ingest

import (
	"strings"
	"time"
)

var (
	pIntuneID         = field("properties.AuditEventId")
	pIntuneBatch      = field("properties.BatchId")
	pIntuneDevice     = []*fieldPath{field("properties.IntuneDeviceId"), field("properties.DeviceId")}
	pIntuneDeviceName = []*fieldPath{field("properties.DeviceHostName"), field("properties.DeviceName")}
	pIntuneAlert      = []*fieldPath{field("properties.AlertType"), field("properties.Description")}
	pIntuneStart      = []*fieldPath{field("properties.StartTimeUtc"), field("properties.EnrollmentTimeUTC")}
	pIntuneTenant     = field("properties.AADTenantId")
	pIntuneDate       = field("properties.ActivityDate")
	pIntuneStatus     = field("properties.ActivityResultStatus")
	pIntuneActorID    = field("properties.Actor.ObjectId")
	pIntuneActorUPN   = []*fieldPath{field("properties.Actor.UPN"), field("properties.Actor.Name")}
	pIntuneActorApp   = field("properties.Actor.Application")
	pIntuneActorAppNm = field("properties.Actor.ApplicationName")
	pIntuneTarget     = field("properties.TargetObjectIds")
	pIntuneTargetName = []*fieldPath{field("properties.Targets.Name"), field("properties.TargetDisplayNames")}
)

// readIntune reads Intune's audit, operational and device reports.
func (d *Decoder) readIntune(e *Event) {
	e.Tenant = d.tenant(pTenantID, pIntuneTenant)
	e.Action = d.text(pOperationName)
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
	if e.Outcome = intuneOutcome(d.first(pResultType)); e.Outcome == OutcomeUnknown {
		e.Outcome = intuneOutcome(d.first(pIntuneStatus))
	}
	e.Actor = named(d.first(pIntuneActorID), d.first(pIntuneActorUPN...), "User")
	if e.Actor == (Principal{}) {
		e.Actor = named(d.first(pIntuneActorApp), d.first(pIntuneActorAppNm), "Application")
	}
	e.Target = named(d.first(pIntuneTarget), d.first(pIntuneTargetName...), "")
}

// intuneOutcome reads a result in words, or the number that the activity has.
func intuneOutcome(result string) Outcome {
	switch {
	case strings.EqualFold(result, "success"), result == "1":
		return Success
	case strings.EqualFold(result, "failure"), strings.EqualFold(result, "error"):
		return Failure
	}
	return OutcomeUnknown
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
