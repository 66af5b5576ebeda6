package ingest

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestMetricsExistAtZeroAndAreClean(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	NewMetrics(reg)
	problems, err := testutil.GatherAndLint(reg)
	if err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
	for name, want := range map[string]int{
		"phiwatch_events_total": len(Kinds()), "phiwatch_quarantined_total": len(Reasons()), "phiwatch_repaired_total": len(RepairNames()),
		"phiwatch_quarantine_evicted_total": len(Evictions()), "phiwatch_records_received_total": 1, "phiwatch_messages_decided_total": 1, "phiwatch_source_delay_seconds": 1,
	} {
		if got, err := testutil.GatherAndCount(reg, name); got != want || err != nil {
			t.Errorf("%s has %d series, want %d (%v)", name, got, want, err)
		}
	}
}

func TestMetricsCount(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	m := NewMetrics(reg)
	m.now = func() time.Time { return time.Unix(1_770_000_065, 0) }
	b := upTo("me", 5)
	b.Behind = 40
	t1 := &Tally{Messages: int64(len(b.Messages))}
	t1.Event(&Event{Kind: KeyVault, Repaired: RepairedQuotes | RepairedJoined, Time: time.Unix(100, 0), Enqueued: time.Unix(107, 0)})
	t1.Event(&Event{Kind: KeyVault})
	t1.Quarantine(&Quarantined{Reason: Truncated})
	if err := t1.Check(); err != nil {
		t.Error(err)
	}
	m.Decided(b, t1)
	m.Decided(Batch{Partition: Partition{Hub: fileHub, ID: "x.jsonl"}, Behind: -1, Messages: make([]Message, 2)}, &Tally{Messages: 2})
	m.Evicted(EvictedAge, 3)
	want := `
# HELP phiwatch_messages_decided_total Messages decided; one may hold any number of records, none included.
# TYPE phiwatch_messages_decided_total counter
phiwatch_messages_decided_total 5
# HELP phiwatch_records_received_total Records found in messages: events and quarantined.
# TYPE phiwatch_records_received_total counter
phiwatch_records_received_total 3
# HELP phiwatch_partition_lag_events Messages the hub held beyond the last batch decided.
# TYPE phiwatch_partition_lag_events gauge
phiwatch_partition_lag_events{hub="ns.example.net/audit",partition="3"} 40
# HELP phiwatch_partition_lag_seconds Age of the last message decided when it was, while the hub held more; else 0.
# TYPE phiwatch_partition_lag_seconds gauge
phiwatch_partition_lag_seconds{hub="ns.example.net/audit",partition="3"} 60
# HELP phiwatch_partition_sequence_number Sequence number of the last message decided.
# TYPE phiwatch_partition_sequence_number gauge
phiwatch_partition_sequence_number{hub="ns.example.net/audit",partition="3"} 5
`
	err := testutil.GatherAndCompare(reg, strings.NewReader(want), "phiwatch_messages_decided_total", "phiwatch_records_received_total",
		"phiwatch_partition_lag_events", "phiwatch_partition_lag_seconds", "phiwatch_partition_sequence_number")
	if err != nil {
		t.Error(err)
	}
	for name, c := range map[string]prometheus.Counter{"key-vault": m.events[KeyVault]} {
		if got := testutil.ToFloat64(c); got != 2 {
			t.Errorf("%s: %v", name, got)
		}
	}
	if q, j, l := testutil.ToFloat64(m.repaired[0]), testutil.ToFloat64(m.repaired[2]), testutil.ToFloat64(m.repaired[1]); q != 1 || j != 1 || l != 0 {
		t.Errorf("repaired quotes %v, joined %v, line breaks %v", q, j, l)
	}
	if got := testutil.ToFloat64(m.evicted[EvictedAge]); got != 3 {
		t.Errorf("evicted %v", got)
	}
	m.Forget(somePartition)
	if n, _ := testutil.GatherAndCount(reg, "phiwatch_partition_lag_events"); n != 0 {
		t.Errorf("%d series of a partition that is gone", n)
	}
}
