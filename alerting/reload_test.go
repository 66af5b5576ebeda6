package alerting

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"phiwatch/detectors"
)

// owedTo lists the groups of a database: receiver, labels, generation and
// wanted version.
func owedTo(t testing.TB, l *Ledger) []string {
	t.Helper()
	rows, err := l.db.Query(`SELECT receiver, labels, generation, wanted FROM deliveries`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var receiver, labels string
		var generation, wanted int
		if err := rows.Scan(&receiver, &labels, &generation, &wanted); err != nil {
			t.Fatal(err)
		}
		out = append(out, fmt.Sprintf("%s %s generation %d wanted %d", receiver, labels, generation, wanted))
	}
	slices.Sort(out)
	return out
}

func checkOwed(t testing.TB, l *Ledger, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, owedTo(t, l)); diff != "" {
		t.Errorf("owed (-want +got):\n%s", diff)
	}
}

func setRoute(t testing.TB, l *Ledger, text string) {
	t.Helper()
	if err := l.SetRoute(validRoute(t, text)); err != nil {
		t.Fatal(err)
	}
}

func TestWhoWasToldHearsOfTheRestoreWhateverTheRoutesSayNow(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		l := newLedger(t, db.open(t), Options{})
		setRoute(t, l, `{receiver: chat, group_by: [entry], routes: [{matchers: [severity=high], receiver: pager, continue: true}]}`)
		apply(t, l, weak("p", "e1", h))
		checkOwed(t, l, `pager {"entry":"ca-policy-disabled"} generation 1 wanted 1`)
		raised := weak("p", "e2", 2*h)
		raised.Severity = detectors.Critical // its route no longer says pager
		apply(t, l, raised)
		checkOwed(t, l, `chat {"entry":"ca-policy-disabled"} generation 1 wanted 1`,
			`pager {"entry":"ca-policy-disabled"} generation 1 wanted 2`)
		apply(t, l, back("p", "e3", 3*h))
		checkOwed(t, l, `chat {"entry":"ca-policy-disabled"} generation 1 wanted 2`,
			`pager {"entry":"ca-policy-disabled"} generation 1 wanted 3`)
	})
}

func TestOneViolationIsOneGroupOfARoute(t *testing.T) {
	l := newLedger(t, sqlite(t).open(t), Options{})
	setRoute(t, l, `{receiver: pager, group_by: [severity]}`)
	apply(t, l, weak("p", "e1", h))
	raised := weak("p", "e2", 2*h)
	raised.Severity = detectors.Critical
	apply(t, l, raised)
	checkOwed(t, l, `pager {"severity":"high"} generation 1 wanted 2`)
}

func TestReloadDoesNotTellTheSameReceiverAgain(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		l := newLedger(t, db.open(t), Options{})
		setRoute(t, l, `{receiver: chat}`)
		apply(t, l, weak("p", "e1", h))
		old := fmt.Sprintf(`chat {"entry":"ca-policy-disabled","tenant":"%s"} generation 1 wanted `, tenant)
		checkOwed(t, l, old+"1")

		setRoute(t, l, `{receiver: chat, group_by: [subject], routes: [{matchers: [severity=high], receiver: pager}]}`)
		for range 2 {
			if err := l.Reconcile(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		checkOwed(t, l, old+"1", `pager {"subject":"p"} generation 1 wanted 1`)
		checkBalance(t, l)

		setRoute(t, l, `{receiver: chat, group_by: [subject]}`)
		if err := l.Reconcile(t.Context()); err != nil {
			t.Fatal(err)
		}
		apply(t, l, back("p", "e2", 2*h))
		checkOwed(t, l, old+"2", `pager {"subject":"p"} generation 1 wanted 2`)
		checkBalance(t, l)
	})
}

func TestReceiverNoneIsSuppressed(t *testing.T) {
	l := newLedger(t, sqlite(t).open(t), Options{})
	setRoute(t, l, `{receiver: none, routes: [{matchers: [subject=q], receiver: chat}]}`)
	apply(t, l, weak("p", "e1", h), weak("q", "e1", h))
	apply(t, l, back("p", "e2", 2*h))
	if err := l.Reconcile(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, err := l.Accounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := range got {
		got[i].Oldest = 0
	}
	want := []Account{{Receiver: "chat", Matched: 1, Pending: 1}, {Receiver: "none", Matched: 2, Suppressed: 2}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("accounts (-want +got):\n%s", diff)
	}
}

func TestPersonsAndQuietPeriodsAreToldToo(t *testing.T) {
	l := newLedger(t, sqlite(t).open(t), Options{})
	setRoute(t, l, `{receiver: chat, group_by: [entry]}`)
	apply(t, l, weak("p", "e1", h), incident("ea", "i1", h))
	if _, err := l.Acknowledge(t.Context(), ViolationID(tenant, "ca-policy-disabled", "p"), "eve", ""); err != nil {
		t.Fatal(err)
	}
	if err := l.Sweep(t.Context(), day.Add(48*h)); err != nil {
		t.Fatal(err)
	}
	checkOwed(t, l, `chat {"entry":"ca-policy-disabled"} generation 1 wanted 2`,
		`chat {"entry":"emergency-signin"} generation 1 wanted 2`)
}
