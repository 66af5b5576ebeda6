package detectors

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tended are entries that go by the clock, the last one unlike the others.
var tended = []*Meta{
	{Entry: "evidence-gap", Title: "Records are missing", Group: "stateful", Safeguards: []string{"AUDIT"}, Severity: High, GoesBy: []string{"log-off", "ca-off"}},
	{Entry: "stream-silence", Title: "A stream is silent", Group: "stateful", Safeguards: []string{"AUDIT"}, Severity: High, Restorable: true, GoesBy: []string{"log-off"}},
	{Entry: "open-too-long", Title: "Open too long", Group: "late", Safeguards: []string{"AUDIT", "MFA"}, Severity: High, Tags: []string{"attack.t1562"}},
}

func TestTuneReachesWhatGoesByTheClock(t *testing.T) {
	silent := func(by string) []string { return []string{"evidence-gap by " + by, "stream-silence by " + by} }
	tests := map[string]struct {
		disable, enable []string
		want            []string // "entry by selector"
	}{
		"nothing":                {},
		"an entry":               {disable: []string{"entry:stream-silence"}, want: []string{"stream-silence by entry:stream-silence"}},
		"the only safeguard":     {disable: []string{"safeguard:audit"}, want: append(silent("safeguard:audit"), "open-too-long by safeguard:audit")},
		"a second safeguard":     {disable: []string{"safeguard:MFA"}, want: []string{"open-too-long by safeguard:MFA"}},
		"a tag":                  {disable: []string{"tag:attack"}, want: []string{"open-too-long by tag:attack"}},
		"a group":                {disable: []string{"group:stateful"}, want: silent("group:stateful")},
		"all but a safeguard":    {disable: []string{"all"}, enable: []string{"safeguard:AUDIT"}},
		"a group but an entry":   {disable: []string{"group:late", "entry:evidence-gap"}, enable: []string{"entry:open-too-long"}, want: []string{"evidence-gap by entry:evidence-gap"}},
		"an entry of a group on": {disable: []string{"entry:stream-silence"}, enable: []string{"group:stateful"}, want: []string{"stream-silence by entry:stream-silence"}},
		"a rule":                 {disable: []string{"entry:log-off"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			set := packSet(t)
			if err := set.Tune(Pack{Disable: tt.disable, Enable: tt.enable}, tended...); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, c := range set.Clock {
				if by := c.DisabledBy(); by != "" {
					got = append(got, c.Entry+" by "+by)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if len(set.Clock) != len(tended) {
				t.Errorf("%d entries go by the clock, want all, in force or not", len(set.Clock))
			}
		})
	}
}

func TestTuneSetsLevelsOfWhatGoesByTheClock(t *testing.T) {
	tests := map[string]struct {
		severity map[string]string
		want     string // of stream-silence and of open-too-long, which by themselves are critical
	}{
		"none":                   {nil, "critical critical"},
		"an entry":               {map[string]string{"entry:stream-silence": "low"}, "low critical"},
		"a safeguard":            {map[string]string{"safeguard:AUDIT": "medium", "all": "high"}, "medium medium"},
		"an entry before it":     {map[string]string{"safeguard:AUDIT": "medium", "entry:open-too-long": "info"}, "medium info"},
		"a group, or all":        {map[string]string{"group:stateful": "low", "all": "high"}, "low high"},
		"the more severe of two": {map[string]string{"safeguard:AUDIT": "low", "safeguard:MFA": "medium"}, "low medium"},
		"a rule":                 {map[string]string{"entry:log-off": "low"}, "critical critical"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			set := packSet(t)
			if err := set.Tune(Pack{Severity: tt.severity}, tended...); err != nil {
				t.Fatal(err)
			}
			got := fmt.Sprint(set.ByClock("stream-silence").Level(Critical), " ", set.ByClock("open-too-long").Level(Critical))
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// TestTuneLeavesTheDescriptionsAlone holds a pack to its own set: the one that
// the next reload loads must not begin with its levels.
func TestTuneLeavesTheDescriptionsAlone(t *testing.T) {
	levels := func(p Pack) (out []Severity) {
		set := packSet(t)
		if err := set.Tune(p, tended...); err != nil {
			t.Fatal(err)
		}
		for _, c := range set.Clock {
			out = append(out, c.Severity)
		}
		return out
	}
	before := levels(Pack{})
	if levels(Pack{Severity: map[string]string{"all": "informational"}}); !slices.Equal(before, levels(Pack{})) {
		t.Error("the next set has the levels of the one before")
	}
}

func TestAnEntryThatNoPackKnowsIsInForce(t *testing.T) {
	c := packSet(t).ByClock("stream-silence") // of a set that is not tuned
	if c != nil || c.DisabledBy() != "" || c.Level(Medium) != Medium {
		t.Errorf("got %+v", c)
	}
}
