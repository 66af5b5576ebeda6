package detectors

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A long operation tells what it does twice before it ends: in its request, and in
// the answer on the Accept record, which may say more. Neither hides the other.
func TestEveryRequestOfAnOperationIsJoined(t *testing.T) {
	const more = `
  subject: resourceId
  sides:
    thing: {weak: {operationName: Microsoft.Storage/storageAccounts/delete}, strong: {operationName: Microsoft.Storage/storageAccounts/write}}
    version: {strong: {body.properties.minimumTlsVersion: TLS1_2}}
`
	start := activity("2026-09-14T09:00:00Z", "c1", "Start", "")
	accept := activity("2026-09-14T09:00:01Z", "c1", "Accept", "TLS1_2")
	done := activity("2026-09-14T09:00:02Z", "c1", "Success", "")
	for _, order := range [][]string{{start, accept, done}, {accept, start, done}, {start, done, accept}, {done, accept, start}, {accept, start, start, accept, done}} {
		e, db := newEngine(t, setOf(t, operationRule(more))), openDB(t)
		var got []string
		for _, event := range order {
			for _, f := range applyBatch(t, e, db, true, event) {
				got = append(got, fmt.Sprint(f.Time.Second(), " ", f.State, " ", strings.Join(f.Strong, ",")))
			}
		}
		slices.Sort(got)
		if diff := cmp.Diff([]string{"2 restored thing", "2 restored thing,version"}, slices.Compact(got)); diff != "" {
			t.Errorf("(-want +got):\n%s\n%s", diff, strings.Join(order, "\n"))
		}
	}
}

// Of an operation that a rule names by its end only the outcome is waited for, too.
func TestOperationsNamedByTheirEndAreJoined(t *testing.T) {
	rule := strings.ReplaceAll(tlsRule, "operationName: Microsoft.Storage/storageAccounts/write", "operationName|endswith: /storageAccounts/write")
	joinedInAnyOrder(t, rule, []string{"08:01 tls weakened"},
		activity("2026-09-14T08:00:00Z", "c1", "Start", "TLS1_0"), activity("2026-09-14T08:01:00Z", "c1", "Success", ""))
}

// What is given back may stand in the request only.
func TestWhatIsGivenBackIsReadFromTheRequest(t *testing.T) {
	const more = `
  subject: resourceId
  regained: {lost: resourceId, now: resourceId, enough: {s: {body.properties.minimumTlsVersion: TLS1_2}, condition: s}}
`
	rule := strings.ReplaceAll(operationRule(more), "regained: {lost: resourceId, now: resourceId,", "regained: {lost: resourceId, now: callerIpAddress,")
	joinedInAnyOrder(t, rule, []string{"08:00 thing weakened", "09:01 thing restored"},
		strings.ReplaceAll(activity("2026-09-14T08:00:00Z", "c0", "Success", ""), "WRITE", "DELETE"),
		activity("2026-09-14T09:00:00Z", "c1", "Start", "TLS1_2"), activity("2026-09-14T09:01:00Z", "c1", "Success", ""))
}
