package slack

import (
	"fmt"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"phiwatch/alerting"
	"phiwatch/alerting/untrusted"
)

// builder appends blocks while its budget of characters lasts. Its callers pass
// text that is already escaped.
type builder struct {
	blocks []slack.Block
	left   int
}

// take reports whether n more characters fit, and charges them.
func (b *builder) take(n int) bool {
	if n == 0 || n > b.left {
		return false
	}
	b.left -= n
	return true
}

func (b *builder) header(text string) {
	text = cut(text, maxHeader)
	if b.take(units(text)) {
		b.blocks = append(b.blocks, slack.NewHeaderBlock(plain(text)))
	}
}

func (b *builder) section(text string) {
	text = cut(text, maxSection)
	if b.take(units(text)) {
		b.blocks = append(b.blocks, slack.NewSectionBlock(mrkdwn(text), nil, nil))
	}
}

// fields shows up to ten short texts in two columns.
func (b *builder) fields(texts []string) {
	var objects []*slack.TextBlockObject
	for _, t := range texts[:min(len(texts), 10)] {
		if t = cut(t, maxField); b.take(units(t)) {
			objects = append(objects, mrkdwn(t))
		}
	}
	if len(objects) > 0 {
		b.blocks = append(b.blocks, slack.NewSectionBlock(nil, objects, nil))
	}
}

// list shows up to limit violations a line each, and counts the others.
func (b *builder) list(heading string, violations []alerting.Violation, limit int) {
	if len(violations) == 0 {
		return
	}
	lines := []string{fmt.Sprintf("*%s (%d)*", heading, len(violations))}
	room := min(maxSection, b.left*2/3) - units(lines[0]) - 40 // for "and N more"
	for i, v := range violations {
		line := entry(v)
		if room -= units(line) + 1; i == limit || room < 0 {
			lines = append(lines, fmt.Sprintf("… and %d more", len(violations)-i))
			break
		}
		lines = append(lines, line)
	}
	b.section(strings.Join(lines, "\n"))
}

// entry is a violation on one line.
func entry(v alerting.Violation) string {
	s := fmt.Sprintf("%s %s: %s", emoji(v), words(title(v), maxTitle), code(subject(v), maxTitle))
	if !v.State.Open() {
		return s + ", " + strings.ToLower(words(string(v.State), 20)) + " " + when(ended(v))
	}
	if v.Actor != "" {
		s += " by " + code(v.Actor, 80)
	}
	return s + ", " + when(v.Opened)
}

// ended is when v stopped being open.
func ended(v alerting.Violation) time.Time {
	switch {
	case v.State == alerting.StatusClosed && !v.ClosedAt.IsZero():
		return v.ClosedAt
	case !v.Restored.IsZero():
		return v.Restored
	}
	return v.Changed
}

// steps shows the runbook as plain text: it holds commands, to be read and
// copied as they are.
func (b *builder) steps(runbook []string) {
	if len(runbook) == 0 {
		return
	}
	lines := []string{"What to do now"}
	for i, step := range runbook {
		if i == maxSteps {
			lines = append(lines, fmt.Sprintf("… and %d more steps in the runbook", len(runbook)-i))
			break
		}
		lines = append(lines, fmt.Sprintf("%d. %s", i+1, escape(untrusted.Line(step, maxStep), maxStep)))
	}
	text := cut(strings.Join(lines, "\n"), min(maxSection, max(b.left-600, 0)))
	if b.take(units(text)) {
		b.blocks = append(b.blocks, slack.NewSectionBlock(plain(text), nil, nil))
	}
}

// footer names the ids by which people find the violation elsewhere.
func (b *builder) footer(g alerting.Group, lead alerting.Violation) {
	text := fmt.Sprintf("phiwatch · rule %s · violation %s", code(lead.Entry, 80), code(lead.ID, 80))
	if l := labels(g.Labels); l != "" {
		text += "\n" + cut(l, 400)
	}
	if b.take(units(text)) {
		b.blocks = append(b.blocks, slack.NewContextBlock("", mrkdwn(text)))
	}
}

// mrkdwn is formatted text. Verbatim keeps Slack from making links of what
// looks like a URL, a channel or a user.
func mrkdwn(text string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.MarkdownType, text, false, true)
}

// plain is text without formatting. Emoji codes are not turned into pictures.
func plain(text string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.PlainTextType, text, false, false)
}

// cut is the last line of defence for text already escaped: the parts have
// bounds of their own that keep it idle. It cuts at a line, else at a space,
// so that neither an entity nor a code span is split.
func cut(text string, max int) string {
	if units(text) <= max {
		return text
	}
	n, last := 0, 0
	for i, r := range text {
		if n += units(string(r)); n >= max {
			break
		}
		if r == '\n' || r == ' ' && strings.Count(text[:i], "`")%2 == 0 {
			last = i
		}
	}
	return text[:last] + untrusted.Ellipsis
}
