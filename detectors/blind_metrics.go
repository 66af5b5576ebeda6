package detectors

import (
	"github.com/prometheus/client_golang/prometheus"

	"phiwatch/ingest"
)

// watchMetrics are those of a Watch.
type watchMetrics struct {
	findings  *prometheus.CounterVec
	lastEvent *prometheus.GaugeVec
	silent    *prometheus.GaugeVec
	streams   *prometheus.GaugeVec
	untracked prometheus.Counter
}

func newWatchMetrics(reg prometheus.Registerer) *watchMetrics {
	byKind := func(name, help string) *prometheus.GaugeVec {
		g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, []string{"kind"})
		for _, k := range ingest.Kinds() {
			g.WithLabelValues(k.String())
		}
		reg.MustRegister(g)
		return g
	}
	m := &watchMetrics{
		lastEvent: byKind("phiwatch_stream_last_event_timestamp_seconds", "Event time of the newest record of a kind, of any tenant; 0 if there never was one."),
		silent:    byKind("phiwatch_stream_silent", "Streams of a kind (by tenant, of the unified audit log also by workload) that are silent now."),
		streams:   byKind("phiwatch_streams", "Streams of a kind that have been heard or are expected."),
		findings: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "phiwatch_blindness_findings_total",
			Help: "Findings about the audit trail itself by entry and state (weakened, restored, incident).",
		}, []string{"entry", "state"}),
		untracked: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "phiwatch_streams_untracked_total",
			Help: "Rounds in which a stream was left out because too many are followed already.",
		}),
	}
	reg.MustRegister(m.findings, m.untracked)
	for _, r := range watched {
		if !r.Restorable {
			m.findings.WithLabelValues(r.Entry, string(Incident))
			continue
		}
		m.findings.WithLabelValues(r.Entry, string(Weakened))
		m.findings.WithLabelValues(r.Entry, string(Restored))
	}
	return m
}

func (m *watchMetrics) count(f *Finding) {
	m.findings.WithLabelValues(f.Rule.Entry, string(f.State)).Inc()
}

// gauges returns what shows the round once it is committed.
func (t *tick) gauges() func() {
	type gauge struct{ last, silent, streams float64 }
	by := map[ingest.Kind]gauge{}
	for _, s := range t.streams {
		g := by[s.kind]
		g.streams++
		if !s.happened.IsZero() {
			g.last = max(g.last, float64(s.happened.UnixMicro())/1e6)
		}
		if t.alarm(streamSilence, s.tenant, s.subject()).open || t.alarm(partialSilence, s.tenant, s.subject()).open {
			g.silent++
		}
		by[s.kind] = g
	}
	return func() {
		for _, k := range ingest.Kinds() {
			name := k.String()
			t.metrics.lastEvent.WithLabelValues(name).Set(by[k].last)
			t.metrics.silent.WithLabelValues(name).Set(by[k].silent)
			t.metrics.streams.WithLabelValues(name).Set(by[k].streams)
		}
	}
}
