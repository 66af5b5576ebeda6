package detectors

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// whileOpenFound is what the entries of specialSet with while_open find, each
// finding once, with its evidence.
func whileOpenFound(findings []Finding) []string {
	var out []string
	for i := range findings {
		if f := &findings[i]; slices.Contains([]string{"read-while-off", "written", "sent-from-new"}, f.Rule.Entry) {
			out = append(out, fmt.Sprintf("%s %s", f.Time.Format("15:04:05.000000"), strings.Join(tell(findings[i:i+1]), "")), "  "+string(f.Evidence.Record))
		}
	}
	return out
}

// revised leaves of what was found and taken back what was told last.
func revised(findings []Finding) []Finding {
	last := map[string]int{}
	key := func(f *Finding) string { return f.Rule.Entry + string(f.State) + f.Evidence.EventID }
	for i := range findings {
		if f := &findings[i]; f.Revision >= last[key(f)] {
			last[key(f)] = f.Revision
		}
	}
	return slices.DeleteFunc(slices.Clone(findings), func(f Finding) bool {
		event, back := strings.CutSuffix(f.Evidence.EventID, "/back")
		weak := f
		weak.State, weak.Evidence.EventID = Weakened, event
		return f.Revision < last[key(&f)] || back && last[key(&weak)]%2 == 0
	})
}

var whileOpenCases = map[string]struct {
	events, want []string
}{
	"closed before it is used": {
		script("2 Off ben a", "4 On ben a", "5 Read ann a", "6 Write ann a", "7 Send ann a"),
		[]string{"switch of a: low restored"},
	},
	"used, then closed": {
		script("2 Off ben a", "3 Read ann a", "4 Write ann a", "5 On ben a", "6 Read cid a", "7 Write cid a"),
		[]string{"read-while-off of a: medium restored", "switch of a: low restored", "written of a: medium incident"},
	},
	"opened again": {
		script("2 Off ben a", "4 On ben a", "5 Read ann a", "5 Write ann a", "6 Off ben a", "7 Write cid a", "8 Write eve a", "9 On ben a", "10 Read ann a"),
		[]string{"switch of a: low restored", "written of a: medium incident"},
	},
	"used while open again": {
		script("2 Off ben a", "4 On ben a", "5 Read ann a", "6 Off ben a", "7 Read cid a"),
		[]string{"read-while-off of a: medium weakened", "switch of a: low weakened"},
	},
	"another thing is open": {
		script("2 Off ben a", "2 Off ben b", "4 On ben a", "5 Read ann a", "6 Read ann b"),
		[]string{"read-while-off of b: medium weakened", "switch of a: low restored", "switch of b: low weakened"},
	},
	"closed twice": {
		script("2 Off ben a", "3 Read ann a", "4 On ben a", "5 Read ann a", "6 On ben a"),
		[]string{"read-while-off of a: medium restored", "switch of a: low restored"},
	},
	"seen before, and new": {
		script("1 Read ann a", "2 Off ben a", "3 Send ann a", "4 Send eve a", "5 On ben a", "6 Send cid a"),
		[]string{"sent-from-new of a: medium restored", "switch of a: low restored"},
	},
}

// What is found does not depend on where the batches begin, nor on the order
// within them.
func TestWhileOpenIsFoundTheSameHoweverItIsBatched(t *testing.T) {
	set := setOf(t, specialSet)
	play := func(t *testing.T, batches ...[]string) []Finding {
		t.Helper()
		e, db := newEngine(t, set), openDB(t)
		var got []Finding
		for _, batch := range batches {
			got = append(got, applyBatch(t, e, db, true, batch...)...)
		}
		return got
	}
	for name, c := range whileOpenCases {
		t.Run(name, func(t *testing.T) {
			var each [][]string
			for _, ev := range c.events {
				each = append(each, []string{ev})
			}
			got := play(t, each...)
			want := whileOpenFound(got)
			if diff := cmp.Diff(c.want, ledgerOf(got)); diff != "" {
				t.Fatalf("one each (-want +got):\n%s", diff)
			}
			rng := rand.New(rand.NewPCG(3, 5))
			for range 12 {
				events := slices.Clone(c.events)
				cut := rng.IntN(len(events) + 1)
				for _, batch := range [][]string{events[:cut], events[cut:]} {
					rng.Shuffle(len(batch), func(i, j int) { batch[i], batch[j] = batch[j], batch[i] })
				}
				again := events[rng.IntN(len(events))] // and repeated
				got := play(t, events[:cut], events[cut:], []string{again})
				if diff := cmp.Diff(want, whileOpenFound(got)); diff != "" {
					t.Fatalf("%q, cut at %d, against one each (-want +got):\n%s", events, cut, diff)
				}
				if diff := cmp.Diff(c.want, ledgerOf(got)); diff != "" {
					t.Fatalf("%q, cut at %d, ledger (-want +got):\n%s", events, cut, diff)
				}
			}
		})
	}
}

// In any order over any batches the same stays weak, and a restore is only told of
// what was told before it.
func TestWhileOpenRestoresWhatWasTold(t *testing.T) {
	set := setOf(t, specialSet)
	for name, c := range whileOpenCases {
		t.Run(name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(11, 13))
			for range 12 {
				events := slices.Clone(c.events)
				rng.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
				e, db := newEngine(t, set), openDB(t)
				told := map[string]bool{}
				var all []Finding
				for rest := events; len(rest) > 0; {
					n := 1 + rng.IntN(len(rest))
					got := applyBatch(t, e, db, true, rest[:n]...)
					all = append(all, got...)
					for _, f := range got {
						key := f.Rule.Entry + " of " + f.Subject
						if f.State == Restored && f.Rule.Entry != "switch" && !told[key] {
							t.Fatalf("%q: a restore of %s, which was never told", events, key)
						}
						told[key] = true
					}
					rest = rest[n:]
				}
				over := func(line string) bool { return !strings.HasSuffix(line, " weakened") }
				want, got := slices.DeleteFunc(slices.Clone(c.want), over), slices.DeleteFunc(ledgerOf(revised(all)), over)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("%q: what stays weak (-want +got):\n%s", events, diff)
				}
			}
		})
	}
}
