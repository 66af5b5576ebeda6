package sigma

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func parseAll(t *testing.T, text string) []Document {
	t.Helper()
	docs, err := Parse("test.yml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return docs
}

func TestRuleKeepsItsHead(t *testing.T) {
	docs := parseAll(t, `
title: A title
id: 11111111-2222-4333-8444-555555555555
name: a_name
status: test
level: high
description: |
  Two
  lines
author: [Ann, Bob]
date: 2026-01-05
references: [https://example.org]
tags: [attack.t1234]
falsepositives: one
related:
  - {id: x, type: derived}
logsource: {product: azure, service: auditlogs, definition: on, extra: e}
detection: {s: {a: 1}, condition: s}
safeguard: {entry: e}
`)
	want := &Rule{
		Meta: Meta{
			Title: "A title", ID: "11111111-2222-4333-8444-555555555555", Name: "a_name", Status: "test", Level: "high",
			Description: "Two\nlines\n", Author: "Ann, Bob", Date: "2026-01-05", References: []string{"https://example.org"},
			Tags: []string{"attack.t1234"}, FalsePositives: []string{"one"}, Related: []Related{{"x", "derived"}},
			File: "test.yml", Line: 2,
		},
		LogSource: LogSource{Product: "azure", Service: "auditlogs", Definition: "on", Custom: map[string]string{"extra": "e"}},
	}
	got := docs[0].(*Rule)
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Rule{}, "Detection"), cmpopts.IgnoreFields(Meta{}, "Extra")); diff != "" {
		t.Error(diff)
	}
	n := got.Extra["safeguard"]
	if n == nil || n.Line != 19 || len(got.Extra) != 1 {
		t.Errorf("extra keys %v, want safeguard on line 19", got.Extra)
	}
}

func TestCorrelationIsReadWhole(t *testing.T) {
	docs := parseAll(t, `
title: Many addresses
correlation:
  type: value_count
  rules: [failed, blocked]
  group-by: [user, tenant]
  timespan: 2d
  aliases:
    user: {failed: userPrincipalName, blocked: account}
  condition: {field: [ip, agent], gt: 10, lte: 20}
  generate: true
level: high
---
title: Median
correlation: {type: value_percentile, rules: [x], group-by: [u], timespan: 90s, condition: {field: n, percentile: 99.5, gte: 0.5}}
`)
	want := []*Correlation{{
		Meta: Meta{Title: "Many addresses", Level: "high", File: "test.yml", Line: 2},
		Type: ValueCount, Rules: []string{"failed", "blocked"}, GroupBy: []string{"user", "tenant"}, Timespan: 48 * time.Hour,
		Aliases:   map[string]map[string]string{"user": {"failed": "userPrincipalName", "blocked": "account"}},
		Condition: Range{{"gt", 10}, {"lte", 20}}, Field: []string{"ip", "agent"}, Generate: true,
	}, {
		Meta: Meta{Title: "Median", File: "test.yml", Line: 14},
		Type: ValuePercentile, Rules: []string{"x"}, GroupBy: []string{"u"}, Timespan: 90 * time.Second,
		Condition: Range{{"gte", 0.5}}, Field: []string{"n"}, Percent: 99.5,
	}}
	for i, d := range docs {
		if diff := cmp.Diff(want[i], d.(*Correlation), cmpopts.IgnoreUnexported(Correlation{})); diff != "" {
			t.Error(diff)
		}
	}
}

func TestRangeHoldsWhenEveryBoundDoes(t *testing.T) {
	r := Range{{"gt", 100}, {"lte", 200}, {"neq", 150}}
	for x, want := range map[float64]bool{100: false, 101: true, 150: false, 200: true, 201: false} {
		if got := r.Holds(x); got != want {
			t.Errorf("%v: %v, want %v", x, got, want)
		}
	}
	if !(Range{{"eq", 3}, {"gte", 3}, {"lt", 4}}).Holds(3) {
		t.Error("3 is outside of eq 3, gte 3, lt 4")
	}
}

func TestFilterNarrowsTheRulesItNames(t *testing.T) {
	docs := parseAll(t, `
title: Rule
id: r1
name: rule_one
logsource: {product: azure, service: auditlogs}
detection: {s: {op: x}, condition: s}
---
title: Not the administrators
logsource: {product: azure}
filter:
  rules: [rule_one]
  selection: {user|startswith: adm_}
  condition: not selection
---
title: Other product
logsource: {product: aws}
filter: {rules: any, selection: {a: 1}, condition: not selection}
---
title: Other rule
logsource: {product: azure}
filter: {rules: [r2], selection: {a: 1}, condition: not selection}
---
title: Every rule
logsource: {service: auditlogs}
filter: {rules: any, selection: {a: 1}, condition: not selection}
`)
	rule := docs[0].(*Rule)
	var applied []string
	var filters []*Filter
	for _, d := range docs[1:] {
		if f := d.(*Filter); f.Applies(rule) {
			applied = append(applied, f.Title)
			filters = append(filters, f)
		}
	}
	if diff := cmp.Diff([]string{"Not the administrators", "Every rule"}, applied); diff != "" {
		t.Error(diff)
	}
	m, err := Compile(rule.Detection.Filtered(filters...), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for event, want := range map[string]bool{
		`{"op": "x", "user": "jo"}`:         true,
		`{"op": "x", "user": "adm_jo"}`:     false,
		`{"op": "x", "user": "jo", "a": 1}`: false,
		`{"op": "y", "user": "jo"}`:         false,
	} {
		checkMatch(t, event, m, newJSONEvent(t, m.Fields(), event), want)
	}
}

func TestActionsShareAndRepeatDocuments(t *testing.T) {
	docs := parseAll(t, `
action: global
title: Shared
level: low
logsource: {product: azure}
detection: {condition: s}
---
detection: {s: {a: 1}}
level: high
---
action: repeat
detection: {s: {a: 2}, t: {b: 1}, condition: s or t}
---
action: reset
---
title: Alone
logsource: {product: azure}
detection: {action: {action: x}, condition: action}
`)
	var got []string
	for _, d := range docs {
		r := d.(*Rule)
		var searches []string
		for _, s := range r.Detection.searches {
			it := s.groups[0].items[0]
			searches = append(searches, fmt.Sprintf("%s.%s=%s", s.name, it.field, it.values[0].text))
		}
		got = append(got, fmt.Sprintf("%s %s %s", r.Title, r.Level, strings.Join(searches, " ")))
	}
	want := []string{"Shared high s.a=1", "Shared high s.a=2 t.b=1", "Alone  action.action=x"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestDetectionHeldElsewhere(t *testing.T) {
	docs := parseAll(t, `
title: t
logsource: {product: azure}
detection: {s: {a: 1}, condition: s}
safeguard:
  restored:
    s: {state: enabled}
    unused: {a: 1}
    condition: s
  broken:
    s: {a|foo: 1}
`)
	n := docs[0].Head().Extra["safeguard"]
	d, err := ParseDetection("other.yml", n.Content[1])
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Warnings) != 1 || d.Warnings[0].Error() != `other.yml:8:5: search "unused" is not used by the condition: use it or drop it` {
		t.Errorf("warnings %v", d.Warnings)
	}
	m, err := Compile(d, Options{Rename: func(f string) string { return "properties." + f }})
	if err != nil {
		t.Fatal(err)
	}
	checkMatch(t, "restored", m, newJSONEvent(t, m.Fields(), `{"properties": {"state": "Enabled"}}`), true)
	if _, err = ParseDetection("other.yml", n.Content[3]); err == nil || !strings.Contains(err.Error(), "other.yml:11:9: a|foo") {
		t.Errorf("error %v, want one at other.yml:11:9", err)
	}
}

func TestReferencesBetweenDocumentsAreChecked(t *testing.T) {
	docs := parseAll(t, `
title: Rule
id: r1
name: rule_one
logsource: {product: azure}
detection: {s: {op: x}, condition: s}
---
title: Twin
id: r1
logsource: {product: azure}
detection: {s: {op: x}, condition: s}
---
title: Fine
name: fine
correlation: {type: event_count, rules: [rule_one, r1], group-by: [u], timespan: 1h, condition: {gte: 2}}
---
title: Chain
correlation: {type: temporal, rules: [fine, rule_on], group-by: [u], timespan: 1h}
---
title: Circle
name: a
correlation: {type: temporal, rules: [b, rule_one], group-by: [u], timespan: 1h}
---
title: Circle closed
name: b
correlation: {type: temporal, rules: [a, f], group-by: [u], timespan: 1h}
---
title: Filter
name: f
logsource: {product: aws}
filter: {rules: [r1, b, nowhere], s: {a: 1}, condition: not s}
`)
	var got []string
	for _, e := range CheckReferences(docs) {
		got = append(got, e.Error())
	}
	want := []string{
		`test.yml:8:1: id or name "r1" is that of test.yml:2 too: give each document its own`,
		`test.yml:18:38: the correlation names rule "rule_on", which no document has as its id or name; did you mean "rule_one"?`,
		`test.yml:22:38: the correlation refers to itself through "b": break the circle`,
		`test.yml:26:38: the correlation refers to itself through "a": break the circle`,
		`test.yml:26:38: the correlation names "f", which is a filter: name rules and correlations`,
		`test.yml:31:17: the filter has another logsource than rule "r1" and does not apply to it`,
		`test.yml:31:17: the filter names "b", which is not a rule: filters apply to rules`,
		`test.yml:31:17: the filter names rule "nowhere", which no document has as its id or name`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
