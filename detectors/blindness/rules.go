package blindness

import (
	"slices"
	"strings"

	"phiwatch/detectors"
)

// meta makes the description of a detector that has no rule file. All of them
// watch the audit trail itself.
func meta(entry string, severity detectors.Severity, title, description string, runbook ...string) *detectors.Meta {
	return &detectors.Meta{
		Entry: entry, Title: title, Description: description, Safeguards: []string{"AUDIT"},
		HIPAA: []string{"164.312(b)"}, Group: "stateful", Severity: severity, Runbook: runbook, Restorable: true,
	}
}

// final makes m an incident: nothing undoes it, a person closes it.
func final(m *detectors.Meta) *detectors.Meta {
	m.Restorable = false
	return m
}

// goingBy notes that Note takes in for m what the rules of some entries find.
func goingBy(entries []string, m *detectors.Meta) *detectors.Meta {
	m.GoesBy = entries
	return m
}

var (
	streamSilence = meta("stream-silence", detectors.High, "Audit stream has gone silent",
		"The hub answers and everything in it is read, but a stream of audit records that is usually heard from has stopped. "+
			"What happens at its source is not recorded where anybody looks.",
		"Look at the stream's diagnostic setting or forwarder: Entra admin centre > Monitoring & health > Diagnostic settings; Azure portal > the resource > Diagnostic settings; for unified audit, Get-AdminAuditLogConfig | Format-List UnifiedAuditLogIngestionEnabled.",
		"Look in the Azure Activity Log for diagnosticSettings/delete and /write, and for changes to the event hub, from before the silence began.",
		"Switch the stream on again; if nobody planned it, disable the account that switched it off.",
		"Export what the portal still holds of the silent interval, and note the interval for the risk assessment.",
		"If the subject is a hub, nothing has ever come by it: see that a diagnostic setting or forwarder names this very hub, or take it out of the configuration.")
	partialSilence = meta("partial-silence", detectors.High, "One audit category has gone silent while others flow",
		"Other records of the same source still arrive, so the connection is well: one category or workload was dropped from the setting that sends them.",
		"Open the source's diagnostic setting and see whether the category is still ticked: Entra admin centre > Monitoring & health > Diagnostic settings; for unified audit, the forwarder's content types or the Defender XDR streaming settings.",
		"Look in the Azure Activity Log for diagnosticSettings/write from before the silence began, and ask who did it.",
		"Tick the category again and see that its records arrive; export those of the silent interval from the portal.")
	offAndSilent = goingBy(settings, meta("diag-off-and-silent", detectors.Critical, "Logging was switched off, and silence followed",
		"A diagnostic setting was deleted or weakened, and since then the vault, the subscription or the category of Entra that it sends has been silent for three times as long as usual: "+
			"it has taken effect, and nobody sees what happens there. A resource is followed only from when its setting was off; until a rhythm of its own is known, "+
			"that of all records of its kind in the tenant counts as usual, and an hour at the least, so that one which is seldom used may only be quiet, or may never have sent its records to the hub.",
		"Create the setting again, with its former categories and hub: Entra admin centre > Monitoring & health > Diagnostic settings, or Azure portal > the resource > Diagnostic settings.",
		"Take the account that switched it off for hostile until its owner has confirmed the change: revoke its sessions, and review all that it did since.",
		"Export what the portal still holds of the blind interval, and note the interval for the risk assessment."))
	deliveryDelay = meta("delivery-delay", detectors.Medium, "Audit records arrive late",
		"More than one in twenty records of the last half hour reached the hub later than the limit for their kind. Violations and their restores are found as late; while it lasts, nothing closes because nothing came.",
		"Look at Microsoft's service health (admin centre > Health > Service health; Azure portal > Service Health) for delays of the source.",
		"If a forwarder of your own sends this kind, look at its backlog and its errors.",
		"Until it is over, do not take an open violation for still open, nor quiet for calm: nothing closes by time alone.")
	evidenceGap = goingBy(streamSwitches, final(meta("evidence-gap", detectors.High, "Audit records are missing for a time",
		"Messages that the hub had accepted were never decided here: their numbers jump, the hub was made anew, or they outlived its retention; or undecodable records were given up. "+
			"Or a whole stream was switched off and on again - the unified audit log, Entra's diagnostic setting, that of a key vault or of the Activity Log - and what happened between was not recorded, or did not come here.",
		"See the details for partition, numbers and times, or for what was off from when to when. If messages were lost, set the hub's retention (Azure portal > Event Hubs > the hub > Configuration) well above the longest outage to be survived.",
		"Export the records of the missing interval from their source: Entra admin centre > Audit logs and Sign-in logs, Azure portal > Activity log, Purview portal > Audit; replay them with phiwatch replay.",
		"Write the interval into the evidence of the risk assessment, then acknowledge this.")))
	consumerLag = meta("consumer-lag", detectors.High, "phiwatch is behind",
		"Messages wait in the hub undecided: what they tell is not known yet. If the lag outgrows the hub's retention, records are lost.",
		"Look at phiwatch_partition_lag_seconds, and at the log for \"batch not decided\": a full disk or a locked database stops a partition.",
		"If it only has much to catch up with, wait; otherwise give it more CPU, and raise the hub's retention before messages expire.")
	quarantineGrowth = meta("quarantine-growth", detectors.High, "Many audit records cannot be decoded",
		"Records arrive that are damaged or in no known form: many at once, or a few over and over in the course of a day. No rule sees them; they are kept in the quarantine. "+
			"A few may be just the largest ones, cut on their way, such as changes of long policies.",
		"Look at phiwatch_quarantined_total for the reason and at the quarantine for the records.",
		"If a forwarder of your own sends them, see what it changed: it must pass whole JSON records on, at most 1 MB a message.",
		"If Microsoft's format has changed, update phiwatch and replay the quarantine before it is given up.")
	hubUnreachable = meta("hub-unreachable", detectors.Critical, "Event hub cannot be reached",
		"No audit record of this hub is seen while it cannot be reached, or while it answers but its partitions are not read. They wait in the hub for as long as its retention, then they are lost.",
		"See the class of the trouble: auth is the credential or its role (Azure Event Hubs Data Receiver), not-found is a deleted hub or consumer group, tls a certificate, busy a throttled namespace; else network, firewall or the service.",
		"If it answers but is not read, another reader holds its partitions: give phiwatch a consumer group of its own, and run one process on one state.",
		"Azure portal > Event Hubs > the namespace: does the hub exist, do its firewall and private endpoints let this machine in, what does its Activity log say?",
		"Once it answers, what waited is read; see that consumer-lag closes.")
	fieldsUnseen = meta("rule-fields-unseen", detectors.Low, "Rule reads fields that never occur",
		"Its log source has delivered many records, but for weeks none of the fields that the rule reads was in any of those looked at: the rule cannot find anything. "+
			"The field names may be those of another product's tables, or the source leaves these fields out.",
		"phiwatch rules explain shows how the rule sees an event; compare its fields with a record of your own.",
		"Correct the field names, or switch on the category that has them; a rule that is not meant for your sources can be taken out.")
)

// watched are the detectors of Watch.
var watched = []*detectors.Meta{
	streamSilence, partialSilence, offAndSilent, deliveryDelay, evidenceGap, consumerLag, quarantineGrowth, hubUnreachable, fieldsUnseen,
}

// Rules describes what a [Watch] finds, sorted by entry; a pack is to tune them
// with the rules of files.
func Rules() []*detectors.Meta {
	out := slices.Clone(watched)
	slices.SortFunc(out, func(a, b *detectors.Meta) int { return strings.Compare(a.Entry, b.Entry) })
	return out
}
