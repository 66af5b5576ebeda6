package alerting

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"phiwatch/detectors"
)

func TestCloseKeepsTheAcknowledgement(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		now := &clock{day.Add(5 * h)}
		l := newLedger(t, db.open(t), Options{Now: now.now})
		apply(t, l, weak("p", "e1", h))
		id := ViolationID(tenant, "ca-policy-disabled", "p")
		if _, err := l.Acknowledge(t.Context(), id, "alice", "on it"); err != nil {
			t.Fatal(err)
		}
		now.Time = day.Add(6 * h)
		v, err := l.Close(t.Context(), id, "bob", "replaced by another")
		if err != nil {
			t.Fatal(err)
		}
		if v.AckedBy != "alice" || !v.AckedAt.Equal(day.Add(5*h)) ||
			v.ClosedBy != "bob" || !v.ClosedAt.Equal(day.Add(6*h)) || v.ClosedNote != "replaced by another" {
			t.Errorf("acknowledged by %q at %v, closed by %q at %v: %q", v.AckedBy, v.AckedAt, v.ClosedBy, v.ClosedAt, v.ClosedNote)
		}
		apply(t, l, weak("p", "e0", h/2)) // folded anew
		checkBrief(t, l, "ca-policy-disabled p closed high since 30m0s repeats 1 acknowledged by alice closed by bob")
		apply(t, l, weak("p", "e2", 7*h)) // another episode
		checkBrief(t, l, "ca-policy-disabled p open high since 7h0m0s")
	})
}

func TestPeopleAreObservedWhenTheySpoke(t *testing.T) {
	now := &clock{day.Add(5 * h)}
	l := newLedger(t, sqlite(t).open(t), Options{Now: now.now})
	apply(t, l, weak("p", "e1", h))
	id := ViolationID(tenant, "ca-policy-disabled", "p")
	if _, err := l.Acknowledge(t.Context(), id, "alice", ""); err != nil {
		t.Fatal(err)
	}
	apply(t, l, weak("p", "e2", 2*h))
	d, err := l.Violation(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, o := range d.Observations {
		got = append(got, o.State+" "+after(o.Time))
	}
	if want := []string{"weakened 1h0m0s", "weakened 2h0m0s", "acknowledged 5h0m0s"}; !slices.Equal(got, want) {
		t.Errorf("observations %q, want %q", got, want)
	}
}

func TestWhatClosesByItselfSaysWhen(t *testing.T) {
	l := newLedger(t, sqlite(t).open(t), Options{})
	apply(t, l, incident("ea", "i1", h))
	if err := l.Sweep(t.Context(), day.Add(40*h)); err != nil {
		t.Fatal(err)
	}
	if v := all(t, l, Filter{})[0]; v.State != StatusClosed || !v.ClosedAt.Equal(day.Add(25*h)) || v.ClosedBy != "" {
		t.Errorf("%s at %v by %q, want closed after a quiet day, by nobody", v.State, v.ClosedAt, v.ClosedBy)
	}
}

// Ledgers from before a close had a place of its own wrote it over the acknowledgement.
func TestEarlierClosesAreShownAsCloses(t *testing.T) {
	e := &episode{Violation: Violation{ID: "x", State: StatusClosed, AckedBy: "bob", AckedAt: day}}
	if v := e.view(0); v.ClosedBy != "bob" || !v.ClosedAt.Equal(day) {
		t.Errorf("closed by %q at %v", v.ClosedBy, v.ClosedAt)
	}
}

func TestClosingWhatWasTakenOnAndRestoredIsAConflict(t *testing.T) {
	now := &clock{day.Add(5 * h)}
	l := newLedger(t, sqlite(t).open(t), Options{Now: now.now})
	apply(t, l, weak("p", "e1", h))
	id := ViolationID(tenant, "ca-policy-disabled", "p")
	if _, err := l.Acknowledge(t.Context(), id, "alice", ""); err != nil {
		t.Fatal(err)
	}
	apply(t, l, back("p", "e2", 6*h))
	if _, err := l.Close(t.Context(), id, "bob", ""); !errors.Is(err, ErrSettled) {
		t.Errorf("close of what is restored: %v", err)
	}
	if v, err := l.Acknowledge(t.Context(), id, "bob", ""); err != nil || v.AckedBy != "alice" {
		t.Errorf("acknowledged again: by %q, %v", v.AckedBy, err)
	}
}

func TestSafeguardsOfEarlierRowsAreFilledIn(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		l := newLedger(t, db.open(t), Options{})
		apply(t, l, weak("p", "e1", h), finding(labelDeleted, detectors.Weakened, "l", "e2", h))
		if _, err := l.db.ExecContext(t.Context(), `UPDATE violations SET safeguards = ''`); err != nil {
			t.Fatal(err)
		}
		subjects := func(code string) string {
			var out []string
			for _, v := range all(t, l, Filter{Safeguard: []string{code}}) {
				out = append(out, v.Subject)
			}
			return strings.Join(out, " ")
		}
		if got := subjects("CA"); got != "p" {
			t.Errorf("by the first safeguard, before: %q", got)
		}
		if err := l.Sweep(t.Context(), day.Add(2*h)); err != nil {
			t.Fatal(err)
		}
		for code, want := range map[string]string{"CA": "p", "MFA": "p", "MPIP": "l", "M_A": "", "%": ""} {
			if got := subjects(code); got != want {
				t.Errorf("%s selects %q, want %q", code, got, want)
			}
		}
	})
}
