package fields

import (
	"encoding/json"
	"strings"
	"sync"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
	"phiwatch/ingest/document"
)

var (
	pathActivity   = document.MustCompile("properties.activityDisplayName")
	pathResult     = document.MustCompile("properties.result")
	pathReason     = document.MustCompile("properties.resultReason")
	pathReasonLA   = document.MustCompile("resultDescription")
	pathReasonNew  = document.MustCompile("properties.resultDescription")
	pathExecution  = document.MustCompile("modified.MethodExecutionResult.new")
	pathExecuted   = document.MustCompile(`modified."MethodExecutionResult.".new`)
	pathByUPN      = document.MustCompile("properties.initiatedBy.user.userPrincipalName")
	pathByUser     = document.MustCompile("properties.initiatedBy.user.displayName")
	pathByUserID   = document.MustCompile("properties.initiatedBy.user.id")
	pathByApp      = document.MustCompile("properties.initiatedBy.app.displayName")
	pathByAppID    = document.MustCompile("properties.initiatedBy.app.servicePrincipalId")
	pathTargetUPN  = document.MustCompile("properties.targetResources.userPrincipalName")
	pathTargetName = document.MustCompile("properties.targetResources.displayName")
	pathTargetID   = document.MustCompile("properties.targetResources.id")
	pathTargetType = document.MustCompile("properties.targetResources.type")
	pathChanges    = document.MustCompile("properties.targetResources.modifiedProperties")
	pathDetails    = document.MustCompile("properties.additionalDetails")
)

// wording is what the SecOps guide calls an activity that the audit reference
// (learn.microsoft.com/entra/identity/monitoring-health/reference-audit-activities)
// lists under another name.
type wording struct {
	begins, has string // of the activity's name, in lower case
	says        string
}

// wordings are tried in their order; the first of those with the same begins holds.
var wordings = []wording{
	{"add member to group", "", "Add member from group"},
	{"remove member from group", "", "Remove member from group"},
	{"add eligible member to role", "permanent", "Add eligible member (permanent)"},
	{"add eligible member to role", "", "Add eligible member (eligible)"},
	{"remove eligible member from role", "permanent", "Remove eligible member (permanent)"},
	{"remove eligible member from role", "", "Remove eligible member (eligible)"},
	{"add member to role request", "approved", "Request Approved/Denied"},
	{"add member to role request", "denied", "Request Approved/Denied"},
	{"reset password", "", "Password reset"},
	{"reset user password", "", "Password reset"},
}

// auditActivity is the name of the activity, as logged, without blanks and full
// stop, with a plain hyphen for the dash that one name has, and in the guide's
// words.
func auditActivity(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	dst = say(dst, ev.Action)
	if name := ev.Text(pathActivity); name != ev.Action {
		dst = say(dst, name)
	}
	if strings.Contains(ev.Action, "–") {
		dst = say(dst, strings.ReplaceAll(ev.Action, "–", "-"))
	}
	for _, w := range wordings {
		if strings.HasPrefix(ev.Op, w.begins) && strings.Contains(ev.Op, w.has) {
			return say(dst, w.says)
		}
	}
	return dst
}

// auditMessage is what the portal shows of a record in words: the activity, the
// reason of its result and, of an update, the changed properties.
func auditMessage(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	dst = sayAll(auditActivity(dst, ev), ev, pathReason, pathReasonLA, pathReasonNew)
	if !strings.HasPrefix(ev.Op, "update ") {
		return dst
	}
	buf := valueBuffers.Get().(*[]document.Value)
	*buf = ev.Values(pathChanges, (*buf)[:0])
	for _, v := range *buf {
		dst = sayChange(dst, ev, v)
	}
	clear(*buf)
	valueBuffers.Put(buf)
	return dst
}

// sayChange tells a changed property in the two ways that rules quote: as the
// record's own JSON, members in the record's usual order and without braces;
// and, for applications, in the guide's sentence, which rules misspell.
func sayChange(dst []sigma.Value, ev *ingest.Event, v document.Value) []sigma.Value {
	c := changes.Get().(*change)
	defer changes.Put(c)
	if v.Kind != document.Object || c.doc.Parse([]byte(v.Text)) != nil {
		return dst
	}
	name, from, to := c.doc.Member("displayName"), c.doc.Member("oldValue"), c.doc.Member("newValue")
	if name.Kind != document.String || name.Text == "" || from.Kind > document.Null && from.Kind != document.String || to.Kind > document.Null && to.Kind != document.String {
		return dst
	}
	b := appendQuoted(append(c.buf[:0], `"displayName":`...), name)
	b = appendQuoted(append(b, `,"oldValue":`...), from)
	b = appendQuoted(append(b, `,"newValue":`...), to)
	c.buf = b
	dst = append(dst, sigma.Value{Kind: sigma.String, Text: string(b)})
	if ev.Outcome != ingest.Success || !strings.HasPrefix(ev.Op, "update application") && !strings.HasPrefix(ev.Op, "update service principal") {
		return dst
	}
	for _, word := range []string{"Success", "Sucess"} { //nolint:misspell // as rules have it
		dst = append(dst, sigma.Value{Kind: sigma.String, Text: strings.TrimSpace(ev.Action) + " " + word + "- Property Name " + name.Text})
	}
	return dst
}

// change is the memory in which one changed property is read.
type change struct {
	doc document.Document
	buf []byte
}

var changes = sync.Pool{New: func() any { return new(change) }}

// appendQuoted writes a text as JSON, and null if there is none.
func appendQuoted(b []byte, v document.Value) []byte {
	if v.Kind != document.String {
		return append(b, "null"...)
	}
	b = append(b, '"')
	for i := range len(v.Text) {
		switch c := v.Text[i]; c {
		case '\\', '"':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// auditStatus is the result and, as the portal shows them together, its reason.
func auditStatus(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	return sayAll(dst, ev, pathResult, pathReason, pathReasonLA, pathReasonNew)
}

// auditReason is why an activity failed. Consent puts it into a property named
// with a closing full stop. The guide puts an s behind the exception's name.
func auditReason(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	from := len(dst)
	dst = sayAll(dst, ev, pathReason, pathReasonLA, pathReasonNew, pathExecution, pathExecuted)
	for _, v := range dst[from:] {
		if strings.HasSuffix(v.Text, "Exception") {
			dst = append(dst, sigma.Value{Kind: sigma.String, Text: v.Text + "s"})
		}
	}
	return dst
}

// byUPN stands, in the guide's tables, for any user who is named by a user
// principal name.
const byUPN = "UPN"

func auditInitiator(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	if ev.Text(pathByUPN) != "" {
		dst = say(dst, byUPN)
	}
	return sayAll(dst, ev, pathByUPN, pathByUser, pathByUserID, pathByApp, pathByAppID)
}

func auditTarget(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	if ev.Text(pathTargetUPN) != "" {
		dst = say(dst, byUPN)
	}
	return sayAll(dst, ev, pathTargetUPN, pathTargetName, pathTargetID)
}

// auditTargetType gives the types of targets also in the portal's words.
func auditTargetType(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	from := len(dst)
	dst = sayAll(dst, ev, pathTargetType)
	for _, v := range dst[from:] {
		if strings.EqualFold(v.Text, "ServicePrincipal") {
			dst = say(dst, "Service Principal")
		}
	}
	return dst
}

// auditDetail reads the member of additionalDetails with a key, whose name rules
// write as one word; key and value are the members that every entry has.
type auditDetail struct{ key string }

func newAuditDetail(key string) computed {
	if strings.EqualFold(key, "key") || strings.EqualFold(key, "value") {
		return &paths{list: []*document.Path{document.MustCompile("properties.additionalDetails." + key)}}
	}
	return auditDetail{squeezed(key)}
}

func squeezed(key string) string { return strings.ToLower(strings.ReplaceAll(key, " ", "")) }

func (a auditDetail) append(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	var buf [8]document.Value
	for _, v := range ev.Values(pathDetails, buf[:0]) {
		var pair struct{ Key, Value string }
		if v.Kind == document.Object && json.Unmarshal([]byte(v.Text), &pair) == nil && squeezed(pair.Key) == a.key {
			dst = say(dst, pair.Value)
		}
	}
	return dst
}

// pimAlerts are the alerts of Privileged Identity Management: what their titles
// say (learn.microsoft.com/entra/id-governance/privileged-identity-management/pim-how-to-configure-security-alerts)
// and the beginning of their names in Graph (learn.microsoft.com/graph/how-to-pim-alerts).
var pimAlerts = []struct{ title, name string }{
	{"using their privileged roles", "redundantAssignment"},
	{"factor authentication for activation", "noMfaOnRoleActivation"},
	{"entra id p2", "invalidLicense"},
	{"premium p2", "invalidLicense"},
	{"stale accounts", "staleSignIn"},
	{"outside of privileged identity management", "rolesAssignedOutsidePrivilegedIdentityManagement"},
	{"outside of pim", "rolesAssignedOutsidePrivilegedIdentityManagement"},
	{"too many global administrators", "tooManyGlobalAdminsAssignedToTenant"},
	{"activated too frequently", "sequentialActivationRenewals"},
}

// pimAlert gives the Graph names of the alert that an audit record tells of:
// one that was raised has its title as its target, and a role given outside of
// PIM has an activity of its own. A record of a resolved or disabled alert says
// that there is none.
func pimAlert(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	outside := strings.HasPrefix(ev.Op, "add member to role outside of pim")
	if !outside && ev.Op != "triggered pim alert" {
		return dst
	}
	text := ev.Op
	if !outside {
		text = strings.ToLower(ev.Text(pathTargetName) + "\n" + ev.Text(pathReason))
	}
	for _, a := range pimAlerts {
		if strings.Contains(text, a.title) {
			return say(say(say(dst, a.name+"Alert"), a.name+"AlertIncident"), a.name+"AlertConfiguration")
		}
	}
	return dst
}
