package alerting

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"phiwatch/detectors"
)

// cycles is that a safeguard goes, and comes half an hour later, at these hours.
func cycles(subject string, hours ...int) []detectors.Finding {
	var out []detectors.Finding
	for _, hour := range hours {
		at := time.Duration(hour) * h
		out = append(out, weak(subject, fmt.Sprint("off", hour), at), back(subject, fmt.Sprint("on", hour), at+h/2))
	}
	return out
}

func flapped(l *Ledger, t *testing.T) []string {
	t.Helper()
	var out []string
	for _, v := range all(t, l, Filter{}) {
		if v.Entry == flappingRule.Entry {
			out = append(out, brief(v))
		}
	}
	slices.Sort(out)
	return out
}

func TestWhatGoesAndComesThreeTimesADayIsTold(t *testing.T) {
	const p = "safeguard-flapping ca-policy-disabled + p open high since 5h30m0s"
	signIn := func(findings []detectors.Finding) []detectors.Finding {
		rule := *caDisabled
		rule.Entry = "signin-single-factor"
		for i := range findings {
			findings[i].Rule = &rule
		}
		return findings
	}
	correlated := func(findings []detectors.Finding) []detectors.Finding {
		rule := *caDisabled
		rule.Group = "stateful"
		for i := range findings {
			findings[i].Rule = &rule
		}
		return findings
	}
	for name, c := range map[string]struct {
		findings []detectors.Finding
		want     []string
	}{
		"three times":                  {cycles("p", 1, 3, 5), []string{p}},
		"three times, in any case":     {slices.Concat(cycles("p", 1, 3), cycles("P", 5)), []string{p}},
		"four times":                   {cycles("p", 1, 3, 5, 7), []string{p + " repeats 1"}},
		"the middle comes last":        {slices.Concat(cycles("p", 1, 5), cycles("p", 3)), []string{p}},
		"twice":                        {cycles("p", 1, 3), nil},
		"three times in two days":      {cycles("p", 1, 25, 48), nil},
		"three times, a day and less":  {cycles("p", 1, 3, 24), []string{"safeguard-flapping ca-policy-disabled + p open high since 24h30m0s"}},
		"three weakened, one restored": {append(cycles("p", 5), weak("p", "a", h), weak("p", "b", 2*h)), nil},
		"two of each of two things":    {slices.Concat(cycles("p", 1, 3), cycles("q", 5, 7)), nil},
		"repeats":                      {slices.Concat(cycles("p", 1, 3), cycles("p", 1, 3)), nil},
		"sign-ins":                     {signIn(cycles("p", 1, 3, 5)), nil},
		"correlations":                 {correlated(cycles("p", 1, 3, 5)), nil},
		"incidents":                    {[]detectors.Finding{incident("p", "a", h), incident("p", "b", 2*h), incident("p", "c", 3*h)}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLedger(t, sqlite(t).open(t), Options{Now: (&clock{day.Add(60 * h)}).now})
			for i := range c.findings {
				apply(t, l, c.findings[i])
			}
			if diff := cmp.Diff(c.want, flapped(l, t)); diff != "" {
				t.Errorf("one by one (-want +got):\n%s", diff)
			}
			l = newLedger(t, sqlite(t).open(t), Options{Now: (&clock{day.Add(60 * h)}).now})
			apply(t, l, c.findings...)
			if diff := cmp.Diff(c.want, flapped(l, t)); diff != "" {
				t.Errorf("at once (-want +got):\n%s", diff)
			}
		})
	}
}

// A restore that turns out to be none takes back what rested on it; when nothing is
// left, it is over: people have heard of it.
func TestWhatDidNotComeBackHasNotFlapped(t *testing.T) {
	l := newLedger(t, sqlite(t).open(t), Options{Now: (&clock{day.Add(60 * h)}).now})
	none := func(hour int) detectors.Finding {
		f := back("p", fmt.Sprint("on", hour), time.Duration(hour)*h+h/2)
		f.Revision, f.Strong = 1, []string{detectors.NoSide}
		return f
	}
	apply(t, l, cycles("p", 1, 3, 5, 7)...)
	apply(t, l, none(3))
	want := []string{"safeguard-flapping ca-policy-disabled + p open high since 7h30m0s"}
	if diff := cmp.Diff(want, flapped(l, t)); diff != "" {
		t.Errorf("after one of four (-want +got):\n%s", diff)
	}
	apply(t, l, none(5))
	want = []string{"safeguard-flapping ca-policy-disabled + p restored high since 7h30m0s restored 7h30m0s by "}
	if diff := cmp.Diff(want, flapped(l, t)); diff != "" {
		t.Errorf("after two of four (-want +got):\n%s", diff)
	}
}

// The evidence of an incident that the ledger finds says who did it last, and
// which violation it is of.
func TestEvidenceOfWhatGoesAndComes(t *testing.T) {
	l := newLedger(t, sqlite(t).open(t), Options{Now: (&clock{day.Add(60 * h)}).now})
	apply(t, l, cycles("p", 1, 3, 5)...)
	detail, err := l.Violation(t.Context(), ViolationID(tenant, flappingRule.Entry, "ca-policy-disabled + p"))
	if err != nil {
		t.Fatal(err)
	}
	v := detail.Violation
	if v.Actor != "bob@example.org" || !strings.HasPrefix(v.Action, "weakened and restored 3 times within 24h, last by ") || len(v.Evidence) != 1 {
		t.Fatalf("told of %q, %q, %q", v.Actor, v.Action, v.Evidence)
	}
	e, err := l.Evidence(t.Context(), v.Evidence[0])
	if err != nil {
		t.Fatal(err)
	}
	var record struct{ Violation, Event string }
	if err := json.Unmarshal(e, &record); err != nil {
		t.Fatal(err)
	}
	if record.Violation != ViolationID(tenant, "ca-policy-disabled", "p") || record.Event != "on5" {
		t.Errorf("the record is %s", e)
	}
}

func TestAPackDecidesWhetherWhatGoesAndComesIsTold(t *testing.T) {
	told := func(severity string) []string {
		return []string{"safeguard-flapping ca-policy-disabled + p open " + severity + " since 5h30m0s"}
	}
	for name, c := range map[string]struct {
		pack detectors.Pack
		want []string
	}{
		"no pack":          {detectors.Pack{}, told("high")},
		"the entry off":    {detectors.Pack{Disable: []string{"entry:safeguard-flapping"}}, nil},
		"another severity": {detectors.Pack{Severity: map[string]string{"entry:safeguard-flapping": "low"}}, told("low")},
	} {
		t.Run(name, func(t *testing.T) {
			set := new(detectors.Set)
			if err := set.Tune(c.pack, FlappingRule()); err != nil {
				t.Fatal(err)
			}
			l := newLedger(t, sqlite(t).open(t), Options{Now: (&clock{day.Add(60 * h)}).now})
			l.SetFlapping(set.ByClock(flappingRule.Entry))
			apply(t, l, cycles("p", 1, 3, 5)...)
			if diff := cmp.Diff(c.want, flapped(l, t)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// What goes and comes all day is remembered in bounds.
func TestWhatGoesAndComesAllDayIsBounded(t *testing.T) {
	l := newLedger(t, sqlite(t).open(t), Options{Now: (&clock{day.Add(60 * h)}).now})
	var findings []detectors.Finding
	for i := range 100 {
		at := time.Duration(i) * 2 * time.Minute
		findings = append(findings, weak("p", fmt.Sprint("off", i), at), back("p", fmt.Sprint("on", i), at+time.Minute))
	}
	apply(t, l, findings...)
	tx, err := l.db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	id := ViolationID(tenant, "ca-policy-disabled", "p")
	rows, err := loadRows(t.Context(), tx, []string{id})
	if err != nil {
		t.Fatal(err)
	}
	if got := rows[id].episode.Turns; len(got.Flapped) != maxFlaps || len(got.Cycles) != flapTimes {
		t.Errorf("%d flaps and %d cycles are remembered, want %d and %d", len(got.Flapped), len(got.Cycles), maxFlaps, flapTimes)
	}
	tx.Rollback()
	if want := []string{"safeguard-flapping ca-policy-disabled + p open high since 5m0s repeats 97"}; !slices.Equal(want, flapped(l, t)) {
		t.Errorf("got %q, want %q", flapped(l, t), want)
	}
}
