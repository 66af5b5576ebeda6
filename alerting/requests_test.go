package alerting_test

import (
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"phiwatch/alerting"
	"phiwatch/detectors"
	"phiwatch/detectors/rules"
)

// What an Azure operation changes often stands in its request only, on the Start
// record, while the outcome tells nothing. TestRequestsDecideWhatIsOver plays
// records from the rules' test events in many orders, none later than 72 hours: a
// violation is over when those that were asked for, and done, put back what was
// lost. What an answer repeats opens none, and restores nothing.
func TestRequestsDecideWhatIsOver(t *testing.T) {
	const (
		deleted  = "audit/azure-diag-deleted.yml"
		hold     = "audit/blob-legal-hold-cleared.yml"
		recovery = "audit/blob-recovery-off.yml"
		public   = "transmission/storage-public-access.yml"
	)
	lists, err := detectors.ScenarioLists(rules.FS)
	if err != nil {
		t.Fatal(err)
	}
	db := catalogDB(t)
	for name, c := range map[string]struct {
		rule   string
		events string
		want   alerting.Status // empty: none
	}{
		"a setting with less than before":      {deleted, "hit-ten near-miss-less-asked near-miss-less-done", alerting.StatusOpen},
		"a setting with metrics only":          {deleted, "hit-ten near-miss-metrics-asked near-miss-metrics-done", alerting.StatusOpen},
		"a setting of which nothing is told":   {deleted, "hit-ten near-miss-untold", alerting.StatusOpen},
		"a setting that was refused":           {deleted, "hit-ten near-miss-refused", alerting.StatusOpen},
		"a setting as it was":                  {deleted, "hit-ten restore-asked restore-done", alerting.StatusRestored},
		"an answer with less than before":      {deleted, "hit-ten-answered near-miss-less-answered", alerting.StatusOpen},
		"an answer that tells it all":          {deleted, "hit-ten-answered restore-answered", alerting.StatusRestored},
		"one of two tags":                      {hold, "hit-split-asked hit-split-done near-miss-first-asked near-miss-first-done", alerting.StatusOpen},
		"a hold of unknown tags":               {hold, "hit-split-asked hit-split-done near-miss-unknown", alerting.StatusOpen},
		"a hold that was refused":              {hold, "hit-split-asked hit-split-done near-miss-refused", alerting.StatusOpen},
		"both tags, one after the other":       {hold, "hit-split-asked hit-split-done near-miss-first-asked near-miss-first-done restore-second-asked restore-second-done", alerting.StatusRestored},
		"an answer with both tags":             {hold, "hit-answered restore-answered", alerting.StatusRestored},
		"a hold after one of unknown tags":     {hold, "hit-split-done near-miss-unknown", alerting.StatusRestored},
		"a tag after a hold of unknown tags":   {hold, "hit-split-done near-miss-first-asked near-miss-first-done", alerting.StatusRestored},
		"another tag than those that are told": {hold, "hit-split-asked hit-split-done restore-second-asked restore-second-done", alerting.StatusOpen},
		"a rule of which nothing is told":      {recovery, "hit-rule-asked hit-rule-done near-miss-rule-untold near-miss-rule-refused", alerting.StatusOpen},
		"a rule that deletes later":            {recovery, "hit-rule-asked hit-rule-done near-miss-rule-untold restore-rule-asked restore-rule-done", alerting.StatusRestored},
		"an answer with the default":           {public, "near-miss-default-answer", ""},
		"an answer that contradicts a request": {public, "before-denied hit-answer", alerting.StatusOpen},
		"the same answer four days later":      {public, "before-denied hit-answer near-miss-answer-later", alerting.StatusOpen},
		"an answer as it was":                  {public, "before-denied hit-answer near-miss-answer-later restore-answer", alerting.StatusRestored},
		"networks of a private account":        {public, "before-split-asked before-split-done near-miss-private-answer", ""},
		"one of two accesses":                  {public, "before-split-asked before-split-done near-miss-private-answer hit-split-asked hit-split-done near-miss-denied", alerting.StatusOpen},
		"private again, by request":            {public, "before-split-asked before-split-done near-miss-private-answer hit-split-asked hit-split-done restore-split-asked restore-split-done", alerting.StatusRestored},
		"public blobs in an answer":            {public, "before-blobs hit-blobs-answer", alerting.StatusOpen},
		"none in the next":                     {public, "before-blobs hit-blobs-answer restore-blobs-answer", alerting.StatusRestored},
	} {
		t.Run(name, func(t *testing.T) {
			rule, err := fs.ReadFile(rules.FS, c.rule)
			if err != nil {
				t.Fatal(err)
			}
			s, err := detectors.ReadScenario(rules.FS, c.rule)
			if err != nil {
				t.Fatal(err)
			}
			names := strings.Fields(c.events)
			s.Events = slices.DeleteFunc(s.Events, func(p detectors.Payload) bool { return !slices.Contains(names, p.Name) })
			if len(s.Events) != len(names) {
				t.Fatalf("%s has not all of the events %s", c.rule, c.events)
			}
			p := &player{t: t, db: db, engine: loadOne(t, c.rule, rule, lists)}
			records := p.match(s)
			r := rand.New(rand.NewPCG(7, 7))
			for range 24 {
				for _, near := range inTime(records) {
					r.Shuffle(len(near), func(i, j int) { near[i], near[j] = near[j], near[i] })
				}
				var states []alerting.Status
				for _, v := range p.ledger(r, records, true) {
					states = append(states, v.State)
				}
				if want := []alerting.Status{c.want}; !slices.Equal(states, want[:min(len(c.want), 1)]) {
					t.Fatalf("violations are %q, want %q", states, c.want)
				}
			}
		})
	}
}
