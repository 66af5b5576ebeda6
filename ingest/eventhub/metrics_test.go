package eventhub

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestMetricsExistAtZeroAndPassTheLint(t *testing.T) {
	reg := newRegistry()
	newMetrics(reg, []string{"ns.example.net/logs", "ns.example.net/risks"})
	n, err := testutil.GatherAndCount(reg)
	if want := 2 * (7 + len(Classes())); n != want || err != nil {
		t.Errorf("%d series before anything happened, want %d (%v)", n, want, err)
	}
	problems, err := testutil.GatherAndLint(reg)
	if len(problems) > 0 || err != nil {
		t.Error(problems, err)
	}
}
