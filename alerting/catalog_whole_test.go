package alerting_test

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"phiwatch/alerting"
	"phiwatch/detectors"
	"phiwatch/detectors/rules"
)

// TestWholeCatalogGivesTheSameLedgerInAnyOrder plays the test events of all rules
// together, through all of them: what one rule finds of another's events, and what
// correlations find across entries, must not depend on the order either.
func TestWholeCatalogGivesTheSameLedgerInAnyOrder(t *testing.T) {
	c := catalogOf(t)
	fresh := func(t *testing.T) *player {
		t.Helper()
		e, err := detectors.New(c.whole, detectors.NewMetrics(prometheus.NewRegistry()))
		if err != nil {
			t.Fatal(err)
		}
		return &player{t: t, db: catalogDB(t), engine: e}
	}
	p := fresh(t)
	var records []played
	for _, file := range c.files {
		s, err := detectors.ReadScenario(rules.FS, file)
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, p.match(s)...)
	}
	records = slices.DeleteFunc(records, func(r played) bool { return r.at.IsZero() })
	parts := inTime(records)
	r := rand.New(rand.NewPCG(5, 7))
	want := exact(t, p.ledger(r, records, false))
	for _, near := range parts {
		r.Shuffle(len(near), func(i, j int) { near[i], near[j] = near[j], near[i] })
	}
	if diff := cmp.Diff(want, exact(t, fresh(t).ledger(r, records, true))); diff != "" {
		t.Errorf("%d records in any order, against their order in time (-want +got):\n%s", len(records), diff)
	}
}

// byMinute are the entries of which, before anything is known open, the first event
// of each minute is kept: how many there were may differ.
var byMinute = []string{"noncompliant-device-phi", "report-only-would-block", "tap-then-new-place", "weak-tls-in-use"}

// inexact are the entries that by their correlation's own description depend on what
// comes late.
var inexact = sync.OnceValues(func() (map[string]bool, error) {
	set, err := detectors.Load(nil, detectors.Source{FS: rules.FS})
	if err != nil {
		return nil, err
	}
	e, err := detectors.New(set, detectors.NewMetrics(prometheus.NewRegistry()))
	if err != nil {
		return nil, err
	}
	out := map[string]bool{}
	for _, r := range e.Rules() {
		out[r.Entry] = out[r.Entry] || e.Lateness(r) < detectors.Lateness
	}
	return out, nil
})

// exact returns violations by entry and subject, but for those that are inexact, and
// for what was told and taken back at once: in their order it is not told.
func exact(t *testing.T, all []alerting.Violation) map[string]alerting.Violation {
	t.Helper()
	leave, err := inexact()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]alerting.Violation{}
	for _, v := range all {
		if over := v.Restored.Sub(v.Opened); leave[v.Entry] || over == 0 || over == time.Microsecond { // of parts, the moment after
			continue
		}
		if slices.Contains(byMinute, v.Entry) {
			v.Repeats, v.Evidence = 0, nil
		}
		v = anyName(v)
		out[v.Entry+" of "+v.Subject] = v
	}
	return out
}

// firstHeard are the entries whose violations are called by the name that was heard
// first: the cmdlet that purges does not know the case, the one that makes a
// configuration knows no organisation.
var firstHeard = []string{"search-purge", "message-encryption-weakened"}

// anyName returns a violation by a name that does not depend on what was heard first.
func anyName(v alerting.Violation) alerting.Violation {
	if slices.Contains(firstHeard, v.Entry) && v.SubjectName != "" {
		v.ID, v.Subject = "", v.SubjectName
	}
	return v
}
