package main

import (
	"testing"

	"phiwatch/alerting"
	"phiwatch/detectors"
)

// A violation's whole history is read to see whether it is there: once, or a
// subject that goes and comes a thousand times takes minutes.
func TestReplayAsksOnceForEachViolation(t *testing.T) {
	f := detectors.Finding{
		Tenant: "t", Subject: "s", State: detectors.Restored,
		Rule: &detectors.Meta{Entry: "e"},
	}
	there := known{nil, map[string]bool{alerting.ViolationID("t", "e", "s"): true}} // without a ledger to ask
	if got := there.only(t.Context(), []detectors.Finding{f, f}); len(got) != 2 {
		t.Errorf("%d of 2 restores of a known violation are shown", len(got))
	}
}
