package blindness

import (
	"github.com/prometheus/client_golang/prometheus"

	"phiwatch/detectors"
	"phiwatch/ingest"
)

// metrics are those of a Watch.
type metrics struct {
	found     *detectors.Metrics
	lastEvent *prometheus.GaugeVec
	silent    *prometheus.GaugeVec
	untracked prometheus.Counter
}

func newMetrics(m *detectors.Metrics, reg prometheus.Registerer) *metrics {
	byKind := func(name, help string) *prometheus.GaugeVec {
		g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, []string{"kind"})
		for _, k := range ingest.Kinds() {
			g.WithLabelValues(k.String())
		}
		reg.MustRegister(g)
		return g
	}
	w := &metrics{
		found:     m,
		lastEvent: byKind("phiwatch_stream_last_event_timestamp_seconds", "Event time of the newest record of a kind, of any tenant; 0 if there never was one."),
		silent:    byKind("phiwatch_stream_silent", "Streams of a kind (by tenant, of some kinds also by workload or category) that are silent now."),
		untracked: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "phiwatch_streams_untracked_total",
			Help: "Rounds in which a stream was left out because too many are followed already.",
		}),
	}
	reg.MustRegister(w.untracked)
	for _, r := range watched {
		if !r.Restorable {
			m.Findings(r.Entry, detectors.Incident)
			continue
		}
		m.Findings(r.Entry, detectors.Weakened)
		m.Findings(r.Entry, detectors.Restored)
	}
	return w
}

// count counts a finding, which comes from no match.
func (m *metrics) count(f *detectors.Finding) {
	m.found.Findings(f.Rule.Entry, f.State).Inc()
}

// gauges returns what shows the round once it is committed, and counts its findings.
func (t *tick) gauges() func() {
	type gauge struct{ last, silent float64 }
	by := map[ingest.Kind]gauge{}
	for _, s := range t.streams {
		g := by[s.kind]
		if !s.happened.IsZero() {
			g.last = max(g.last, float64(s.happened.UnixMicro())/1e6)
		}
		if t.told(streamSilence, s.tenant, s.subject()) || t.told(partialSilence, s.tenant, s.subject()) || t.told(offAndSilent, s.tenant, s.subject()) {
			g.silent++
		}
		by[s.kind] = g
	}
	return func() {
		for i := range t.findings {
			t.metrics.count(&t.findings[i])
		}
		for _, k := range ingest.Kinds() {
			name := k.String()
			t.metrics.lastEvent.WithLabelValues(name).Set(by[k].last)
			t.metrics.silent.WithLabelValues(name).Set(by[k].silent)
		}
	}
}
