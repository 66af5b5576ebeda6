package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"phiwatch/detectors"
	"phiwatch/detectors/rules"
)

func payloadAt(name string, times ...string) detectors.Payload {
	var records []string
	for _, at := range times {
		records = append(records, `{"category":"AuditLogs","operationName":"x","time":"2026-09-`+at+`:00Z","properties":{"id":"`+at+`","activityDateTime":"2026-09-`+at+`:00Z"}}`)
	}
	return detectors.Payload{Name: name, Body: []byte(`{"records":[` + strings.Join(records, ",") + `]}`)}
}

func names(events []detectors.Payload) string {
	var out []string
	for _, p := range events {
		out = append(out, p.Name)
	}
	return strings.Join(out, " ")
}

func TestBackwardsIsNoLaterThanRulesAllow(t *testing.T) {
	events := []detectors.Payload{
		payloadAt("c", "03T08:00"), payloadAt("a", "01T08:00"), payloadAt("b", "02T08:00", "02T20:00"), payloadAt("d", "09T08:00"),
	}
	for _, tt := range []struct {
		late time.Duration
		want string
	}{
		{72 * time.Hour, "c b a d"},
		{48 * time.Hour, "b a c d"}, // c is two days after a
		{30 * time.Hour, "a c b d"}, // so is the second event of b, nearly
		{0, "a b c d"},
	} {
		if got := names(backwards(events, tt.late)); got != tt.want {
			t.Errorf("no later than %s: %s, want %s", tt.late, got, tt.want)
		}
	}
}

// What the ledger says in the order of the file is not what it says backwards:
// here because the former is a lie.
func TestOrderTestTellsWhatDiffers(t *testing.T) {
	set := catalogSet(t)
	engine, err := detectors.New(set, detectors.NewMetrics(prometheus.NewRegistry()))
	if err != nil {
		t.Fatal(err)
	}
	db, err := openState(t.Context(), filepath.Join(t.TempDir(), "state.db"), false)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	o, err := newOrderTest(db, engine, set)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range engine.Rules() {
		if r.Entry != "ca-policy-disabled" {
			continue
		}
		s, err := detectors.ReadScenario(rules.FS, r.File)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := o.play(t.Context(), r, s); err != nil || got != "" {
			t.Errorf("play: %q, %v, want nothing", got, err)
		}
		got, err := o.differences(t.Context(), r, s, []string{"somebody: open"})
		if err != nil || !strings.Contains(got, "in the ledger when the events are played ") || !strings.Contains(got, "want somebody: open") || !strings.Contains(got, "restored critical opened 2026-") {
			t.Errorf("differences: %q, %v", got, err)
		}
	}
}
