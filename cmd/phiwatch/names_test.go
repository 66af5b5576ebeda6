package main

import (
	"slices"
	"testing"
)

func TestNamesAreThoseOfAllRulesInForceOrNot(t *testing.T) {
	c := defaultConfig()
	c.Rules.Disable = []string{"entry:sql-tde-off", "entry:stream-silence"}
	set, err := c.loadRules()
	if err != nil {
		t.Fatal(err)
	}
	n := namesOf(set)
	for _, entry := range []string{"sql-tde-off", "stream-silence", "safeguard-open-too-long", "ca-policy-disabled"} {
		if !slices.Contains(n.Entries, entry) {
			t.Errorf("%s is not an entry", entry)
		}
	}
	for _, code := range []string{"CA", "CA-APPS", "AUTHN", "HOLD", "TDE"} {
		if !slices.Contains(n.Safeguards, code) {
			t.Errorf("%s is not a safeguard", code)
		}
	}
	if !slices.IsSorted(n.Safeguards) || len(slices.Compact(slices.Clone(n.Safeguards))) != len(n.Safeguards) {
		t.Errorf("safeguards are not sorted, each once: %q", n.Safeguards)
	}
}
