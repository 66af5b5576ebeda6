package pagerduty

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"phiwatch/alerting"
	"phiwatch/alerting/receivertest"
	"phiwatch/alerting/untrusted"
)

var update = flag.Bool("update", false, "write golden files")

func TestPayloads(t *testing.T) {
	for name, g := range receivertest.Samples() {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			e := json.NewEncoder(&b)
			e.SetEscapeHTML(false)
			e.SetIndent("", "  ")
			if err := e.Encode(newEvent(g, wanted(g), "https://phiwatch.example.org/")); err != nil {
				t.Fatal(err)
			}
			receivertest.Golden(t, name+".json", b.Bytes(), *update)
		})
	}
}

func TestSeverityIsTheWorstOfTheOpen(t *testing.T) {
	for _, c := range []struct {
		severities, want string
	}{
		{"info", "info"}, {"low", "warning"}, {"medium", "warning"}, {"high", "error"}, {"critical", "critical"},
		{"low,critical,info", "critical"}, {"unheard-of", "error"}, {"!critical,low", "warning"},
	} {
		var g alerting.Group
		for s := range strings.SplitSeq(c.severities, ",") {
			v := receivertest.Policy()
			if name, ok := strings.CutPrefix(s, "!"); ok {
				v, s = receivertest.Restored(v), name
			}
			v.Severity = s
			g.Violations = append(g.Violations, v)
		}
		if got := worst(g); got != c.want {
			t.Errorf("%s: %s, want %s", c.severities, got, c.want)
		}
	}
}

// The worst case: every field at its longest, of the characters that take the
// most bytes.
func TestLargestEventFits(t *testing.T) {
	for _, s := range []string{strings.Repeat("<", 5000), strings.Repeat("𐍈", 5000), strings.Repeat("\x00", 5000)} {
		v := huge(s)
		g := alerting.Group{Key: strings.Repeat("k", maxKey), Labels: map[string]string{s: s}, Repeat: true}
		for range 500 {
			g.Violations = append(g.Violations, v)
		}
		b, err := newEvent(g, trigger, "https://phiwatch.example.org/").encode()
		if err != nil || len(b) > maxEvent {
			t.Errorf("%d bytes, error %v", len(b), err)
		}
	}
}

func TestEventTooLargeLosesViolationsAndCountsThem(t *testing.T) {
	ev := newEvent(receivertest.Samples()["many"], trigger, "")
	ev.Payload.Details.Violations[0].Subject = strings.Repeat("x", maxEvent)
	b, err := ev.encode()
	if err != nil {
		t.Fatal(err)
	}
	var got event
	if err := json.Unmarshal(b, &got); err != nil || len(b) > maxEvent {
		t.Fatalf("%d bytes: %v", len(b), err)
	}
	if d := got.Payload.Details; len(d.Violations)+d.More != 48 {
		t.Errorf("%d shown and %d counted of 48", len(d.Violations), d.More)
	}
}

// FuzzEvent holds for any text: valid JSON inside PagerDuty's limits, and no
// character that forges a line or turns the text.
func FuzzEvent(f *testing.F) {
	h := receivertest.Hostile()
	for _, s := range []string{h.Title, h.SubjectName, h.Subject, h.Actor, h.Action, "", "\xff", strings.Repeat("é", 3000)} {
		f.Add(s, h.Actor, 3)
	}
	f.Fuzz(func(t *testing.T, a, b string, n int) {
		g := alerting.Group{Key: "g", Labels: map[string]string{a: b}}
		for range min(max(n, 1), 40) {
			v := huge(a)
			v.Title, v.Actor = b, b
			g.Violations = append(g.Violations, v)
		}
		ev := newEvent(g, trigger, "")
		raw, err := ev.encode()
		if err != nil || !json.Valid(raw) || len(raw) > maxEvent {
			t.Fatalf("%d bytes: %v", len(raw), err)
		}
		p := ev.Payload
		if n := utf8.RuneCountInString(p.Summary); n == 0 || n > maxSummary {
			t.Errorf("summary of %d characters", n)
		}
		for _, s := range []string{p.Summary, p.Source, p.Component, p.Group, p.Class, p.Details.Violations[0].Subject} {
			for _, r := range s {
				if !untrusted.Visible(r) && r != utf8.RuneError {
					t.Errorf("character %U survives in %q", r, s)
				}
			}
		}
		if p.Source == "" {
			t.Error("no source")
		}
	})
}

func huge(s string) alerting.Violation {
	list := make([]string, 100)
	for i := range list {
		list[i] = s + fmt.Sprint(i)
	}
	return alerting.Violation{
		ID: s, Entry: s, Safeguard: s, Safeguards: list, HIPAA: list, Title: s, Tenant: s, Subject: s, SubjectName: s,
		Severity: s, State: alerting.StatusOpen, Actor: s, ActorIP: s, Action: s, AckedBy: s, ClosedBy: s, Runbook: list, Evidence: list,
	}
}
