package alerting

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"phiwatch/detectors"
)

const h = time.Hour

func TestLedgerFollowsEventTime(t *testing.T) {
	severe := weak("p", "e2", 2*h)
	severe.Severity = detectors.Critical
	spelled := weak("P", "e2", 2*h)
	for _, tt := range []struct {
		name     string
		findings []detectors.Finding
		want     []string
	}{
		{"open", []detectors.Finding{weak("p", "e1", h)}, []string{"ca-policy-disabled p open high since 1h0m0s"}},
		{"restored", []detectors.Finding{weak("p", "e1", h), back("p", "e2", 2*h)},
			[]string{"ca-policy-disabled p restored high since 1h0m0s restored 2h0m0s by bob@example.org"}},
		{"restored before it was weak", []detectors.Finding{back("p", "e1", h), weak("p", "e2", 2*h)},
			[]string{"ca-policy-disabled p open high since 2h0m0s"}},
		{"restored at the same instant stays weak", []detectors.Finding{weak("p", "e1", h), back("p", "e2", h)},
			[]string{"ca-policy-disabled p open high since 1h0m0s"}},
		{"never weak", []detectors.Finding{back("p", "e1", h)}, nil},
		{"repeats", []detectors.Finding{weak("p", "e1", h), weak("p", "e1", h), weak("p", "e3", 3*h)},
			[]string{"ca-policy-disabled p open high since 1h0m0s repeats 1"}},
		{"highest severity of the episode", []detectors.Finding{weak("p", "e1", h), severe, weak("p", "e3", 3*h)},
			[]string{"ca-policy-disabled p open critical since 1h0m0s repeats 2"}},
		{"severity of an earlier episode is over", []detectors.Finding{severe, back("p", "e3", 3*h), weak("p", "e4", 4*h)},
			[]string{"ca-policy-disabled p open high since 4h0m0s"}},
		{"case folds, first spelling stays", []detectors.Finding{weak("p", "e1", h), spelled},
			[]string{"ca-policy-disabled p open high since 1h0m0s repeats 1"}},
		{"first restore counts", []detectors.Finding{weak("p", "e1", h), back("p", "e2", 2*h), back("p", "e3", 3*h)},
			[]string{"ca-policy-disabled p restored high since 1h0m0s restored 2h0m0s by bob@example.org"}},
		{"incidents a quiet day apart are two", []detectors.Finding{incident("ea", "e1", h), incident("ea", "e2", 24*h), incident("ea", "e3", 49*h)},
			[]string{"emergency-signin ea open high since 49h0m0s"}},
		{"subjects are apart", []detectors.Finding{weak("p", "e1", h), weak("q", "e1", h), back("q", "e2", 2*h)}, []string{
			"ca-policy-disabled p open high since 1h0m0s",
			"ca-policy-disabled q restored high since 1h0m0s restored 2h0m0s by bob@example.org"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onEach(t, func(t *testing.T, db database) {
				l := newLedger(t, db.open(t), Options{})
				for _, f := range tt.findings {
					apply(t, l, f)
				}
				checkBrief(t, l, tt.want...)
			})
		})
	}
}

func TestViolationCarriesWhatPeopleNeed(t *testing.T) {
	l := newLedger(t, sqlite(t).open(t), Options{})
	apply(t, l, weak("p", "e1", h), back("p", "e2", 2*h))
	want := []Violation{{
		ID: ViolationID(tenant, "ca-policy-disabled", "P"), Entry: "ca-policy-disabled", Safeguard: "CA",
		Safeguards: []string{"CA", "MFA"}, HIPAA: []string{"164.312(d)"}, Title: "Conditional Access policy disabled",
		Tenant: tenant, Subject: "p", SubjectName: "Policy p", Severity: "high", State: StatusRestored,
		Opened: day.Add(h), Changed: day.Add(2 * h), Restored: day.Add(2 * h), Actor: "ann@example.org",
		ActorIP: "203.0.113.7", Action: "Update policy", RestoredBy: "bob@example.org",
		Runbook: []string{"Enable the policy."}, Evidence: []string{"e1", "e2"},
	}}
	if diff := cmp.Diff(want, all(t, l, Filter{})); diff != "" {
		t.Errorf("violation (-want +got):\n%s", diff)
	}
}

func TestEvidenceIsBoundedToTheFirstAndTheNewest(t *testing.T) {
	l := newLedger(t, sqlite(t).open(t), Options{})
	for i := range 50 {
		apply(t, l, weak("p", fmt.Sprintf("e%02d", i), time.Duration(i)*time.Minute))
	}
	apply(t, l, back("p", "r", h))
	got := strings.Join(all(t, l, Filter{})[0].Evidence, " ")
	want := "e00 e01 e02 e03 e04 e05 e06 e07 e08 e09 e41 e42 e43 e44 e45 e46 e47 e48 e49 r"
	if got != want {
		t.Errorf("evidence %s, want %s", got, want)
	}
}

func TestEvidenceStoreHoldsWholeRecords(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		now := &clock{day.Add(3 * h)}
		l := newLedger(t, db.open(t), Options{Now: now.now, Retention: 30 * 24 * h})
		apply(t, l, weak("p", "e1", h), back("q", "r1", h), back("z", "r2", h))
		apply(t, l, weak("q", "e0", h/2), back("p", "r3", 2*h)) // r1 turns out to restore something, too late for its record
		check := func(want map[string]bool) {
			t.Helper()
			for id, there := range want {
				record, err := l.Evidence(t.Context(), id)
				if there && (err != nil || string(record) != `{"id":"`+id+`"}`) {
					t.Errorf("evidence %s = %q, %v", id, record, err)
				}
				if !there && !errors.Is(err, ErrNotFound) {
					t.Errorf("evidence %s: %v, want ErrNotFound", id, err)
				}
			}
		}
		check(map[string]bool{"e1": true, "e0": true, "r3": true, "r1": false, "r2": false, "e9": false})
		sweep := func(d time.Duration) {
			t.Helper()
			now.Time = now.Add(d)
			if err := l.Sweep(t.Context(), now.Time); err != nil {
				t.Fatal(err)
			}
		}
		sweep(29 * 24 * h)
		check(map[string]bool{"e1": true, "e0": true, "r3": true})
		sweep(2 * 24 * h)
		check(map[string]bool{"e1": false, "e0": false, "r3": false})
		if n := len(all(t, l, Filter{})); n != 2 {
			t.Errorf("%d violations after the retention of evidence, want 2", n)
		}
	})
}

func TestRestoreOfNothingIsForgottenOnlyAfterLateness(t *testing.T) {
	now := &clock{day.Add(100 * h)} // the restore itself came late
	l := newLedger(t, sqlite(t).open(t), Options{Now: now.now})
	apply(t, l, back("p", "r", 40*h), back("q", "r", 40*h))
	now.Time = now.Add(71 * h)
	if err := l.Sweep(t.Context(), now.Time); err != nil {
		t.Fatal(err)
	}
	apply(t, l, weak("p", "e", 39*h))
	now.Time = now.Add(2 * h)
	if err := l.Sweep(t.Context(), now.Time); err != nil {
		t.Fatal(err)
	}
	apply(t, l, weak("q", "e", 39*h))
	checkBrief(t, l, "ca-policy-disabled p restored high since 39h0m0s restored 40h0m0s by bob@example.org",
		"ca-policy-disabled q open high since 39h0m0s")
}

func TestIncidentClosesAfterItsQuietPeriod(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		l := newLedger(t, db.open(t), Options{})
		sweep := func(after time.Duration) {
			t.Helper()
			if err := l.Sweep(t.Context(), day.Add(after)); err != nil {
				t.Fatal(err)
			}
		}
		apply(t, l, incident("ea", "e1", h), weak("p", "e1", h))
		sweep(25 * h)
		checkBrief(t, l, "ca-policy-disabled p open high since 1h0m0s", "emergency-signin ea open high since 1h0m0s")
		sweep(25*h + time.Second)
		checkBrief(t, l, "ca-policy-disabled p open high since 1h0m0s", "emergency-signin ea closed high since 1h0m0s")
		apply(t, l, incident("ea", "e2", 20*h)) // late: it was not quiet
		checkBrief(t, l, "ca-policy-disabled p open high since 1h0m0s", "emergency-signin ea open high since 1h0m0s repeats 1")
		sweep(30 * h)
		checkBrief(t, l, "ca-policy-disabled p open high since 1h0m0s", "emergency-signin ea open high since 1h0m0s repeats 1")
		sweep(44*h + time.Second)
		checkBrief(t, l, "ca-policy-disabled p open high since 1h0m0s", "emergency-signin ea closed high since 1h0m0s repeats 1")
		apply(t, l, incident("ea", "e3", 60*h))
		checkBrief(t, l, "ca-policy-disabled p open high since 1h0m0s", "emergency-signin ea open high since 60h0m0s")
	})
}

// Denied prompts alone are over after a quiet time; an approved one among them
// takes a person, whatever comes after it.
func TestWhatTakesAPersonDoesNotGoQuiet(t *testing.T) {
	patient := *breakGlass
	patient.Quiet = 0
	onEach(t, func(t *testing.T, db database) {
		l := newLedger(t, db.open(t), Options{})
		apply(t, l, incident("ea", "e1", h), finding(&patient, detectors.Incident, "ea", "e2", 2*h), incident("ea", "e3", 3*h))
		if err := l.Sweep(t.Context(), day.Add(400*h)); err != nil {
			t.Fatal(err)
		}
		checkBrief(t, l, "emergency-signin ea open high since 1h0m0s repeats 2")
		apply(t, l, incident("ea", "e4", 300*h))
		checkBrief(t, l, "emergency-signin ea open high since 1h0m0s repeats 3")
	})
}

// Of two periods the one that ends last counts.
func TestTheLongerQuietPeriodCounts(t *testing.T) {
	brief := *breakGlass
	brief.Quiet = h
	onEach(t, func(t *testing.T, db database) {
		l := newLedger(t, db.open(t), Options{})
		apply(t, l, incident("ea", "e1", h), finding(&brief, detectors.Incident, "ea", "e2", 2*h))
		for _, after := range []struct {
			time.Duration
			state string
		}{{25 * h, "open"}, {25*h + time.Second, "closed"}} {
			if err := l.Sweep(t.Context(), day.Add(after.Duration)); err != nil {
				t.Fatal(err)
			}
			checkBrief(t, l, "emergency-signin ea "+after.state+" high since 1h0m0s repeats 1")
		}
	})
}

func TestAcknowledgementHoldsForTheEpisode(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		now := &clock{day.Add(5 * h)}
		l := newLedger(t, db.open(t), Options{Now: now.now})
		apply(t, l, weak("p", "e1", h), incident("ea", "i1", h), finding(labelDeleted, detectors.Weakened, "l", "d1", h))
		for _, v := range all(t, l, Filter{}) {
			for range 2 {
				if _, err := l.Acknowledge(t.Context(), v.ID, "eve", "on it"); err != nil {
					t.Fatal(err)
				}
			}
		}
		checkBrief(t, l, "ca-policy-disabled p acknowledged high since 1h0m0s acknowledged by eve",
			"emergency-signin ea closed high since 1h0m0s acknowledged by eve closed by eve",
			"label-deleted l closed high since 1h0m0s acknowledged by eve closed by eve")
		apply(t, l, weak("p", "e2", 2*h), weak("p", "e0", 30*time.Minute), incident("ea", "i2", 2*h))
		checkBrief(t, l, "ca-policy-disabled p acknowledged high since 30m0s repeats 2 acknowledged by eve",
			"emergency-signin ea open high since 2h0m0s",
			"label-deleted l closed high since 1h0m0s acknowledged by eve closed by eve")
		apply(t, l, back("p", "r", 3*h))
		checkBrief(t, l, "ca-policy-disabled p restored high since 30m0s restored 3h0m0s by bob@example.org repeats 2 acknowledged by eve",
			"emergency-signin ea open high since 2h0m0s",
			"label-deleted l closed high since 1h0m0s acknowledged by eve closed by eve")
		apply(t, l, weak("p", "e4", 4*h))
		checkBrief(t, l, "ca-policy-disabled p open high since 4h0m0s",
			"emergency-signin ea open high since 2h0m0s",
			"label-deleted l closed high since 1h0m0s acknowledged by eve closed by eve")
	})
}

func TestCloseIsAPersonsWord(t *testing.T) {
	l := newLedger(t, sqlite(t).open(t), Options{})
	id := ViolationID(tenant, "ca-policy-disabled", "p")
	if _, err := l.Close(t.Context(), id, "eve", "gone"); !errors.Is(err, ErrNotFound) {
		t.Errorf("close of nothing: %v", err)
	}
	apply(t, l, weak("p", "e1", h))
	v, err := l.Close(t.Context(), id, "eve", "the policy was removed")
	if err != nil || v.State != StatusClosed || v.ClosedBy != "eve" || v.AckedBy != "" || v.ClosedNote != "the policy was removed" {
		t.Errorf("closed: %+v, %v", v, err)
	}
	if _, err := l.Close(t.Context(), id, "eve", "again"); err != nil {
		t.Errorf("close again: %v", err)
	}
	apply(t, l, weak("p", "e2", 2*h), back("p", "e3", 3*h))
	if _, err := l.Acknowledge(t.Context(), id, "eve", ""); !errors.Is(err, ErrSettled) {
		t.Errorf("acknowledge what is restored: %v", err)
	}
}

func TestRolledBackBatchLeavesNothing(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		l := newLedger(t, db.open(t), Options{})
		boom := errors.New("boom")
		err := inTx(t.Context(), l.db, func(tx *sql.Tx) error {
			return errors.Join(l.Apply(t.Context(), tx, []detectors.Finding{weak("p", "e1", h)}), boom)
		})
		if !errors.Is(err, boom) {
			t.Fatal(err)
		}
		checkBrief(t, l)
		apply(t, l, weak("p", "e1", h))
		checkBrief(t, l, "ca-policy-disabled p open high since 1h0m0s")
	})
}

// Nothing an event holds may make a batch fail for ever.
func TestHostileTextIsStored(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		l := newLedger(t, db.open(t), Options{Route: chatRoute(t)})
		hostile := "a\x00b\xff\u202e" + strings.Repeat("ü", 100000)
		f := weak(hostile, hostile, h)
		f.Tenant, f.Name = hostile, hostile
		f.Evidence.Actor, f.Evidence.Action, f.Evidence.ActorIP = hostile, hostile, hostile
		f.Evidence.Position.Hub, f.Evidence.Position.ID = hostile, hostile
		other := f
		other.Evidence.EventID, other.Time = hostile+"x", f.Time.Add(h)
		nameless := f
		nameless.Evidence.EventID, nameless.Time = "", f.Time.Add(2*h)
		apply(t, l, f, other, nameless)
		v := all(t, l, Filter{})[0]
		if v.Repeats != 2 || len(v.Evidence) != 3 {
			t.Errorf("%d repeats, evidence %q: not told apart", v.Repeats, v.Evidence)
		}
		for name, s := range map[string]string{"subject": v.Subject, "name": v.SubjectName, "actor": v.Actor, "tenant": v.Tenant, "event": v.Evidence[0]} {
			if len(s) > maxText+3 || !utf8.ValidString(s) || strings.Contains(s, "\x00") {
				t.Errorf("%s of %d bytes: %.20q…", name, len(s), s)
			}
		}
		if v.ID != ViolationID(hostile, "ca-policy-disabled", hostile) {
			t.Error("the identity is not that of the whole subject")
		}
	})
}

func TestFindingWithoutRuleOrStateIsAnError(t *testing.T) {
	l := newLedger(t, sqlite(t).open(t), Options{})
	for _, f := range []detectors.Finding{{State: detectors.Weakened}, finding(caDisabled, "odd", "p", "e", h)} {
		err := inTx(t.Context(), l.db, func(tx *sql.Tx) error { return l.Apply(t.Context(), tx, []detectors.Finding{f}) })
		if err == nil {
			t.Errorf("%+v was taken", f)
		}
	}
}
