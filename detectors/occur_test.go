package detectors

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"phiwatch/ingest"
)

func TestRulesWhoseFieldsOccur(t *testing.T) {
	rule := func(entry, selection string) string {
		return fmt.Sprintf(`
title: T
logsource: {product: azure, service: auditlogs}
detection:
  selection: %s
  condition: selection
safeguard: {entry: %s, subject: properties.id}
`, selection, entry)
	}
	e := engineOf(t, nil, rule("one-of-two", "{properties.noSuchThing: x, operationName: another}"), rule("absent", "{properties.noSuchThing: x}"),
		rule("nulled", "{properties.nothing: x}"), rule("words", "[anywhere]"), packRule("counted", "x", "", ""), `
title: C
correlation: {type: event_count, rules: [counted], group-by: [tenantId], timespan: 1m, condition: {gte: 2}}
safeguard: {entry: often}
`)
	reads := map[string]string{}
	for _, r := range e.Rules() {
		fields, kinds := r.Reads()
		for _, k := range kinds {
			fields = append(fields, "in "+k.String())
		}
		reads[r.Entry] = strings.Join(fields, ", ")
	}
	want := map[string]string{
		"one-of-two": "properties.noSuchThing, operationName, in entra-audit", "absent": "properties.noSuchThing, in entra-audit",
		"nulled": "properties.nothing, in entra-audit", "words": "", "counted": "operationName, in entra-audit", "often": "",
	}
	if diff := cmp.Diff(want, reads); diff != "" {
		t.Errorf("what rules read: %s", diff)
	}
	var got []string
	decodeAll(t, []byte(`{"time":"2026-09-14T08:00:00Z","category":"AuditLogs","operationName":"x","tenantId":"t1","properties":{"id":"a","nothing":null}}`), func(ev *ingest.Event) {
		for _, r := range e.Occurring(ev, e.Rules()) {
			got = append(got, r.Entry)
		}
	})
	if diff := cmp.Diff([]string{"one-of-two", "counted"}, got); diff != "" {
		t.Errorf("what occurs: %s", diff)
	}
}
