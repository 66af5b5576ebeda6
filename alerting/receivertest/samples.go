package receivertest

import (
	"fmt"
	"strings"
	"time"

	"phiwatch/alerting"
)

// Tenant is the made-up hospital of the samples.
const Tenant = "6f2b7c1e-0000-4000-8000-00000000a11c"

var morning = time.Date(2026, 3, 2, 9, 14, 5, 0, time.UTC)

// Policy is an open violation: a Conditional Access policy switched off.
func Policy() alerting.Violation {
	return alerting.Violation{
		ID:          "v-ca-policy-disabled-01",
		Entry:       "ca-policy-disabled",
		Safeguard:   "CA",
		Safeguards:  []string{"CA", "MFA"},
		HIPAA:       []string{"164.312(d)", "164.312(a)(1)"},
		Title:       "Conditional Access policy disabled",
		Tenant:      Tenant,
		Subject:     "0b9d1a52-0000-4000-8000-0000000000ca",
		SubjectName: "Require MFA for clinicians",
		Severity:    "critical",
		State:       alerting.StatusOpen,
		Opened:      morning,
		Changed:     morning,
		Actor:       "morgan.reyes@lakeside.example.org",
		ActorIP:     "203.0.113.7",
		Action:      "Update conditional access policy",
		Runbook: []string{
			"Ask morgan.reyes through a known number whether the change was intended; if not, revoke the account's sessions.",
			"Switch the policy back to On in Entra ID, Protection, Conditional Access.",
			"List sign-ins without MFA since the change, and end their sessions.",
		},
		Evidence: []string{"entra-audit/0001"},
	}
}

// Mailbox is an open violation of another safeguard, less severe.
func Mailbox() alerting.Violation {
	v := Policy()
	v.ID, v.Entry, v.Safeguard, v.Safeguards = "v-mailbox-audit-off-01", "mailbox-audit-off", "AUDIT", []string{"AUDIT"}
	v.Title, v.Severity = "Mailbox auditing switched off", "high"
	v.Subject, v.SubjectName = "records@lakeside.example.org", ""
	v.HIPAA, v.Action = []string{"164.312(b)"}, "Set-Mailbox"
	v.Opened = morning.Add(7 * time.Minute)
	v.Changed, v.Repeats = morning.Add(31*time.Minute), 2
	v.Runbook = []string{"Switch auditing on: Set-Mailbox -Identity <mailbox> -AuditEnabled $true"}
	v.Evidence = []string{"m365-audit/0002", "m365-audit/0003", "m365-audit/0004"}
	return v
}

// Acked is v taken on by somebody.
func Acked(v alerting.Violation) alerting.Violation {
	v.State, v.AckedBy, v.AckedAt = alerting.StatusAcknowledged, "sam.okafor@lakeside.example.org", v.Opened.Add(4*time.Minute)
	return v
}

// Restored is v after its restoring event.
func Restored(v alerting.Violation) alerting.Violation {
	v.State, v.RestoredBy, v.Restored = alerting.StatusRestored, "sam.okafor@lakeside.example.org", v.Opened.Add(95*time.Minute)
	v.Changed = v.Restored
	return v
}

// Closed is v taken on by one person and closed by another.
func Closed(v alerting.Violation) alerting.Violation {
	v = Acked(v)
	v.State, v.ClosedBy, v.ClosedAt = alerting.StatusClosed, "ines.alvarez@lakeside.example.org", v.Opened.Add(26*time.Minute)
	v.ClosedNote = "The policy was replaced by another."
	return v
}

// Group delivers violations together.
func Group(version int64, violations ...alerting.Violation) alerting.Group {
	return alerting.Group{
		Key:     "g-lakeside-ca-0001",
		Version: version,
		Labels:  map[string]string{"safeguard": "CA", "tenant": Tenant},

		Violations: violations,
	}
}

// Hostile is a violation whose every text tries to be something else: markup,
// mentions, links, terminal escapes, reversed text, and far too long.
func Hostile() alerting.Violation {
	v := Policy()
	v.Title = "*bold* _it_ ~no~ `code` <!channel> @here :fire: https://evil.example/"
	v.SubjectName = "<https://evil.example|Reset your password> <@U123> &lt;!everyone&gt;"
	v.Subject = "a`*b*`c\r\nFAKE: second line\x1b[2J\x07"
	v.Actor = "\u202egro.elpmaxe@nimda\u202c <!subteam^S1|@team>"
	v.Action = strings.Repeat("<&>", 4000)
	v.Runbook = []string{"<!here> run `rm -rf` *now*", strings.Repeat("long ", 2000)}
	v.AckedBy, v.RestoredBy = "#general <#C1>", "@channel\u2028\u0085"
	v.ClosedBy, v.ClosedNote = "<@U123>", "<!here>"
	v.Entry, v.ID = "x\x00y", "id<>&"
	return v
}

// Samples are groups by name, for golden files: each state a receiver shows.
func Samples() map[string]alerting.Group {
	repeat := Group(1, Policy())
	repeat.Repeat = true
	var many []alerting.Violation
	for i := range 40 {
		v := Mailbox()
		v.ID, v.Subject = fmt.Sprintf("v-mailbox-%02d", i), fmt.Sprintf("ward-%02d@lakeside.example.org", i)
		many = append(many, v)
	}
	for i := range 8 {
		v := Restored(Mailbox())
		v.ID, v.Subject = fmt.Sprintf("v-clinic-%02d", i), fmt.Sprintf("clinic-%02d@lakeside.example.org", i)
		many = append(many, v)
	}
	other := Restored(Hostile())
	other.ID = "other"
	return map[string]alerting.Group{
		"open":         Group(1, Policy()),
		"two":          Group(2, Policy(), Mailbox()),
		"acknowledged": Group(3, Acked(Policy())),
		"partly":       Group(4, Mailbox(), Restored(Policy())),
		"restored":     Group(5, Restored(Policy()), Restored(Mailbox())),
		"closed":       Group(6, Closed(Policy())),
		"repeat":       repeat,
		"many":         Group(7, many...),
		"hostile":      Group(8, Hostile(), other),
	}
}
