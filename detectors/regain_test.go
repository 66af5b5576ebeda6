package detectors

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const regainSet = `
title: Label taken away
id: 3b1c9d00-0000-4000-8000-0000000000a1
logsource: {product: m365, service: audit}
detection: {s: {Operation: Take}, condition: s}
level: medium
safeguard:
  entry: label-taken
  subject: ObjectId
  restored: {s: {Operation: Give}, condition: s}
  regained: {lost: ClientIP, now: ClientIP}
---
title: Label given back
correlation: {type: event_count, rules: ['label-taken:restored'], group-by: [event.subject], timespan: 1m, condition: {gte: 1}}
level: low
safeguard: {entry: given-back}
`

// What gives too little back is no restore for correlations either.
func TestTooLittleFeedsNoCorrelation(t *testing.T) {
	e, db := newEngine(t, setOf(t, regainSet)), openDB(t)
	events := script("1 Take ann a", "2 Give ann a", "3 Give ann a")
	events[1] = strings.ReplaceAll(events[1], "203.0.113.9", "198.51.100.1") // another label, so to speak
	var got []string
	for _, f := range applyBatch(t, e, db, true, events...) {
		got = append(got, f.Time.Format("4")+" "+f.Rule.Entry+" "+string(f.State))
	}
	if diff := cmp.Diff([]string{"1 label-taken weakened", "3 label-taken restored", "3 given-back incident"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
