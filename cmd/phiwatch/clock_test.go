package main

import (
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"phiwatch/alerting"
	"phiwatch/detectors/blindness"
	"phiwatch/ingest"
)

// TestReloadReachesWhatGoesByTheClock switches the watch and the sweep off and
// on under a daemon, and holds what they found to what becomes of a rule's
// violations: those that are open stay open while it is off.
func TestReloadReachesWhatGoesByTheClock(t *testing.T) {
	d, file := idleDaemonOf(t)
	base, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	step := func(connected bool, after time.Duration) {
		t.Helper()
		now = now.Add(after)
		hub := blindness.HubHealth{Hub: "example/audit", Connected: connected, Known: connected}
		if err := d.pipeline.judge(t.Context(), now, []blindness.HubHealth{hub}); err != nil {
			t.Fatal(err)
		}
		if err := d.sweepOverdue(t.Context(), now); err != nil {
			t.Fatal(err)
		}
	}
	use := func(pack string) {
		t.Helper()
		write(t, file, string(base)+pack)
		if err := d.reload(); err != nil {
			t.Fatal(err)
		}
	}
	check := func(when string, want ...string) {
		t.Helper()
		all, err := allViolations(t.Context(), d.ledger)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, v := range all {
			got = append(got, v.Entry+" "+string(v.State)+" "+v.Severity)
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", when, diff)
		}
	}
	const off = "rules: {disable: ['entry:hub-unreachable', 'entry:safeguard-open-too-long']}\n"
	use(off)
	for range 3 {
		step(false, 10*time.Minute)
	}
	check("off from the beginning")
	use("rules: {severity: {'entry:hub-unreachable': high, 'safeguard:AUDIT': low}}\n")
	step(false, 10*time.Minute)
	step(false, 10*time.Minute)
	step(false, 5*time.Hour)
	check("on, at other levels", "hub-unreachable open high", "safeguard-open-too-long open low")
	use(off)
	step(true, 10*time.Minute)
	step(true, 10*time.Minute)
	check("off while they are open", "hub-unreachable open high", "safeguard-open-too-long open low")
	use("")
	step(true, 10*time.Minute)
	step(true, 10*time.Minute)
	check("on again", "hub-unreachable restored high", "safeguard-open-too-long restored low")
}

// TestReloadLeavesOpenWhatARuleFound is the same for a rule.
func TestReloadLeavesOpenWhatARuleFound(t *testing.T) {
	d, file := idleDaemonOf(t)
	base, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	events := scenario(t, "authentication/ca-policy-disabled.yml")
	for _, s := range []struct {
		pack, event string
		want        alerting.Status
	}{
		{"", "hit", alerting.StatusOpen},
		{"rules: {disable: ['entry:ca-policy-disabled']}\n", "restore", alerting.StatusOpen},
		{"", "restore", alerting.StatusRestored},
	} {
		write(t, file, string(base)+s.pack)
		if err := d.reload(); err != nil {
			t.Fatal(err)
		}
		if err := d.pipeline.handle(t.Context(), ingest.Batch{Messages: []ingest.Message{{Body: events.Body(s.event)}}}); err != nil {
			t.Fatal(err)
		}
		all, err := allViolations(t.Context(), d.ledger)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(all, func(v alerting.Violation) bool { return v.Entry == "ca-policy-disabled" })
		if i < 0 || all[i].State != s.want {
			t.Errorf("after %s under %q: got %+v, want it %s", s.event, s.pack, all, s.want)
		}
	}
}
