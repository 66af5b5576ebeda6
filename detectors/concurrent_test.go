package detectors

import (
	"slices"
	"sync"
	"testing"

	"phiwatch/ingest"
)

// Partitions decode and match at the same time, with one engine: what each finds
// is what it finds alone. The race detector has this one to look at.
func TestMatchConcurrently(t *testing.T) {
	e, data := loadCatalog(t), newTraffic(500)
	find := func() []string {
		dec := ingest.NewDecoder()
		dec.Use(e.Plan())
		var matches []Match
		var out []string
		for _, m := range data.messages {
			dec.Decode(m, func(ev *ingest.Event) {
				matches = e.Match(ev, matches[:0])
				for i := range matches {
					f := &matches[i].Finding
					out = append(out, string(f.State)+" "+f.Subject+" "+f.Evidence.EventID+" "+string(matches[i].feeds))
				}
			}, func(q ingest.Quarantined) { t.Error(q.Detail) })
		}
		return out
	}
	want := find()
	if len(want) == 0 {
		t.Fatal("nothing matches: the traffic is no good for this")
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if got := find(); !slices.Equal(got, want) {
				t.Errorf("%d matches, want those that one alone finds, %d", len(got), len(want))
			}
		})
	}
	wg.Wait()
}
