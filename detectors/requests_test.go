package detectors

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A rule of which the detections name the operation only; more is the rest of its
// safeguard key.
func operationRule(more string) string {
	return `
title: Thing weakened
id: 5d0f1c1e-0000-4000-8000-000000000003
logsource: {product: azure, service: activitylogs}
detection: {s: {operationName: Microsoft.Storage/storageAccounts/delete}, condition: s}
level: low
safeguard:
  entry: thing
  restored: {s: {operationName: Microsoft.Storage/storageAccounts/write}, condition: s}
` + more
}

// What a rule makes of an event may stand in the request only, whichever of its
// keys reads it.
func TestEveryKeyThatReadsTheRequestHasItJoined(t *testing.T) {
	const (
		whom  = "  subject: resourceId\n"
		field = "body.properties.level"
	)
	for name, c := range map[string]struct{ more, weakened, restored string }{
		"none":             {whom, "", ""},
		"another field":    {whom + "  severity: [{level: high, detection: {s: {resourceId|contains: x}, condition: s}}]\n", "", ""},
		"an answer":        {whom + "  sides: {a: {lost: properties.responseBody.level, back: properties.responseBody.level}}\n", "", ""},
		"severity":         {whom + "  severity: [{level: high, detection: {s: {" + field + ": 1}, condition: s}}]\n", "joined", ""},
		"unknown":          {whom + "  unknown: {level: none, detection: {s: {" + field + ": 1}, condition: s}}\n", "joined", ""},
		"known":            {whom + "  unknown: none\n  known: {detection: {s: {operationName: a}, condition: s}, key: resourceId, of: " + field + "}\n", "joined", ""},
		"a weak side":      {whom + "  sides: {a: {weak: {" + field + ": 1}}}\n", "joined", ""},
		"what is lost":     {whom + "  sides: {a: {lost: count." + field + "}}\n", "joined", ""},
		"a strong side":    {whom + "  sides: {a: {strong: {" + field + ": 2}}}\n", "joined", "joined"},
		"what is back":     {whom + "  sides: {a: {back: any.properties.requestbody.level | properties.responseBody.level}}\n", "joined", "joined"},
		"regained, lost":   {whom + "  regained: {lost: " + field + ", now: resourceId}\n", "joined", ""},
		"regained, now":    {whom + "  regained: {lost: resourceId, now: " + field + "}\n", "", "joined"},
		"regained, enough": {whom + "  regained: {lost: resourceId, now: resourceId, enough: {s: {" + field + ": 2}, condition: s}}\n", "", "joined"},
		"a subject":        {"  subject: [resourceId, {field: " + field + ", optional: true}]\n", "joined", "joined"},
		"half of one":      {"  subject: [resourceId, {field: event.actor, unless: " + field + ", optional: true}]\n", "joined", "joined"},
		"another subject":  {whom + "  restored_subject: " + field + "\n", "", "joined"},
		"another name":     {whom + "  alias: {names: [" + field + "], used: {s: {operationName: a}, condition: s}}\n", "joined", "joined"},
		"by another name":  {whom + "  alias: {names: [resourceId], used: {s: {" + field + ": 1}, condition: s}}\n", "joined", "joined"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newEngine(t, setOf(t, operationRule(c.more))).byEntry["thing"]
			for i, want := range []string{c.weakened, c.restored} {
				if h := &r.halves[i]; h.joined != (want == "joined") {
					t.Errorf("%s: joined is %v", h.state, h.joined)
				}
			}
		})
	}
}

// Start and Success may come in either order, and the Success may tell nothing.
func TestOperationsAreJudgedByTheirRequests(t *testing.T) {
	const more = `
  subject: resourceId
  severity: [{level: high, detection: {s: {body.properties.minimumTlsVersion: gone}, condition: s}}]
  sides:
    thing: {weak: {operationName: Microsoft.Storage/storageAccounts/delete}, strong: {operationName: Microsoft.Storage/storageAccounts/write}}
    version: {weak: {body.properties.minimumTlsVersion: gone}, strong: {body.properties.minimumTlsVersion: TLS1_2}}
`
	deletion := func(result, body string) string {
		return strings.ReplaceAll(activity("2026-09-14T08:00:00Z", "c1", result, body), "WRITE", "DELETE")
	}
	events := []string{
		deletion("Start", "gone"), deletion("Success", ""),
		activity("2026-09-14T09:00:00Z", "c2", "Start", "TLS1_0"), activity("2026-09-14T09:00:01Z", "c2", "Success", ""),
		activity("2026-09-14T10:00:00Z", "c3", "Start", "TLS1_2"), activity("2026-09-14T10:00:01Z", "c3", "Success", ""),
		activity("2026-09-14T11:00:00Z", "c4", "Start", "TLS1_2"), activity("2026-09-14T11:00:01Z", "c4", "Failure", ""),
	}
	want := map[string]string{
		"8 weakened":  "high -thing,version +",
		"9 restored":  "low - +thing",
		"10 restored": "low - +thing,version",
	}
	r := rand.New(rand.NewPCG(7, 7))
	for range 10 {
		got := map[string]string{} // of two tellings of an event the ledger keeps the one that says more
		e, db := newEngine(t, setOf(t, operationRule(more))), openDB(t)
		for _, event := range events {
			for _, f := range applyBatch(t, e, db, true, event) {
				key := fmt.Sprint(f.Time.Hour(), " ", f.State)
				says := fmt.Sprintf("%s -%s +%s", f.Severity, strings.Join(f.Weak, ","), strings.Join(f.Strong, ","))
				if len(says) > len(got[key]) {
					got[key] = says
				}
			}
		}
		db.Close()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("(-want +got):\n%s\n%s", diff, strings.Join(events, "\n"))
		}
		r.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
	}
}

// The side without a name reads as what it is.
func TestScenariosTellTheSafeguardAsAWhole(t *testing.T) {
	if got, want := ofSides([]string{"tag: a", ""}), " (tag: a, as a whole)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
