package detectors

import (
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"phiwatch/ingest"
)

const failedSet = tlsRule + `
---
title: two attempts failed
correlation: {type: event_count, rules: ['tls:failed'], group-by: [event.tenant], timespan: 10m, condition: {gte: 2}}
safeguard: {entry: attempts}
`

// joinedInAnyOrder applies events, each a batch of its own with a process of its own,
// in many orders and with repeats, and returns what is found, which is always
// the same.
func joinedInAnyOrder(t *testing.T, set string, want []string, events ...string) {
	t.Helper()
	rng := rand.New(rand.NewPCG(7, 7))
	for range 10 {
		order := append(slices.Clone(events), events[rng.IntN(len(events))])
		rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		db := openDB(t)
		found := map[string]bool{}
		for _, p := range order {
			for _, f := range applyBatch(t, newEngine(t, setOf(t, set)), db, true, p) {
				found[fmt.Sprintf("%s %s %s", f.Time.Format("15:04"), f.Rule.Entry, f.State)] = true
			}
		}
		db.Close()
		var got []string
		for line := range found {
			got = append(got, line)
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("(-want +got):\n%s\n%s", diff, strings.Join(order, "\n"))
		}
	}
}

// A deployment has one correlation id for all of its resources. Rows of Log
// Analytics and objects of the Python SDK name them in their own way.
func TestRequestsAreJoinedByResourceInEveryShape(t *testing.T) {
	for shape, record := range map[string]string{
		"log analytics": `{"TimeGenerated":"2026-09-14T08:%02d:00Z","CategoryValue":"Administrative","OperationNameValue":"MICROSOFT.STORAGE/STORAGEACCOUNTS/WRITE",` +
			`"ActivityStatusValue":%q,"CorrelationId":%q,"TenantId":"w","_ResourceId":"/subscriptions/s/storageaccounts/%s","Properties":%q}`,
		"python sdk": `{"event_timestamp":"2026-09-14T08:%02d:00Z","category":{"value":"Administrative"},"operation_name":{"value":"Microsoft.Storage/storageAccounts/write"},` +
			`"status":{"value":%q},"correlation_id":%q,"tenant_id":"t","resource_id":"/subscriptions/s/storageaccounts/%s","properties":%s}`,
	} {
		t.Run(shape, func(t *testing.T) {
			const request = `{"requestbody":"{\"properties\":{\"minimumTlsVersion\":\"TLS1_0\"}}"}`
			joinedInAnyOrder(t, tlsRule, []string{"08:02 tls weakened"},
				fmt.Sprintf(record, 1, "Started", "c1", "a", request), fmt.Sprintf(record, 2, "Succeeded", "c1", "a", "{}"),
				fmt.Sprintf(record, 3, "Started", "c2", "a", request), fmt.Sprintf(record, 4, "Succeeded", "c2", "b", "{}"),
				fmt.Sprintf(record, 5, "Started", "c3", "b", request), fmt.Sprintf(record, 6, "Failed", "c3", "b", "{}"))
		})
	}
}

func TestRequestsThatFailedAreAttempts(t *testing.T) {
	failed := func(minute int, correlation string) []string {
		return []string{
			activity(fmt.Sprintf("2026-09-14T08:%02d:00Z", minute), correlation, "Start", "TLS1_0"),
			activity(fmt.Sprintf("2026-09-14T08:%02d:00Z", minute+1), correlation, "Failure", ""),
		}
	}
	for name, c := range map[string]struct {
		events []string
		want   []string
	}{
		"two": {slices.Concat(failed(0, "c1"), failed(2, "c2")), []string{"08:03 attempts incident"}},
		"one": {failed(0, "c1"), nil},
		"the request on the refusal, too, is one": {
			append(failed(0, "c1"), activity("2026-09-14T08:01:00Z", "c1", "Failure", "TLS1_0")), nil,
		},
		"one whose body stands on its refusal alone": {
			append(failed(0, "c1"), activity("2026-09-14T08:03:00Z", "c2", "Failure", "TLS1_0")), []string{"08:03 attempts incident"},
		},
		"one without an outcome": {append(failed(0, "c1"), failed(2, "c2")[0]), nil},
		"one that succeeded": {
			append(failed(0, "c1"), activity("2026-09-14T08:02:00Z", "c2", "Start", "TLS1_0"), activity("2026-09-14T08:03:00Z", "c2", "Success", "")),
			[]string{"08:03 tls weakened"},
		},
		"what restores is no attempt": {
			append(failed(0, "c1"), activity("2026-09-14T08:02:00Z", "c2", "Start", "TLS1_2"), activity("2026-09-14T08:03:00Z", "c2", "Failure", "")), nil,
		},
		"tried again, with success": {
			append(slices.Concat(failed(0, "c1"), failed(2, "c2")), activity("2026-09-14T08:05:00Z", "c2", "Success", "")),
			[]string{"08:03 attempts incident", "08:05 tls weakened"},
		},
	} {
		t.Run(name, func(t *testing.T) { joinedInAnyOrder(t, failedSet, c.want, c.events...) })
	}
}

// As builds before stored them: one result for an operation, requests without
// what they are if they failed.
func TestOlderRowsAreJoined(t *testing.T) {
	start := func(c string) string { return activity("2026-09-14T08:00:00Z", c, "Start", "TLS1_0") }
	end := func(c, result string) string {
		return activity("2026-09-14T08:0"+c[1:]+":00Z", c, result, "") // each at a time of its own
	}
	db := openDB(t)
	apply := func(payloads ...string) []string {
		var out []string
		for _, f := range applyBatch(t, newEngine(t, setOf(t, failedSet)), db, true, payloads...) {
			out = append(out, f.Rule.Entry)
		}
		return out
	}
	apply(end("c1", "Success"), end("c2", "Failure"), end("c3", "Failure"), start("c4"), start("c5"))
	for statement, rows := range map[string]int64{
		`UPDATE activity_joins SET part = 'result' WHERE outcome <> ''`:                                         3,
		`UPDATE activity_joins SET finding = CAST(json_remove(finding, '$.failed') AS BLOB) WHERE outcome = ''`: 2,
	} {
		if n := changed(t, db, statement); n != rows {
			t.Fatalf("%s: %d rows, want %d", statement, n, rows)
		}
	}
	for _, c := range []struct {
		payload string
		want    []string
	}{
		{start("c1"), []string{"tls"}},
		{start("c2"), nil},
		{start("c3"), []string{"attempts"}},
		{end("c4", "Failure"), nil}, // nothing is known of it
		{end("c5", "Success"), []string{"tls"}},
	} {
		if diff := cmp.Diff(c.want, apply(c.payload)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.payload, diff)
		}
	}
}

func changed(t *testing.T, db *sql.DB, statement string) int64 {
	t.Helper()
	done, err := db.ExecContext(t.Context(), statement)
	if err != nil {
		t.Fatal(err)
	}
	n, err := done.RowsAffected()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A rule without a safeguard key that asks for success finds the request and
// the success in separate records.
func TestPlainRulesJoin(t *testing.T) {
	const plain = `
title: old TLS asked for
name: old-tls
logsource: {product: azure, service: activitylogs}
detection:
  write:
    operationName: Microsoft.Storage/storageAccounts/write
  old:
    body.properties.minimumTlsVersion: [TLS1_0, TLS1_1]
  done:
    %s
  condition: write and old and %s
`
	const counted = `
---
title: asked for twice
correlation: {type: event_count, rules: [old-tls], group-by: [resourceId], timespan: 10m, condition: {gte: 2}}
safeguard: {entry: twice}
`
	success := fmt.Sprintf(plain, "event.outcome: success", "done")
	pair := func(minute int, correlation, result string) []string {
		return []string{
			activity(fmt.Sprintf("2026-09-14T08:%02d:00Z", minute), correlation, "Start", "TLS1_0"),
			activity(fmt.Sprintf("2026-09-14T08:%02d:00Z", minute+1), correlation, result, ""),
		}
	}
	both := activity("2026-09-14T08:03:00Z", "c2", "Success", "TLS1_0")
	for name, c := range map[string]struct {
		set    string
		events []string
		want   []string
	}{
		"two that succeeded":          {success + counted, slices.Concat(pair(0, "c1", "Success"), pair(2, "c2", "Success")), []string{"08:03 twice incident"}},
		"the request on both records": {success + counted, append(slices.Concat(pair(0, "c1", "Success"), pair(2, "c2", "Success")[:1]), both), []string{"08:03 twice incident"}},
		"one that succeeded":          {success + counted, append(pair(2, "c2", "Success"), both), nil},
		"one that failed":             {success + counted, slices.Concat(pair(0, "c1", "Success"), pair(2, "c2", "Failure")), nil},
		"one without an outcome":      {success + counted, slices.Concat(pair(0, "c1", "Success"), pair(2, "c2", "Success")[:1]), nil},
		"by itself":                   {success, pair(0, "c1", "Success"), []string{"08:01 set incident"}},
		"by itself, failed":           {success, pair(0, "c1", "Failure"), nil},
		"one that asks for something else": {
			fmt.Sprintf(plain, "event.outcome: failure", "not done") + counted, slices.Concat(pair(0, "c1", "Failure"), pair(2, "c2", "Success")), []string{"08:02 twice incident"},
		},
	} {
		t.Run(name, func(t *testing.T) { joinedInAnyOrder(t, c.set, c.want, c.events...) })
	}
}

// A record with a wrong date, years ahead, forgets nothing that waits. When another
// arrives eight days later, nothing waits any more.
func TestWhatIsDatedAfterItsArrivalForgetsNothing(t *testing.T) {
	now := time.Date(2026, 9, 14, 9, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		dated   string
		arrived time.Time
		want    []string
	}{
		"wrong": {"2031-01-01T00:00:00Z", now, []string{"08:01 tls weakened"}},
		"later": {"2026-09-22T08:00:00Z", now.AddDate(0, 0, 8), nil},
	} {
		t.Run(name, func(t *testing.T) {
			e, db := newEngine(t, setOf(t, tlsRule)), openDB(t)
			arrive := func(at time.Time, body string) (got []string) {
				var matches []Match
				match := func(ev *ingest.Event) { matches = e.Match(ev, matches) }
				ingest.NewDecoder().Decode(ingest.Message{Body: []byte(body), Enqueued: at}, match, quarantined(t))
				tx := begin(t, db)
				findings, err := e.Apply(t.Context(), tx, matches)
				if err := errors.Join(err, tx.Commit()); err != nil {
					t.Fatal(err)
				}
				for _, f := range findings {
					got = append(got, fmt.Sprintf("%s %s %s", f.Time.Format("15:04"), f.Rule.Entry, f.State))
				}
				return got
			}
			arrive(now, activity("2026-09-14T08:00:00Z", "c1", "Start", "TLS1_0"))
			arrive(c.arrived, activity(c.dated, "c2", "Start", "TLS1_2"))
			if diff := cmp.Diff(c.want, arrive(c.arrived, activity("2026-09-14T08:01:00Z", "c1", "Success", ""))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// What is nothing unless something is known of its subject is no attempt, either: a
// correlation that takes all that failed does not take it.
func TestWhatPresumesIsNoAttempt(t *testing.T) {
	for level, want := range map[string][]string{
		"none":   nil,
		"medium": {"08:05 attempts incident"},
	} {
		other := strings.NewReplacer("entry: tls", "entry: other", "00000001", "00000002", "storageAccounts", "vaults", "medium", "low").Replace(tlsRule)
		set := strings.NewReplacer("'tls:failed'", "'*:failed'", "unknown: medium", "unknown: "+level).Replace(failedSet) + "---" + other
		joinedInAnyOrder(t, set, want,
			activity("2026-09-14T08:01:00Z", "a", "Failure", "TLS1_0"), activity("2026-09-14T08:05:00Z", "b", "Failure", "TLS1_0"))
	}
}
