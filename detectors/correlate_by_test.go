package detectors

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

const givenAndTaken = `
title: given
name: given
logsource: {product: m365, service: audit}
detection: {s: {Operation: Give}, condition: s}
---
title: taken
name: taken
logsource: {product: m365, service: audit}
detection: {s: {Operation: Take}, condition: s}
---
title: given and taken
correlation: {type: temporal_ordered, rules: [given, taken], group-by: [ObjectId], timespan: 1h}
safeguard: {entry: given-and-taken, by: given}
---
title: near each other
correlation: {type: temporal, rules: [given, taken], group-by: [ObjectId], timespan: 1h}
safeguard: {entry: near-each-other, by: given}
`

// Whoever takes away what somebody gave is not the one to ask.
func TestByNamesWhoDidIt(t *testing.T) {
	for name, first := range map[string]string{"in order": "Give", "out of order": "Take"} {
		t.Run(name, func(t *testing.T) {
			e, db := newEngine(t, setOf(t, givenAndTaken)), openDB(t)
			give := auditRecord(1, noon, "Give", "mallory@example.org", "role", 1)
			take := strings.Replace(auditRecord(2, noon.Add(20*time.Minute), "Take", "dora@example.org", "role", 1), "203.0.113.9", "198.51.100.7", 1)
			records := []string{give, take}
			if first == "Take" {
				records = []string{take, give}
			}
			var got []Finding
			for _, r := range records {
				got = append(got, applyBatch(t, e, db, true, r)...)
			}
			if len(got) != 2 {
				t.Fatalf("found %v", tell(got))
			}
			for _, f := range got {
				if f.Evidence.Actor != "mallory@example.org" || f.Evidence.ActorIP != "203.0.113.9" || f.Evidence.Action != "Give" {
					t.Errorf("%s is by %s from %s, who did %s", f.Rule.Entry, f.Evidence.Actor, f.Evidence.ActorIP, f.Evidence.Action)
				}
				if !f.Time.Equal(noon.Add(20*time.Minute)) || !strings.HasSuffix(f.Evidence.EventID, "/id-2") {
					t.Errorf("%s is of %s, %s: want the event that made it true", f.Rule.Entry, f.Time, f.Evidence.EventID)
				}
				var p proof
				if err := json.Unmarshal(f.Evidence.Record, &p); err != nil {
					t.Fatal(err)
				}
				if len(p.Events) != 2 || p.Events[0].Actor != "mallory@example.org" || p.Events[1].Actor != "dora@example.org" {
					t.Errorf("%s: evidence lists %+v, want both", f.Rule.Entry, p.Events)
				}
			}
		})
	}
}

func TestByNeedsARuleThatIsToldApart(t *testing.T) {
	for name, c := range map[string]struct{ from, to, want string }{
		"another rule": {"by: given}", "by: giver}", `safeguard.by "giver": name one of the rules`},
		"special":      {"given-and-taken, by: given}", "given-and-taken, while_open: true, by: given}", "safeguard.by is not for while_open"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(givenAndTaken, c.from, c.to, 1)
			_, err := Load(nil, Source{FS: fstest.MapFS{"stateful/set.yml": {Data: []byte(text)}}})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

// Of the catalog's correlations whose last event may be the victim's or the
// defender's, the first one's actor is told.
func TestCatalogNamesWhoDidIt(t *testing.T) {
	e := loadCatalog(t)
	for entry, want := range map[string][]string{
		"role-add-remove":        {"Add member to role"},
		"cmk-hijack":             {"Microsoft.Storage/storageAccounts/write"},
		"cmk-unusable":           {"KeyDelete", "KeyUpdate", "Microsoft.KeyVault/vaults/accessPolicies/write"},
		"label-strip-then-share": {"AnonymousLinkCreated", "AddedToSecureLink"},
	} {
		found := inTestEvents(t, e, entry)
		if len(found) == 0 {
			t.Errorf("%s: nothing is found", entry)
		}
		for _, f := range found {
			if !slices.ContainsFunc(want, func(s string) bool { return strings.EqualFold(f.Evidence.Action, s) }) {
				t.Errorf("%s tells of %q by %q, want who did one of %q", entry, f.Evidence.Action, f.Evidence.Actor, want)
			}
		}
	}
}
