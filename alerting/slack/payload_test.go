package slack

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"phiwatch/alerting"
	"phiwatch/alerting/receivertest"
	"phiwatch/alerting/untrusted"
)

var update = flag.Bool("update", false, "write golden files")

func TestPayloads(t *testing.T) {
	for name, g := range receivertest.Samples() {
		t.Run(name, func(t *testing.T) {
			n := noNote
			if g.Repeat {
				n = mayRepeat
			}
			m := newMessage(g, n)
			receivertest.Golden(t, name+".json", indent(t, m), *update)
			checkPayload(t, m)
			checkPayload(t, plainMessage(m))
		})
	}
}

func indent(t *testing.T, m message) []byte {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // the golden files are for people
	e.SetIndent("", "  ")
	if err := e.Encode(m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestEveryOpenViolationIsListedOrCounted(t *testing.T) {
	for _, n := range []int{1, 2, 13, 14, 40, 3000} {
		var list []alerting.Violation
		for i := range n {
			v := receivertest.Mailbox()
			v.ID, v.Subject = fmt.Sprintf("id-%d", i), fmt.Sprintf("ward-%05d@lakeside.example.org", i)
			list = append(list, v)
		}
		b, err := json.Marshal(newMessage(receivertest.Group(1, list...), noNote))
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, s := range regexp.MustCompile(`ward-\d{5}`).FindAllString(string(b), -1) {
			seen[s] = true
		}
		more := 0
		if m := regexp.MustCompile(`… and (\d+) more`).FindStringSubmatch(string(b)); m != nil {
			_, _ = fmt.Sscan(m[1], &more)
		}
		if len(seen)+more != n {
			t.Errorf("%d violations: %d shown and %d counted", n, len(seen), more)
		}
	}
}

func TestSpanLeavesOutWhatSaysNothing(t *testing.T) {
	for d, want := range map[time.Duration]string{
		15 * time.Minute: "15 min", 90 * time.Second: "1 min 30 s", 2 * time.Hour: "2 h", 95 * time.Minute: "1 h 35 min",
		48 * time.Hour: "2 d", 51 * time.Hour: "2 d 3 h", 5 * time.Second: "5 s", 0: "0 s",
	} {
		if got := span(d); got != want {
			t.Errorf("%v is shown as %s, want %s", d, got, want)
		}
	}
}

func TestSameGroupSameBytes(t *testing.T) {
	for name, g := range receivertest.Samples() {
		if a, b := newMessage(g, noNote).digest(), newMessage(g, noNote).digest(); a != b {
			t.Errorf("%s: %s and %s", name, a, b)
		}
	}
}

// FuzzPayload holds for any text in any field: valid JSON inside Slack's
// limits, and no markup but the message's own.
func FuzzPayload(f *testing.F) {
	h := receivertest.Hostile()
	for _, s := range []string{
		h.Title, h.SubjectName, h.Subject, h.Actor, h.Action, h.AckedBy, h.RestoredBy, "", "`", "``", "\\`", "&amp;lt;!here&gt;",
		strings.Repeat("𐍈", 4000), strings.Repeat("`", 300), strings.Repeat("<", 3000), "\xff\xfe", "@@here", "a:b:c:", "mailto:x@example.org",
		strings.Repeat("a ", 3000), "\u2066\u200b\u00ad\ufeff", "# head", "> quote", "<https://evil.example|x>",
	} {
		f.Add(s, s, 1, true)
		f.Add("plain", s, 30, false)
	}
	f.Fuzz(func(t *testing.T, a, b string, n int, open bool) {
		v := hostile(a, b)
		if !open {
			v = receivertest.Restored(v)
			v.RestoredBy = a
		}
		g := alerting.Group{Key: "g", Labels: map[string]string{a: b}, Violations: []alerting.Violation{v}}
		for i := range min(max(n, 0), 60) {
			w := v
			w.ID += fmt.Sprint(i)
			w.State = []alerting.Status{alerting.StatusOpen, alerting.StatusAcknowledged, alerting.StatusRestored, alerting.StatusClosed}[i%4]
			g.Violations = append(g.Violations, w)
		}
		m := newMessage(g, mayRepeat)
		checkPayload(t, m)
		checkPayload(t, plainMessage(m))
	})
}

func hostile(a, b string) alerting.Violation {
	return alerting.Violation{
		ID: a, Entry: b, Safeguard: a, Safeguards: []string{b, a}, HIPAA: []string{a, b}, Title: a, Tenant: b,
		Subject: a, SubjectName: b, Severity: a, State: alerting.StatusOpen, Opened: time.Unix(1, 0),
		Actor: b, ActorIP: a, Action: b, AckedBy: a, ClosedBy: b, ClosedAt: time.Unix(2, 0), Runbook: []string{a, b, a, b, a, b, a, b, a, b}, Repeats: 2,
	}
}

var (
	entities = strings.NewReplacer("&amp;", "", "&lt;", "", "&gt;", "")
	spans    = regexp.MustCompile("`[^`\n]+`")
	own      = regexp.MustCompile(`\*(What|Who|When|Action|Safeguard|HIPAA|Tenant|Severity|Repeated|Open|Acknowledged|Restored|Closed|Nothing open\.|(Also|No longer) open \(\d+\))\*`)
)

// checkPayload is the contract of every message.
func checkPayload(t *testing.T, m message) {
	t.Helper()
	raw, err := json.Marshal(m)
	if err != nil || !json.Valid(raw) || !utf8.Valid(raw) {
		t.Fatalf("not valid JSON: %v", err)
	}
	blocks := append(append([]slack.Block(nil), m.Blocks...), m.Attachment.Blocks.BlockSet...)
	total := 0
	for _, b := range blocks {
		switch b := b.(type) {
		case *slack.HeaderBlock:
			total += checkText(t, b.Text, maxHeader)
		case *slack.SectionBlock:
			if len(b.Fields) > 10 || len(b.Fields) == 0 && b.Text == nil {
				t.Errorf("section with %d fields and text %v", len(b.Fields), b.Text)
			}
			if b.Text != nil {
				total += checkText(t, b.Text, maxSection)
			}
			for _, f := range b.Fields {
				total += checkText(t, f, maxField)
			}
		case *slack.ContextBlock:
			for _, e := range b.ContextElements.Elements {
				total += checkText(t, e.(*slack.TextBlockObject), maxSection)
			}
		default:
			t.Errorf("block of type %T", b)
		}
	}
	if len(blocks) == 0 || len(blocks) > 50 || total > maxTotal {
		t.Errorf("%d blocks of %d characters", len(blocks), total)
	}
	checkText(t, plain(m.Text), maxFallback)
	checkBare(t, m.Text)
}

// checkText holds one text object to its limit and free of markup, and returns
// its length.
func checkText(t *testing.T, o *slack.TextBlockObject, limit int) int {
	t.Helper()
	s := o.Text
	if n := units(s); n == 0 || n > limit {
		t.Errorf("text of %d characters, limit %d: %.80q", n, limit, s)
	}
	if strings.ContainsAny(entities.Replace(s), "<>&") {
		t.Errorf("unescaped: %q", s)
	}
	for _, r := range s {
		if r != '\n' && !untrusted.Visible(r) && r != utf8.RuneError && r != '\ufe0f' {
			t.Errorf("character %U survives in %q", r, s)
		}
	}
	if o.Type != slack.MarkdownType {
		if o.Emoji == nil || *o.Emoji {
			t.Errorf("emoji codes are on in %q", s)
		}
		return units(s)
	}
	if !o.Verbatim {
		t.Errorf("links are made of %q", s)
	}
	checkBare(t, own.ReplaceAllString(spans.ReplaceAllString(s, ""), ""))
	return units(s)
}

var emojiCode = regexp.MustCompile(`:[a-z0-9_+'-]+:`)

// checkBare holds text outside of code free of anything that could be markup.
func checkBare(t *testing.T, s string) {
	t.Helper()
	if strings.ContainsAny(s, "*_~`@#") || strings.Contains(s, "://") {
		t.Errorf("markup survives: %q", s)
	}
	if c := emojiCode.FindString(s); c != "" && !regexp.MustCompile(`^:\d\d:$`).MatchString(c) {
		t.Errorf("emoji survives: %q", s)
	}
}
