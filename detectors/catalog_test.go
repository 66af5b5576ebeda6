package detectors

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"phiwatch/detectors/rules"
	"phiwatch/ingest"
)

func loadCatalog(t testing.TB) *Engine {
	t.Helper()
	lists, err := ScenarioLists(rules.FS)
	if err != nil {
		t.Fatal(err)
	}
	set, err := Load(lists, Source{FS: rules.FS})
	if err != nil {
		t.Fatal(err)
	}
	e, err := New(set, NewMetrics(prometheus.NewRegistry()))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// decodeAll decodes a payload and calls f with each event.
func decodeAll(t testing.TB, payload []byte, f func(*ingest.Event)) {
	t.Helper()
	ingest.NewDecoder().Decode(ingest.Message{Body: payload}, f, func(q ingest.Quarantined) {
		t.Fatalf("quarantined: %s: %s", q.Reason, q.Detail)
	})
}

// TestCatalog runs every rule's test events through the real decoder and
// engine, with the index and without it, and compares with the file's want.
func TestCatalog(t *testing.T) {
	e := loadCatalog(t)
	for _, r := range e.Rules() {
		t.Run(r.Entry, func(t *testing.T) {
			s, err := ReadScenario(rules.FS, r.File)
			if err != nil {
				t.Fatalf("every rule has test events beside it: %v", err)
			}
			var got []string
			for _, p := range s.Events {
				got = append(got, describe(t, e, r, p.Name, p.Body)...)
			}
			if diff := cmp.Diff(s.Want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

// describe returns the findings of a payload as lines of the section want: the
// rule's own, and what other rules find weakened. What restores one entry often
// restores its neighbours; that is theirs to test.
func describe(t *testing.T, e *Engine, r *Rule, name string, payload []byte) []string {
	var lines []string
	decodeAll(t, payload, func(ev *ingest.Event) {
		plain := e.matchAll(ev, nil)
		if diff := cmp.Diff(keys(plain), keys(e.Match(ev, nil))); diff != "" {
			t.Errorf("%s: index and plain evaluation differ (-plain +index):\n%s", name, diff)
		}
		for _, m := range plain {
			f := &m.Finding
			switch {
			case f.Rule.Entry != r.Entry && f.State != Restored:
				lines = append(lines, fmt.Sprintf("%s: also %s", name, f.Rule.Entry))
			case f.Rule.Entry != r.Entry:
			case f.State == Restored:
				lines = append(lines, fmt.Sprintf("%s: restored %s", name, f.Subject))
			default:
				lines = append(lines, fmt.Sprintf("%s: %s %s %s", name, f.State, f.Severity, f.Subject))
			}
		}
	})
	if len(lines) == 0 {
		lines = []string{name + ": none"}
	}
	return lines
}

// keys tells matches apart, in an order of its own.
func keys(matches []Match) []string {
	var out []string
	for _, m := range matches {
		f := &m.Finding
		out = append(out, fmt.Sprint(f.Rule.Entry, f.State, f.Severity, f.Tenant, f.Subject, f.Time))
	}
	slices.Sort(out)
	return out
}
