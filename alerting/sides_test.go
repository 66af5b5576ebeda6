package alerting

import (
	"math/rand/v2"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"phiwatch/detectors"
)

// of makes a finding one of some sides of its safeguard.
func of(f detectors.Finding, weak, strong []string) detectors.Finding {
	f.Weak, f.Strong = weak, strong
	return f
}

func TestViolationIsOverWhenNoSideIsWeak(t *testing.T) {
	side := func(names ...string) []string { return names }
	for _, tt := range []struct {
		name     string
		findings []detectors.Finding
		want     string
	}{
		{"a part of it", []detectors.Finding{of(weak("p", "e1", h), side("a", "b"), nil), of(back("p", "e2", 2*h), nil, side("a"))},
			"ca-policy-disabled p open high since 1h0m0s"},
		{"one after the other", []detectors.Finding{of(weak("p", "e1", h), side("a", "b"), nil), of(back("p", "e2", 2*h), nil, side("a")), of(back("p", "e3", 3*h), nil, side("b"))},
			"ca-policy-disabled p restored high since 1h0m0s restored 3h0m0s by bob@example.org"},
		{"by weakenings of others", []detectors.Finding{of(weak("p", "e1", h), side("a"), nil), of(weak("p", "e2", 2*h), side("b"), side("a")), of(back("p", "e3", 3*h), nil, side("b"))},
			"ca-policy-disabled p restored high since 1h0m0s restored 3h0m0s by bob@example.org repeats 1"},
		{"by all of a name", []detectors.Finding{of(weak("p", "e1", h), side("group: a", "group: b"), nil), of(back("p", "e2", 2*h), nil, side("group: *"))},
			"ca-policy-disabled p restored high since 1h0m0s restored 2h0m0s by bob@example.org"},
		{"by all of a name and one more", []detectors.Finding{of(weak("p", "e1", h), side("group: a", "role: a*", "role: b"), nil), of(back("p", "e2", 2*h), nil, side("role: a*", "group: *", "role: b"))},
			"ca-policy-disabled p restored high since 1h0m0s restored 2h0m0s by bob@example.org"},
		{"a value that ends so", []detectors.Finding{of(weak("p", "e1", h), side("role: ab"), nil), of(back("p", "e2", 2*h), nil, side("role: a*"))},
			"ca-policy-disabled p open high since 1h0m0s"},
		{"all of another name", []detectors.Finding{of(weak("p", "e1", h), side("group: a", "role: b"), nil), of(back("p", "e2", 2*h), nil, side("group: *"))},
			"ca-policy-disabled p open high since 1h0m0s"},
		{"as a whole", []detectors.Finding{of(weak("p", "e1", h), side("a", "b"), nil), back("p", "e2", 2*h)},
			"ca-policy-disabled p restored high since 1h0m0s restored 2h0m0s by bob@example.org"},
		{"a side of what is weak as a whole", []detectors.Finding{weak("p", "e1", h), of(back("p", "e2", 2*h), nil, side("a"))},
			"ca-policy-disabled p open high since 1h0m0s"},
		{"a newer judgement weakens", []detectors.Finding{weak("p", "e1", h), back("p", "e2", 2*h), judged(weak("p", "e2", 2*h), 1)},
			"ca-policy-disabled p open high since 1h0m0s repeats 1"},
		{"a newer judgement restores", []detectors.Finding{weak("p", "e1", h), weak("p", "e2", 2*h), judged(back("p", "e2", 2*h), 1)},
			"ca-policy-disabled p restored high since 1h0m0s restored 2h0m0s by bob@example.org"},
		{"it never was", []detectors.Finding{weak("p", "e2", 2*h), judged(back("p", "e2", 2*h), 1)},
			"ca-policy-disabled p restored high since 2h0m0s restored 2h0m0s by bob@example.org"},
		{"it never was, and gave nothing back", []detectors.Finding{weak("p", "e2", 2*h), judged(of(back("p", "e2", 2*h), nil, []string{detectors.NoSide}), 1)},
			"ca-policy-disabled p restored high since 2h0m0s restored 2h0m0s by bob@example.org"},
		{"one of two never was", []detectors.Finding{weak("p", "e1", h), weak("p", "e2", 2*h), judged(of(back("p", "e2", 2*h), nil, []string{detectors.NoSide}), 1)},
			"ca-policy-disabled p open high since 1h0m0s"},
		{"what never was after it was over", []detectors.Finding{weak("p", "e1", h), back("p", "e3", h+h/2), weak("p", "e2", 2*h), judged(of(back("p", "e2", 2*h), nil, []string{detectors.NoSide}), 1)},
			"ca-policy-disabled p restored high since 1h0m0s restored 1h30m0s by bob@example.org"},
		{"it was after all", []detectors.Finding{weak("p", "e2", 2*h), judged(of(back("p", "e2", 2*h), nil, []string{detectors.NoSide}), 1), judged(weak("p", "e2", 2*h), 2)},
			"ca-policy-disabled p open high since 2h0m0s"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(3, 4))
			for range 6 {
				l := newLedger(t, sqlite(t).open(t), Options{})
				for _, f := range tt.findings {
					apply(t, l, f)
				}
				checkBrief(t, l, tt.want)
				r.Shuffle(len(tt.findings), func(i, j int) { tt.findings[i], tt.findings[j] = tt.findings[j], tt.findings[i] })
			}
		})
	}
}

func judged(f detectors.Finding, n int) detectors.Finding {
	f.Revision = n
	return f
}

// What was told and taken back must not end what is compacted.
func TestWhatNeverWasDoesNotEndWhatIsCompacted(t *testing.T) {
	never := func(event string, at time.Duration) detectors.Finding {
		return judged(of(back("p", event, at), nil, []string{detectors.NoSide}), 1)
	}
	l := newLedger(t, sqlite(t).open(t), Options{Now: (&clock{day.Add(10000 * h)}).now})
	apply(t, l, weak("p", "e0", h))
	apply(t, l, weak("p", "e1", 200*h))
	apply(t, l, weak("p", "e2", 400*h), never("e2", 400*h))
	apply(t, l, never("e1", 200*h)) // too late to count
	checkBrief(t, l, "ca-policy-disabled p open high since 1h0m0s repeats 1")
}

// What is compacted must remember the weak sides.
func TestWeakSidesOutliveCompaction(t *testing.T) {
	l := newLedger(t, sqlite(t).open(t), Options{Now: (&clock{day.Add(10000 * h)}).now})
	apply(t, l, of(weak("p", "e0", h), []string{"a"}, nil))
	for i := range 120 {
		f := of(weak("p", "", time.Duration(2+i)*h), []string{"b"}, nil)
		f.Evidence.EventID = "w" + f.Time.Format(time.RFC3339)
		apply(t, l, f)
	}
	apply(t, l, of(back("p", "r1", 130*h), nil, []string{"b"}))
	if got := all(t, l, Filter{})[0].State; got != StatusOpen {
		t.Errorf("%s with a side still weak", got)
	}
	apply(t, l, of(back("p", "r2", 131*h), nil, []string{"a"}))
	if diff := gocmp.Diff(StatusRestored, all(t, l, Filter{})[0].State); diff != "" {
		t.Error(diff)
	}
}
