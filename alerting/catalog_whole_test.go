package alerting_test

import (
	"io/fs"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"phiwatch/alerting"
	"phiwatch/detectors"
	"phiwatch/detectors/rules"
)

// inexact are the entries whose findings depend, as their descriptions say, on
// what comes late: one with a lateness of six hours, two with a baseline, which is
// judged as events come.
var inexact = []string{"off-act-on", "label-mass-removal", "mass-download"}

// TestWholeCatalogGivesTheSameLedgerInAnyOrder plays the test events of all rules
// together, through all of them: what one rule finds of another's events, and what
// correlations find across entries, must not depend on the order either.
func TestWholeCatalogGivesTheSameLedgerInAnyOrder(t *testing.T) {
	files, err := fs.Glob(rules.FS, "*/*.yml")
	if err != nil {
		t.Fatal(err)
	}
	lists, err := detectors.ScenarioLists(rules.FS)
	if err != nil {
		t.Fatal(err)
	}
	set, err := detectors.Load(lists, detectors.Source{FS: rules.FS})
	if err != nil {
		t.Fatal(err)
	}
	fresh := func(t *testing.T) *player {
		t.Helper()
		e, err := detectors.New(set, detectors.NewMetrics(prometheus.NewRegistry()))
		if err != nil {
			t.Fatal(err)
		}
		return &player{t: t, db: catalogDB(t), engine: e}
	}
	p := fresh(t)
	var records []played
	for _, file := range files {
		s, err := detectors.ReadScenario(rules.FS, file)
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, p.match(s)...)
	}
	records = slices.DeleteFunc(records, func(r played) bool { return r.at.IsZero() })
	parts := inTime(records)
	r := rand.New(rand.NewPCG(5, 7))
	want := exact(p.ledger(r, records, false))
	for _, near := range parts {
		r.Shuffle(len(near), func(i, j int) { near[i], near[j] = near[j], near[i] })
	}
	if diff := cmp.Diff(want, exact(fresh(t).ledger(r, records, true))); diff != "" {
		t.Errorf("%d records in any order, against their order in time (-want +got):\n%s", len(records), diff)
	}
}

// byMinute are the entries of which, before anything is known open, the first event
// of each minute is kept: how many there were may differ.
var byMinute = []string{"noncompliant-device-phi", "report-only-would-block", "tap-then-new-place", "weak-tls-in-use"}

// exact returns violations by entry and subject, but for those that are inexact, and
// for what was told and taken back at once: in their order it is not told.
func exact(all []alerting.Violation) map[string]alerting.Violation {
	out := map[string]alerting.Violation{}
	for _, v := range all {
		if !slices.Contains(inexact, v.Entry) && !v.Restored.Equal(v.Opened) {
			if slices.Contains(byMinute, v.Entry) {
				v.Repeats, v.Evidence = 0, nil
			}
			out[v.Entry+" of "+v.Subject] = v
		}
	}
	return out
}
