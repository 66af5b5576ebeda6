package slack

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"phiwatch/alerting"
)

// How much of a group one message lists; the rest is counted.
const (
	maxOpenListed = 12
	maxDoneListed = 5
	maxSteps      = 8
)

// message is what one group looks like in a channel.
type message struct {
	Text       string              `json:"text"` // of the notification; clients that show blocks do not show it
	Blocks     []slack.Block       `json:"blocks"`
	Attachment slack.Attachment    `json:"attachment"` // the coloured part
	Metadata   slack.SlackMetadata `json:"metadata"`
	note       note
}

// note is what a message says about itself.
type note string

const (
	noNote     note = ""
	mayRepeat  note = "⚠️ This may repeat an earlier message: phiwatch stopped between sending it and recording that it was sent."
	followsOld note = "↪️ This continues an earlier message that can no longer be edited."
)

// newMessage renders g. It is pure: the same group gives the same bytes.
func newMessage(g alerting.Group, n note) message {
	lead, open, done := split(g)
	count := cmp.Or(len(open), len(done))
	m := message{
		Text:     fallback(lead, count, n),
		note:     n,
		Metadata: slack.SlackMetadata{EventType: metadataType, EventPayload: map[string]any{metadataKey: g.Key}},
	}
	b := &builder{left: maxTotal}
	b.header(headline(lead, count))
	if n != noNote {
		b.section(string(n))
	}
	b.fields(leadFields(lead))
	b.list("Also open", rest(open, lead), maxOpenListed)
	b.list("No longer open", rest(done, lead), maxDoneListed)
	m.Blocks = b.blocks

	a := &builder{left: b.left}
	a.section(standing(g, lead, open))
	if len(open) > 0 {
		a.steps(lead.Runbook)
	}
	a.footer(g, lead)
	m.Attachment = slack.Attachment{Color: colour(open, done), Fallback: m.Text, Blocks: slack.Blocks{BlockSet: a.blocks}}
	return m
}

// plainMessage is the message without any layout, for when Slack refuses the
// other one: an alert must not be lost to a block that Slack no longer likes.
func plainMessage(m message) message {
	b := &builder{left: maxSection}
	b.section(m.Text)
	return message{Text: m.Text, Blocks: b.blocks, Metadata: m.Metadata, note: m.note}
}

const (
	metadataType = "phiwatch_group"
	metadataKey  = "group_key"
)

// digest tells whether an edit would change anything.
func (m message) digest() string {
	b, _ := json.Marshal(m) // made of strings only
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:12])
}

// split sorts out what the message is about: the lead stands for the group.
func split(g alerting.Group) (lead alerting.Violation, open, done []alerting.Violation) {
	for _, v := range g.Violations {
		if v.State.Open() {
			open = append(open, v)
		} else {
			done = append(done, v)
		}
	}
	switch {
	case len(open) > 0:
		lead = open[0]
	case len(done) > 0:
		lead = slices.MaxFunc(done, func(a, b alerting.Violation) int { return ended(a).Compare(ended(b)) })
	}
	return lead, open, done
}

func rest(list []alerting.Violation, lead alerting.Violation) []alerting.Violation {
	return slices.DeleteFunc(slices.Clone(list), func(v alerting.Violation) bool { return v.ID == lead.ID })
}

var emojis = map[string]string{"critical": "🔴", "high": "🟠", "medium": "🟡", "low": "🔵", "info": "⚪"}

func emoji(v alerting.Violation) string {
	switch v.State {
	case alerting.StatusRestored:
		return "✅"
	case alerting.StatusClosed:
		return "☑️"
	case alerting.StatusAcknowledged:
		return "👀"
	}
	return cmp.Or(emojis[v.Severity], "🟠")
}

var colours = map[string]string{"critical": "#b3001b", "high": "#e8590c", "medium": "#f2b705", "low": "#2f7ed8", "info": "#8a8f98"}

func colour(open, done []alerting.Violation) string {
	switch {
	case len(open) > 0:
		return cmp.Or(colours[open[0].Severity], colours["high"])
	case slices.ContainsFunc(done, func(v alerting.Violation) bool { return v.State == alerting.StatusRestored }):
		return "#2eb67d"
	default:
		return "#8a8f98"
	}
}

func title(v alerting.Violation) string { return cmp.Or(v.Title, v.Entry, "violation") }

func subject(v alerting.Violation) string { return cmp.Or(v.SubjectName, v.Subject) }

// headline names the lead; count is how many violations stand where it stands.
func headline(lead alerting.Violation, count int) string {
	s := emoji(lead) + " "
	switch lead.State {
	case alerting.StatusRestored:
		s += "Restored: "
	case alerting.StatusClosed:
		s += "Closed: "
	}
	s += words(title(lead), maxTitle)
	if count > 1 {
		s += fmt.Sprintf(" (+%d more)", count-1)
	}
	return s
}

func fallback(lead alerting.Violation, count int, n note) string {
	s := headline(lead, count) + ": " + words(subject(lead), maxValue)
	if lead.Actor != "" && lead.State.Open() {
		s += " by " + words(lead.Actor, maxTitle)
	}
	if n == mayRepeat {
		s = "(may repeat) " + s
	}
	return cut(s, maxFallback)
}

func leadFields(v alerting.Violation) []string {
	who := code(v.Actor, maxValue)
	if v.ActorIP != "" {
		who += " from " + code(v.ActorIP, 64)
	}
	what := code(subject(v), maxValue)
	if v.SubjectName != "" && v.Subject != "" && v.Subject != v.SubjectName {
		what += "\n" + code(v.Subject, maxValue)
	}
	fields := []string{
		"*What*\n" + what,
		"*Who*\n" + who,
		"*When*\n" + when(v.Opened),
		"*Action*\n" + code(v.Action, maxValue),
		"*Safeguard*\n" + words(cmp.Or(strings.Join(v.Safeguards, ", "), v.Safeguard, "–"), maxTitle),
		"*HIPAA*\n" + hipaa(v.HIPAA),
		"*Tenant*\n" + code(v.Tenant, maxTitle),
		"*Severity*\n" + words(cmp.Or(v.Severity, "–"), 40),
	}
	if v.Repeats > 0 {
		fields = append(fields, fmt.Sprintf("*Repeated*\n%d more times, last %s", v.Repeats, when(v.Changed)))
	}
	return fields
}

func hipaa(list []string) string {
	if len(list) == 0 {
		return "–"
	}
	return words("45 CFR "+strings.Join(list, ", "), maxTitle)
}

// when shows a time in UTC: the people who read it sit in several time zones
// and compare it with logs.
func when(t time.Time) string {
	if t.IsZero() {
		return "time not stated"
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

// standing says where the group stands, in one or a few lines.
func standing(g alerting.Group, lead alerting.Violation, open []alerting.Violation) string {
	switch {
	case len(open) > 0 && lead.State == alerting.StatusAcknowledged:
		return fmt.Sprintf("*Acknowledged* by %s, %s. Open since %s.", code(lead.AckedBy, maxTitle), when(lead.AckedAt), when(lead.Opened))
	case len(open) > 0:
		return fmt.Sprintf("*Open* since %s: %d open, %d no longer.", when(lead.Opened), len(open), len(g.Violations)-len(open))
	case lead.State == alerting.StatusRestored:
		s := "*Restored* " + when(lead.Restored)
		if lead.RestoredBy != "" {
			s += " by " + code(lead.RestoredBy, maxTitle)
		}
		if !lead.Opened.IsZero() && lead.Restored.After(lead.Opened) {
			s += ", open for " + span(lead.Restored.Sub(lead.Opened))
		}
		return s + "."
	case lead.State == alerting.StatusClosed:
		s := "*Closed* " + when(ended(lead))
		if lead.ClosedBy != "" {
			s += " by " + code(lead.ClosedBy, maxTitle)
		}
		if lead.AckedBy != "" && lead.AckedBy != lead.ClosedBy {
			s += ", acknowledged by " + code(lead.AckedBy, maxTitle)
		}
		return s + "."
	default:
		return "*Nothing open.*"
	}
}

// span shows a duration in the two largest units that matter to a person: 2 d
// 3 h, 15 min.
func span(d time.Duration) string {
	d = d.Round(time.Second)
	two := func(large time.Duration, l string, small time.Duration, s string) string {
		if n := d % large / small; n > 0 {
			return fmt.Sprintf("%d %s %d %s", d/large, l, n, s)
		}
		return fmt.Sprintf("%d %s", d/large, l)
	}
	switch {
	case d >= 24*time.Hour:
		return two(24*time.Hour, "d", time.Hour, "h")
	case d >= time.Hour:
		return two(time.Hour, "h", time.Minute, "min")
	case d >= time.Minute:
		return two(time.Minute, "min", time.Second, "s")
	default:
		return fmt.Sprintf("%d s", d/time.Second)
	}
}

func labels(m map[string]string) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, words(k, 40)+" "+code(m[k], 80))
	}
	return strings.Join(parts, " · ")
}
