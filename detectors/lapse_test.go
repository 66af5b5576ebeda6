package detectors

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// loadThing loads one rule with a list tap_lifetime.
func loadThing(rule string, lifetime ...string) (*Set, error) {
	return Load(map[string][]string{"tap_lifetime": lifetime}, Source{FS: fstest.MapFS{"r/thing.yml": {Data: []byte(rule)}}})
}

func TestWhatLapsesDoesSoAfterTheOperatorsPeriod(t *testing.T) {
	const lapses = "  lapses: {after: 720h, list: '%tap_lifetime%'}\n"
	for _, test := range []struct {
		safeguard string
		list      []string
		want      time.Duration
		mistake   string
	}{
		{safeguard: lapses, want: 720 * time.Hour},
		{safeguard: lapses, list: []string{"8h"}, want: 8 * time.Hour},
		{safeguard: "", list: []string{"8h"}, want: 0},
		{safeguard: lapses, list: []string{"8"}, mistake: `list tap_lifetime: "8": use a positive duration such as 8h or 30m`},
		{safeguard: lapses, list: []string{"8h", "1h"}, mistake: "list tap_lifetime has 2 values: give one duration such as 8h, or none for 720h0m0s"},
		{safeguard: "  lapses: {after: -1h}\n", mistake: `safeguard.lapses: after: "-1h": use a positive duration`},
		{safeguard: "  lapses: {until: 1h}\n", mistake: "safeguard.lapses"},
		{safeguard: "  incident: true\n" + lapses, mistake: "safeguard.lapses is for what an event weakens: give an incident quiet"},
		{safeguard: "  quiet: 1h\n", mistake: "safeguard.quiet needs incident: true"},
	} {
		set, err := loadThing(exchangeRule(holds, test.safeguard), test.list...)
		switch {
		case test.mistake != "" && (err == nil || !strings.Contains(err.Error(), test.mistake) || !strings.Contains(err.Error(), "r/thing.yml:")):
			t.Errorf("%s %v: got error %v, want %s", test.safeguard, test.list, err, test.mistake)
		case test.mistake == "" && err != nil:
			t.Errorf("%s %v: %v", test.safeguard, test.list, err)
		case test.mistake == "" && set.Rules[0].Quiet != test.want:
			t.Errorf("%s %v: lapses after %s, want %s", test.safeguard, test.list, set.Rules[0].Quiet, test.want)
		case test.mistake == "" && test.want > 0 && !slices.Contains(set.Rules[0].Lists(), "tap_lifetime"):
			t.Errorf("the rule reads the lists %v, want tap_lifetime among them", set.Rules[0].Lists())
		}
	}
}

func TestAPassLapsesAndIsRestored(t *testing.T) {
	for _, r := range loadCatalog(t).Rules() {
		if r.Entry == "tap-issued" && (r.Quiet != 30*24*time.Hour || !r.Restorable) {
			t.Errorf("a pass lapses after %s and restorable is %t, want the longest lifetime that a tenant can allow, 720h, and true", r.Quiet, r.Restorable)
		}
	}
}
