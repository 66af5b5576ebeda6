package pagerduty

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"phiwatch/alerting"
	"phiwatch/alerting/untrusted"
)

// Limits of the Events API v2: summary and dedup_key in characters, the whole
// event in bytes (developer.pagerduty.com, "Send an Alert Event"). The bounds
// on details keep the worst case (every character escaped, four bytes each)
// inside maxEvent; a test holds that.
const (
	maxSummary    = 1024
	maxKey        = 255
	maxEvent      = 512 << 10
	maxViolations = 20
	maxText       = 200
	maxList       = 10
)

// action is what an event does to the alert.
type action string

const (
	trigger     action = "trigger"
	acknowledge action = "acknowledge"
	resolve     action = "resolve"
)

// wanted is where the group's page should stand.
func wanted(g alerting.Group) action {
	want := resolve
	for i := range g.Violations {
		switch g.Violations[i].State {
		case alerting.StatusOpen:
			return trigger
		case alerting.StatusAcknowledged:
			want = acknowledge
		}
	}
	return want
}

// event is the body of a request, without the routing key.
type event struct {
	RoutingKey string   `json:"routing_key,omitempty"`
	Action     action   `json:"event_action"`
	DedupKey   string   `json:"dedup_key"`
	Client     string   `json:"client,omitempty"`
	ClientURL  string   `json:"client_url,omitempty"`
	Payload    *payload `json:"payload,omitempty"`
}

type payload struct {
	Summary   string  `json:"summary"`
	Source    string  `json:"source"`
	Severity  string  `json:"severity"`
	Timestamp string  `json:"timestamp,omitempty"`
	Component string  `json:"component,omitempty"`
	Group     string  `json:"group,omitempty"`
	Class     string  `json:"class,omitempty"`
	Details   details `json:"custom_details"`
}

// details is the allow-list of what leaves for PagerDuty. No link is made of
// event text: the links and images of the API are not used at all.
type details struct {
	Open       int         `json:"open"`
	Restored   int         `json:"restored,omitempty"`
	Violations []violation `json:"violations"`
	More       int         `json:"more_not_shown,omitempty"`
	Runbook    []string    `json:"what_to_do_now,omitempty"`
	Notice     string      `json:"notice,omitempty"`
}

type violation struct {
	ID        string   `json:"id"`
	Title     string   `json:"title"`
	State     string   `json:"state"`
	Severity  string   `json:"severity"`
	Safeguard string   `json:"safeguard"`
	HIPAA     []string `json:"hipaa,omitempty"`
	Tenant    string   `json:"tenant,omitempty"`
	Subject   string   `json:"subject"`
	Name      string   `json:"subject_name,omitempty"`
	Action    string   `json:"action,omitempty"`
	Actor     string   `json:"actor,omitempty"`
	ActorIP   string   `json:"actor_ip,omitempty"`
	Opened    string   `json:"opened,omitempty"`
	Changed   string   `json:"changed,omitempty"`
	Repeats   int      `json:"repeats,omitempty"`
	AckedBy   string   `json:"acknowledged_by,omitempty"`
	ClosedBy  string   `json:"closed_by,omitempty"`
	ClosedAt  string   `json:"closed_at,omitempty"`
	Evidence  []string `json:"evidence,omitempty"`
}

// newEvent renders the event that takes the group's page to a.
func newEvent(g alerting.Group, a action, clientURL string) event {
	ev := event{Action: a, DedupKey: g.Key}
	if a != trigger {
		return ev // PagerDuty ignores the payload of the others
	}
	lead := lead(g)
	ev.Client, ev.ClientURL = "phiwatch", clientURL
	ev.Payload = &payload{
		Summary:   summary(g, lead),
		Source:    cmp.Or(text(lead.Tenant), "phiwatch"),
		Severity:  worst(g),
		Timestamp: stamp(lead.Opened),
		Component: text(lead.Safeguard),
		Group:     labels(g.Labels),
		Class:     text(lead.Entry),
		Details:   newDetails(g, lead),
	}
	return ev
}

// lead is the violation that stands for the group: its first open one.
func lead(g alerting.Group) alerting.Violation {
	for _, v := range g.Violations {
		if v.State.Open() {
			return v
		}
	}
	if len(g.Violations) > 0 {
		return g.Violations[0]
	}
	return alerting.Violation{}
}

func summary(g alerting.Group, v alerting.Violation) string {
	s := fmt.Sprintf("[%s] %s", strings.ToUpper(text(cmp.Or(v.Severity, "info"))), cmp.Or(text(v.Title), text(v.Entry)))
	if name := cmp.Or(text(v.SubjectName), text(v.Subject)); name != "" {
		s += ": " + name
	}
	if v.Actor != "" {
		s += " by " + text(v.Actor)
	}
	if n := countOpen(g) - 1; n > 0 {
		s += fmt.Sprintf(" and %d more", n)
	}
	return untrusted.Line(s, maxSummary)
}

func countOpen(g alerting.Group) (n int) {
	for i := range g.Violations {
		if g.Violations[i].State.Open() {
			n++
		}
	}
	return n
}

// severities maps phiwatch's to PagerDuty's, which has four.
var severities = map[string]string{"critical": "critical", "high": "error", "medium": "warning", "low": "warning", "info": "info"}

var severityRank = []string{"info", "warning", "error", "critical"}

// worst is the highest severity among open violations, in PagerDuty's words.
func worst(g alerting.Group) string {
	rank := 0
	for _, v := range g.Violations {
		if v.State.Open() {
			rank = max(rank, slices.Index(severityRank, cmp.Or(severities[v.Severity], "error")))
		}
	}
	return severityRank[rank]
}

func newDetails(g alerting.Group, lead alerting.Violation) details {
	d := details{Open: countOpen(g), Violations: []violation{}, Runbook: texts(lead.Runbook)}
	d.Restored = len(g.Violations) - d.Open
	for i, v := range g.Violations {
		if i == maxViolations {
			d.More = len(g.Violations) - i
			break
		}
		d.Violations = append(d.Violations, newViolation(v))
	}
	if g.Repeat {
		d.Notice = "may repeat an earlier event"
	}
	return d
}

func newViolation(v alerting.Violation) violation {
	return violation{
		ID: text(v.ID), Title: text(v.Title), State: text(string(v.State)), Severity: text(v.Severity),
		Safeguard: text(v.Safeguard), HIPAA: texts(v.HIPAA), Tenant: text(v.Tenant),
		Subject: text(v.Subject), Name: text(v.SubjectName), Action: text(v.Action),
		Actor: text(v.Actor), ActorIP: text(v.ActorIP), Opened: stamp(v.Opened), Changed: stamp(v.Changed),
		Repeats: v.Repeats, AckedBy: text(v.AckedBy), ClosedBy: text(v.ClosedBy), ClosedAt: stamp(v.ClosedAt), Evidence: texts(v.Evidence),
	}
}

func labels(m map[string]string) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, text(k)+"="+text(m[k]))
	}
	return untrusted.Line(strings.Join(parts, ", "), maxText)
}

func text(s string) string { return untrusted.Line(s, maxText) }

func texts(list []string) []string {
	var out []string
	for i, s := range list {
		if i == maxList {
			return append(out, fmt.Sprintf("and %d more", len(list)-i))
		}
		out = append(out, text(s))
	}
	return out
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// encode returns the event as JSON inside maxEvent bytes, leaving out
// violations from the end if it must.
func (e event) encode() ([]byte, error) {
	for {
		b, err := json.Marshal(e)
		if err != nil || len(b) <= maxEvent || e.Payload == nil || len(e.Payload.Details.Violations) == 0 {
			return b, err
		}
		p := *e.Payload
		p.Details.Violations = p.Details.Violations[:len(p.Details.Violations)/2]
		p.Details.More = p.Details.Open + p.Details.Restored - len(p.Details.Violations)
		e.Payload = &p
	}
}

// validKey refuses rather than cuts: two long keys must not become one.
func validKey(key string) bool { return key != "" && utf8.RuneCountInString(key) <= maxKey }
