package detectors

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"phiwatch/ingest"
)

// correlationSet is one correlation of each kind over three plain rules and an
// entry of a catalog.
const correlationSet = `
title: read
name: read
logsource: {product: m365, service: audit}
detection: {s: {Operation: Read}, condition: s}
---
title: write
name: write
logsource: {product: m365, service: audit}
detection: {s: {Operation: Write}, condition: s}
---
title: send
name: send
logsource: {product: m365, service: audit}
detection: {s: {Operation: Send}, condition: s}
---
title: weakened
id: 3b1c9d00-0000-4000-8000-000000000001
logsource: {product: m365, service: audit}
detection: {s: {Operation: Off}, condition: s}
level: low
safeguard:
  entry: switch
  subject: ObjectId
  outcome: any
  restored: {s: {Operation: On}, condition: s}
---
title: count
correlation: {type: event_count, rules: [read, write], group-by: [UserId], timespan: 5m, condition: {gte: 4}}
safeguard: {entry: count, name: ObjectId}
---
title: distinct
correlation: {type: value_count, rules: [read], group-by: [event.actor, event.tenant], timespan: 10m, condition: {field: ObjectId, gte: 3}}
safeguard: {entry: distinct}
level: high
---
title: sum
correlation: {type: value_sum, rules: [read, send], group-by: [UserId], timespan: 10m, condition: {field: Size, gt: 12}}
safeguard: {entry: sum, incident: false}
---
title: average
correlation: {type: value_avg, rules: [read], group-by: [UserId], timespan: 10m, condition: {field: Size, gt: 5}}
safeguard: {entry: average, lateness: 3h}
---
title: few
correlation: {type: event_count, rules: [read], group-by: [UserId], timespan: 10m, condition: {gte: 2, lte: 3}}
safeguard: {entry: few, lateness: 3h}
---
title: near
correlation: {type: temporal, rules: [read, write, send], group-by: [ObjectId], timespan: 5m}
safeguard: {entry: near}
---
title: in order
correlation:
  type: temporal_ordered
  rules: [switch, send, "switch:restored"]
  group-by: [thing]
  aliases: {thing: {switch: event.subject, send: ObjectId, "switch:restored": event.subject}}
  timespan: 15m
safeguard: {entry: in-order, subject: [thing, UserId]}
level: critical
---
title: many
name: many
correlation: {type: event_count, rules: [read], group-by: [UserId, ObjectId], timespan: 10m, condition: {gt: 1}}
---
title: many then send
correlation: {type: temporal_ordered, rules: [many, send], group-by: [UserId], timespan: 10m}
safeguard: {entry: many-then-send}
---
title: few then send
correlation: {type: temporal_ordered, rules: [few, send], group-by: [UserId], timespan: 10m}
safeguard: {entry: few-then-send}
---
title: any finding of a thing, twice
correlation: {type: event_count, rules: ["*", "*:restored"], group-by: [event.entry, event.subject], timespan: 10m, condition: {gte: 3}}
safeguard: {entry: flapping}
`

func auditRecord(id int, at time.Time, op, user, object string, size int) string {
	b, _ := json.Marshal(map[string]any{
		"Id": fmt.Sprintf("id-%d", id), "CreationTime": at.UTC().Format("2006-01-02T15:04:05"), "Operation": op, "RecordType": 6, "Workload": "SharePoint",
		"OrganizationId": "t1", "UserId": user, "ObjectId": object, "Size": size, "ResultStatus": "Succeeded", "ClientIP": "203.0.113.9",
	})
	return string(b)
}

var noon = time.Date(2026, 10, 5, 12, 0, 0, 0, time.UTC)

func setOf(t testing.TB, text string) *Set {
	t.Helper()
	set, err := Load(nil, Source{FS: fstest.MapFS{"stateful/set.yml": {Data: []byte(text)}}})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func newEngine(t testing.TB, set *Set) *Engine {
	t.Helper()
	e, err := New(set, NewMetrics(prometheus.NewRegistry()))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// applyBatch decides payloads in one transaction.
func applyBatch(t testing.TB, e *Engine, db *sql.DB, commit bool, payloads ...string) []Finding {
	t.Helper()
	tx, err := db.BeginTx(context.WithoutCancel(t.Context()), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	var matches []Match
	for _, p := range payloads {
		decodeAll(t, []byte(p), func(ev *ingest.Event) { matches = e.Match(ev, matches) })
	}
	findings, err := e.Apply(t.Context(), tx, matches)
	if err != nil {
		t.Fatal(err)
	}
	if commit {
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	return findings
}

// tell writes findings so that equal ones are equal, each once.
func tell(findings []Finding) []string {
	var out []string
	for i := range findings {
		f := &findings[i]
		out = append(out, fmt.Sprintf("%s %s %s %s %s %q by %s, %s %s", f.Time.Format("15:04:05"), f.Rule.Entry, f.State, f.Severity, f.Subject, f.Name,
			f.Evidence.Actor, f.Evidence.Action, f.Evidence.EventID))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func TestEvidenceListsTheEvents(t *testing.T) {
	e, db := newEngine(t, setOf(t, correlationSet)), openDB(t)
	var got []Finding
	for i := range 4 {
		got = append(got, applyBatch(t, e, db, true, auditRecord(i, noon.Add(time.Duration(i)*time.Minute), "Write", "ann@example.org", "a", 1))...)
	}
	if len(got) != 1 {
		t.Fatalf("found %v", tell(got))
	}
	var p proof
	if err := json.Unmarshal(got[0].Evidence.Record, &p); err != nil {
		t.Fatal(err)
	}
	if p.Count != 4 || len(p.Events) != 4 || p.Events[0].EventID != "m365-audit/id-0" || !strings.Contains(p.Events[0].Rule, "write") || len(p.Record) == 0 {
		t.Errorf("evidence %s", got[0].Evidence.Record)
	}
	if want := "correlation/count/"; !strings.HasPrefix(got[0].Evidence.EventID, want) || !strings.HasSuffix(got[0].Evidence.EventID, "m365-audit/id-3") {
		t.Errorf("id %q", got[0].Evidence.EventID)
	}
}

// An Activity request feeds with the time of its result, in any order.
func TestJoinedRequestsFeed(t *testing.T) {
	const set = tlsRule + `
---
title: two accounts weakened
correlation: {type: event_count, rules: [tls], group-by: [event.tenant], timespan: 10m, condition: {gte: 2}}
safeguard: {entry: twice}
`
	events := []string{
		activity("2026-09-14T08:00:00Z", "c1", "Start", "TLS1_0"), activity("2026-09-14T08:01:00Z", "c1", "Success", ""),
		activity("2026-09-14T08:02:00Z", "c2", "Start", "TLS1_0"), activity("2026-09-14T08:03:00Z", "c2", "Success", ""),
		activity("2026-09-14T08:04:00Z", "c3", "Start", "TLS1_0"), activity("2026-09-14T08:05:00Z", "c3", "Failure", ""),
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for range 20 {
		rng.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
		e, db := newEngine(t, setOf(t, set)), openDB(t)
		var got []string
		for _, p := range events {
			for _, f := range applyBatch(t, e, db, true, p) {
				if f.Rule.Entry == "twice" {
					got = append(got, f.Time.Format("15:04 ")+f.Subject)
				}
			}
		}
		if diff := cmp.Diff([]string{"08:03 t"}, got); diff != "" {
			t.Fatalf("(-want +got):\n%s\n%s", diff, strings.Join(events, "\n"))
		}
	}
}

// Several values make several groups and several things to count; alternatives
// stand in for each other; long groups are told apart.
func TestGroupsOfSeveralValues(t *testing.T) {
	set := setOf(t, `
title: read
name: read
logsource: {product: m365, service: audit}
detection: {s: {Operation: Read}, condition: s}
---
title: pairs
correlation:
  type: value_count
  rules: [read]
  group-by: [Team | UserId, Members.Name]
  timespan: 5m
  condition: {field: [Files, event.ip], gte: 3}
safeguard: {entry: pairs}
`)
	long := strings.Repeat("x", 2000)
	record := func(id int, rest string) string {
		return fmt.Sprintf(`{"Id":"%d","Operation":"Read","RecordType":6,"Workload":"SharePoint","CreationTime":"2026-10-05T12:00:%02d","OrganizationId":"t1","ClientIP":"203.0.113.9","UserId":"ann",%s}`, id, id, rest)
	}
	for name, c := range map[string]struct {
		events []string
		want   []string
	}{
		"three files at once, of two members": {
			[]string{record(1, `"Members":[{"Name":"A"},{"Name":"B"}],"Files":["1","2","3"]`)},
			[]string{"ann + A", "ann + B"},
		},
		"two of the same": {[]string{record(1, `"Members":[{"Name":"A"}],"Files":["f","F","g"]`)}, nil},
		"case folds": {
			[]string{record(1, `"Team":"Ward","Members":[{"Name":"a"}],"Files":["1","2"]`), record(2, `"Team":"WARD","Members":[{"Name":"A"}],"Files":["3"]`)},
			[]string{"WARD + A"},
		},
		"without a member": {[]string{record(1, `"Files":["1","2","3"]`)}, nil},
		"long names": {
			[]string{
				record(1, `"Members":[{"Name":"`+long+`1"}],"Files":["1","2"]`), record(2, `"Members":[{"Name":"`+long+`2"}],"Files":["3"]`),
				record(3, `"Members":[{"Name":"`+strings.ToUpper(long)+`1"}],"Files":["4"]`),
			},
			[]string{"ann + " + strings.ToUpper(long) + "1"},
		},
		"a letter whose lower case is longer": { // Ⱥ has two bytes, ⱥ three
			[]string{record(1, `"Team":"Ⱥ","Members":[{"Name":"a"}],"Files":["1","2"]`), record(2, `"Team":"ⱥ","Members":[{"Name":"a"}],"Files":["3"]`)},
			[]string{"ⱥ + a"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, f := range applyBatch(t, newEngine(t, set), openDB(t), false, c.events...) {
				got = append(got, f.Subject)
			}
			slices.Sort(got)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("subjects (-want +got):\n%s", diff)
			}
		})
	}
}
