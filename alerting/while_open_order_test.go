package alerting_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"phiwatch/alerting"
	"phiwatch/detectors"
)

// whileOff is a switch, and what is found while it is off: a violation for each
// reader and one for all, a report of what was written, and who sent from where
// they had not read.
const whileOff = `
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
title: switched off
id: 3b1c9d00-0000-4000-8000-000000000041
logsource: {product: m365, service: audit}
detection: {s: {Operation: 'Off'}, condition: s}
safeguard: {entry: switch, subject: ObjectId, restored: {s: {Operation: 'On'}, condition: s}}
---
title: read while off, by reader
correlation:
  type: temporal_ordered
  rules: [switch, "switch:restored", read]
  group-by: [thing]
  aliases: {thing: {switch: event.subject, "switch:restored": event.subject, read: ObjectId}}
  timespan: 40m
safeguard: {entry: reader, while_open: true, incident: false, subject: event.actor}
---
title: read while off
correlation:
  type: temporal_ordered
  rules: [switch, "switch:restored", read]
  group-by: [thing]
  aliases: {thing: {switch: event.subject, "switch:restored": event.subject, read: ObjectId}}
  timespan: 40m
safeguard: {entry: all-read, while_open: true}
---
title: written while off
correlation:
  type: temporal_ordered
  rules: [switch, "switch:restored", write]
  group-by: [thing]
  aliases: {thing: {switch: event.subject, "switch:restored": event.subject, write: ObjectId}}
  timespan: 40m
safeguard: {entry: written, while_open: true, report: true}
---
title: written by who had not read
correlation:
  type: temporal_ordered
  rules: [switch, "switch:restored", read, write]
  group-by: [thing]
  aliases: {thing: {switch: event.subject, "switch:restored": event.subject, read: ObjectId, write: ObjectId}}
  timespan: 40m
safeguard: {entry: new-writer, while_open: true, known: read, unseen: UserId}
`

// In any order, batches and repeats, what passed while the thing was open is found
// and over as in the order of time; what was found too early is at least over.
func TestWhatPassesWhileOpenIsTheSameInAnyOrder(t *testing.T) {
	p := &player{t: t, db: catalogDB(t), engine: loadOne(t, "stateful/while.yml", []byte(whileOff), nil)}
	r := rand.New(rand.NewPCG(5, 8))
	for range 15 {
		var s detectors.Scenario
		for i, minute := range r.Perm(60)[:4+r.IntN(5)] {
			user := fmt.Sprint("u", minute)
			if r.IntN(2) == 0 {
				user = fmt.Sprint("w", r.IntN(2)) // who may read and write
			}
			s.Events = append(s.Events, audit(i, minute, []string{"Off", "Off", "On", "Read", "Write"}[r.IntN(5)], user))
		}
		records := p.match(&s)
		inTime(records) // sorts them
		want := p.passed(r, records, false)
		for range 3 {
			r.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
			p.same(want, p.passed(r, records, true), records)
		}
	}
}

// What one late record takes back another may bring again: all orders of a few.
func TestWhatIsTakenBackIsFoundAgain(t *testing.T) {
	p := &player{t: t, db: catalogDB(t), engine: loadOne(t, "stateful/while.yml", []byte(whileOff), nil)}
	for _, c := range [][]detectors.Payload{
		{audit(0, 2, "Off", "ben"), audit(1, 4, "On", "ben"), audit(2, 6, "Off", "ben"), audit(3, 7, "Read", "ann")},
		{audit(0, 2, "Off", "ben"), audit(1, 4, "On", "ben"), audit(2, 5, "Write", "ann"), audit(3, 9, "On", "ben")},
		{audit(0, 1, "Read", "ann"), audit(1, 2, "Off", "ben"), audit(2, 3, "Write", "cid"), audit(3, 4, "Write", "ann")},
		{audit(0, 1, "Read", "ann"), audit(1, 2, "Off", "ben"), audit(2, 4, "Write", "ann")},
	} {
		records := p.match(&detectors.Scenario{Events: c})
		want := p.passed(nil, records, false)
		for _, order := range orders(records) {
			p.same(want, p.passed(nil, order, false), order)
		}
	}
}

// same compares what records come to with what they come to in the order of time.
func (p *player) same(want, got map[string]alerting.Violation, records []played) {
	p.t.Helper()
	for id, v := range got {
		if _, ok := want[id]; !ok && !v.State.Open() {
			delete(got, id) // told too early
		}
	}
	if diff := cmp.Diff(states(want), states(got)); diff != "" {
		p.t.Fatalf("%q, against the order of time (-want +got):\n%s", outlineOf(records), diff)
	}
}

// orders returns all orders of records.
func orders(records []played) (out [][]played) {
	if len(records) == 0 {
		return [][]played{nil}
	}
	for _, rest := range orders(records[1:]) {
		for i := range len(rest) + 1 {
			out = append(out, slices.Insert(slices.Clone(rest), i, records[0]))
		}
	}
	return out
}

func audit(i, minute int, operation, user string) detectors.Payload {
	body, err := json.Marshal(map[string]any{
		"Id": fmt.Sprintf("id-%d", i), "CreationTime": day0.Add(time.Duration(minute) * time.Minute).Format("2006-01-02T15:04:05"), "Operation": operation,
		"RecordType": 6, "Workload": "SharePoint", "OrganizationId": "t1", "UserId": user, "ObjectId": "a", "ResultStatus": "Succeeded", "ClientIP": "203.0.113.9",
	})
	if err != nil {
		panic(err)
	}
	return detectors.Payload{Name: fmt.Sprint("event-", i), Body: body}
}

// passed returns the violations that records in this order come to, by entry and subject.
func (p *player) passed(r *rand.Rand, records []played, repeats bool) map[string]alerting.Violation {
	p.t.Helper()
	if _, err := p.db.Exec("DELETE FROM while_open"); err != nil {
		p.t.Fatal(err)
	}
	out := map[string]alerting.Violation{}
	for _, v := range p.ledger(r, records, repeats) {
		out[v.Entry+" of "+v.Subject] = v
	}
	return out
}

// states says of violations whether they are over: of those of one event each, when.
func states(all map[string]alerting.Violation) map[string]string {
	out := map[string]string{}
	for id, v := range all {
		out[id] = string(v.State)
		if v.Entry == "reader" || v.Entry == "switch" {
			out[id] += fmt.Sprint(" ", v.Opened, v.Restored)
		}
	}
	return out
}
