package alerting

import (
	"database/sql"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"phiwatch/detectors"
	"phiwatch/ingest"
)

var day = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

const tenant = "6f1c8f3e-0000-4000-8000-00000000000a"

// Three rules: one that an event restores, an incident that closes by itself
// after a quiet day, and one that only a person closes.
var (
	caDisabled = &detectors.Meta{
		Entry: "ca-policy-disabled", Title: "Conditional Access policy disabled", Safeguards: []string{"CA", "MFA"},
		HIPAA: []string{"164.312(d)"}, Group: "authentication", Runbook: []string{"Enable the policy."}, Restorable: true,
	}
	breakGlass = &detectors.Meta{
		Entry: "emergency-signin", Title: "Emergency account used", Safeguards: []string{"MFA"},
		Group: "authentication", Quiet: 24 * time.Hour,
	}
	labelDeleted = &detectors.Meta{
		Entry: "label-deleted", Title: "Label deleted", Safeguards: []string{"MPIP"}, Group: "integrity",
	}
)

// finding is a finding of an event at a time after day.
func finding(rule *detectors.Meta, state detectors.State, subject, event string, after time.Duration) detectors.Finding {
	return detectors.Finding{
		Rule: rule, State: state, Tenant: tenant, Subject: subject, Name: "Policy " + subject,
		Severity: detectors.High, Time: day.Add(after),
		Evidence: detectors.Evidence{
			EventID: event, Kind: "entra-audit", Action: "Update policy", Actor: "ann@example.org", ActorIP: "203.0.113.7",
			Time: day.Add(after), Enqueued: day.Add(after + time.Minute),
			Position: ingest.Position{Partition: ingest.Partition{Hub: "ns.example.org/hub", ID: "0"}, Sequence: 7},
			Record:   []byte(`{"id":"` + event + `"}`),
		},
	}
}

func weak(subject, event string, after time.Duration) detectors.Finding {
	return finding(caDisabled, detectors.Weakened, subject, event, after)
}

func back(subject, event string, after time.Duration) detectors.Finding {
	f := finding(caDisabled, detectors.Restored, subject, event, after)
	f.Evidence.Actor = "bob@example.org"
	return f
}

func incident(subject, event string, after time.Duration) detectors.Finding {
	return finding(breakGlass, detectors.Incident, subject, event, after)
}

// clock is a wall clock that a test sets.
type clock struct{ time.Time }

func (c *clock) now() time.Time { return c.Time }

func newLedger(t testing.TB, db *sql.DB, o Options) *Ledger {
	t.Helper()
	l, err := NewLedger(db, o, testLog(t), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// apply commits a batch of findings.
func apply(t testing.TB, l *Ledger, findings ...detectors.Finding) {
	t.Helper()
	err := inTx(t.Context(), l.db, func(tx *sql.Tx) error { return l.Apply(t.Context(), tx, findings) })
	if err != nil {
		t.Fatal(err)
	}
}

// all returns every violation, by id.
func all(t testing.TB, l *Ledger, f Filter) []Violation {
	t.Helper()
	var out []Violation
	f.Limit = MaxLimit
	for {
		page, next, err := l.Violations(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, page...)
		if f.Cursor = next; next == "" {
			break
		}
	}
	slices.SortFunc(out, func(a, b Violation) int { return slices.Compare([]string{a.ID}, []string{b.ID}) })
	return out
}

// brief is a violation in a line.
func brief(v Violation) string {
	s := fmt.Sprintf("%s %s %s %s since %s", v.Entry, v.Subject, v.State, v.Severity, after(v.Opened))
	if !v.Restored.IsZero() {
		s += " restored " + after(v.Restored) + " by " + v.RestoredBy
	}
	if v.Repeats > 0 {
		s += fmt.Sprintf(" repeats %d", v.Repeats)
	}
	if v.AckedBy != "" {
		s += " acknowledged by " + v.AckedBy
	}
	if v.ClosedBy != "" {
		s += " closed by " + v.ClosedBy
	}
	return s
}

func after(t time.Time) string { return t.Sub(day).String() }

func checkBrief(t testing.TB, l *Ledger, want ...string) {
	t.Helper()
	var got []string
	for _, v := range all(t, l, Filter{}) {
		got = append(got, brief(v))
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ledger (-want +got):\n%s", diff)
	}
}
