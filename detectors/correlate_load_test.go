package detectors

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

func TestCorrelationMistakes(t *testing.T) {
	const base = "title: a\nname: a\nlogsource: {product: azure, service: auditlogs}\ndetection: {s: {operationName: x}, condition: s}\n" +
		"safeguard: {entry: aa, subject: resourceId}\n---\ntitle: c\nname: c\n"
	for name, c := range map[string]struct{ text, want string }{
		"unknown rule":     {"correlation: {type: event_count, rules: [b], group-by: [resourceId], timespan: 1m, condition: {gte: 2}}", `names rule "b"`},
		"unknown field":    {"correlation: {type: event_count, rules: [a], group-by: [resorceId], timespan: 1m, condition: {gte: 2}}", `did you mean "resourceId"?`},
		"unknown event":    {"correlation: {type: event_count, rules: [a], group-by: [event.user], timespan: 1m, condition: {gte: 2}}", "use one of event.actor"},
		"bad path":         {"correlation: {type: event_count, rules: [a], group-by: ['resourceId[x'], timespan: 1m, condition: {gte: 2}}", "resourceId[x"},
		"never restored":   {"correlation: {type: event_count, rules: ['aa:restored'], group-by: [resourceId], timespan: 1m, condition: {gte: 2}}", "no rule has something that restores it"},
		"half an alias":    {"correlation: {type: temporal, rules: [a, aa], group-by: [x], aliases: {x: {a: resourceId}}, timespan: 1m}", `alias "x" does not say`},
		"circle":           {"correlation: {type: event_count, rules: [c], group-by: [resourceId], timespan: 1m, condition: {gte: 2}}", "refers to itself"},
		"too many":         {"correlation: {type: event_count, rules: [a], group-by: [resourceId], timespan: 1m, condition: {gte: 1000000}}", "compare with less"},
		"restored":         {"correlation: {type: event_count, rules: [a], group-by: [resourceId], timespan: 1m, condition: {gte: 2}}\nsafeguard: {entry: e, restored: {}}", "restored"},
		"lateness":         {"correlation: {type: event_count, rules: [a], group-by: [resourceId], timespan: 1m, condition: {gte: 2}}\nsafeguard: {entry: e, lateness: soon}", "safeguard.lateness"},
		"same entry twice": {"correlation: {type: event_count, rules: [a], group-by: [resourceId], timespan: 1m, condition: {gte: 2}}\nsafeguard: {entry: aa}", `"aa"`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(nil, Source{FS: fstest.MapFS{"stateful/set.yml": {Data: []byte(base + c.text + "\n")}}})
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "stateful/set.yml:") {
				t.Errorf("error %v, want %q with its place", err, c.want)
			}
		})
	}
}

// Who reports: a rule with a safeguard key always, a plain one that only
// correlations name when generate asks for it.
func TestGenerate(t *testing.T) {
	const text = `
title: read
name: read
logsource: {product: m365, service: audit}
detection: {s: {Operation: Read}, condition: s}
---
title: pairs
name: pairs
correlation: {type: event_count, rules: [read], group-by: [UserId], timespan: 5m, condition: {gte: 2}}
---
title: pairs of pairs
correlation: {type: event_count, rules: [pairs], group-by: [UserId], timespan: 5m, condition: {gte: 2}%s}
`
	for generate, want := range map[string]string{
		"":                 "set",
		", generate: true": "set set:pairs",
	} {
		text := strings.Replace(fmt.Sprintf(text, generate), "2}, generate", "2}, generate", 1)
		set := setOf(t, text)
		if got := strings.Join(set.Entries(), " "); got != want {
			t.Errorf("generate %q: entries %q, want %q", generate, got, want)
		}
		e, db := newEngine(t, set), openDB(t)
		var got []string
		for i := range 3 {
			for _, f := range applyBatch(t, e, db, true, auditRecord(i, noon.Add(time.Duration(i)*time.Second), "Read", "ann@example.org", "a", 1)) {
				got = append(got, fmt.Sprint(i, " ", f.Rule.Entry))
			}
		}
		wantFound := "2 set"
		if generate != "" {
			wantFound = "1 set:pairs 2 set:pairs 2 set"
		}
		if strings.Join(got, " ") != wantFound {
			t.Errorf("generate %q: found %v, want %s", generate, got, wantFound)
		}
	}
}

// The example of the specification loads unchanged.
func TestSpecificationsExampleLoads(t *testing.T) {
	set := setOf(t, `
title: Correlation - Multiple Failed Logins Followed by Successful Login
id: b180ead8-d58f-40b2-ae54-c8940995b9b6
status: experimental
correlation:
    type: temporal_ordered
    rules:
        - multiple_failed_login
        - successful_login
    group-by:
        - User
    timespan: 10m
level: high
---
title: Multiple failed logons
id: a8418a5a-5fc4-46b5-b23b-6c73beb19d41
name: multiple_failed_login
correlation:
    type: event_count
    rules:
        - failed_login
    group-by:
        - User
    timespan: 10m
    condition:
        gte: 10
---
title: Single failed login
id: 53ba33fd-3a50-4468-a5ef-c583635cfa92
name: failed_login
logsource: {product: windows, service: security}
detection: {selection: {EventID: [529, 4625]}, condition: selection}
---
title: Successful login
id: 4d0a2c83-c62c-4ed4-b475-c7e23a9269b8
name: successful_login
logsource: {product: windows, service: security}
detection: {selection: {EventID: [528, 4624]}, condition: selection}
`)
	if got := set.Entries(); !slices.Equal(got, []string{"set"}) {
		t.Errorf("entries %v, want only the outermost", got)
	}
	if len(set.Warnings) == 0 {
		t.Error("no warning of a log source that is not read")
	}
}

// An alias may be for the subject alone; one for nothing is warned of.
func TestAliasesOfTheSubject(t *testing.T) {
	const text = `
title: read
name: read
logsource: {product: m365, service: audit}
detection: {s: {Operation: Read}, condition: s}
---
title: pairs
correlation:
  type: event_count
  rules: [read]
  group-by: [UserId]
  aliases: {thing: {read: ObjectId}, unused: {read: ItemType}}
  timespan: 5m
  condition: {gte: 1}
safeguard: {entry: pairs, subject: [UserId, thing]}
`
	set := setOf(t, text)
	if len(set.Warnings) != 1 || !strings.Contains(set.Warnings[0].Error(), `alias "unused"`) {
		t.Errorf("warnings %v", set.Warnings)
	}
	got := applyBatch(t, newEngine(t, set), openDB(t), false, auditRecord(1, noon, "Read", "ann@example.org", "a", 1))
	if len(got) != 1 || got[0].Subject != "ann@example.org + a" {
		t.Errorf("found %v", tell(got))
	}
}
