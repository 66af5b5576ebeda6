package blindness

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"phiwatch/detectors"
	"phiwatch/ingest"
)

// BenchmarkGlimpse is what the watch adds to the cost of an event, in batches of
// a thousand that change between two kinds.
func BenchmarkGlimpse(b *testing.B) {
	w := New(Options{}, detectors.NewMetrics(prometheus.NewRegistry()), prometheus.NewRegistry())
	now := time.Date(2026, 9, 14, 8, 0, 0, 0, time.UTC)
	tenant := "8a1b2c3d-0000-4000-8000-000000000001"
	events := []ingest.Event{
		{Kind: ingest.EntraSignIn, Tenant: tenant, Time: now.Add(-time.Minute), Enqueued: now},
		{Kind: ingest.M365Audit, Tenant: tenant, Workload: "Exchange", Time: now.Add(-time.Minute), Enqueued: now},
	}
	batch := ingest.Batch{Partition: ingest.Partition{Hub: "example/audit", ID: "0"}}
	b.ReportAllocs()
	for n := 0; n < b.N; {
		g := w.Begin(&batch)
		for range 1000 {
			g.Event(&events[n/7&1])
			n++
		}
		w.Saw(g, now)
	}
}

// BenchmarkGlimpseOfFollowedKind is the same for the records of vaults, while the
// setting of one of them is off: each is looked at for where it comes from.
func BenchmarkGlimpseOfFollowedKind(b *testing.B) {
	w := New(Options{}, detectors.NewMetrics(prometheus.NewRegistry()), prometheus.NewRegistry())
	w.listeners.Store(listenFor([]*cut{{cutKey: cutKey{"t1", "a"}, kind: ingest.KeyVault, resource: strings.ToLower(vaultA)}}))
	now := time.Date(2026, 9, 14, 8, 0, 0, 0, time.UTC)
	batch := ingest.Batch{Partition: ingest.Partition{Hub: "example/audit", ID: "0"}}
	record := fmt.Appendf(nil, `{"time":"2026-09-14T08:00:00Z","category":"AuditEvent","operationName":"SecretGet","resourceId":%q}`, vaultB)
	b.ReportAllocs()
	decodeAll(b, record, func(ev *ingest.Event) {
		for n := 0; n < b.N; {
			g := w.Begin(&batch)
			for range 1000 {
				g.Event(ev)
				n++
			}
			w.Saw(g, now)
		}
	})
}
