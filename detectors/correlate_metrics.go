package detectors

import "github.com/prometheus/client_golang/prometheus"

// eviction is why a correlation forgot an event before its time.
type eviction string

const (
	fullWindow     eviction = "window"  // too many events of one group
	tooManyWindows eviction = "windows" // too many groups
	full           eviction = "total"   // too many events of all correlations
)

// skipping is why an event that a rule matched did not take part.
type skipping string

const (
	noGroup skipping = "no_group" // it has no value for a field of group-by
	noValue skipping = "no_value" // it has none to count, or not a number
	tooLate skipping = "late"     // it came later than the lateness
)

// correlationMetrics tell of the windows.
type correlationMetrics struct {
	windows prometheus.Gauge
	samples prometheus.Gauge
	evicted map[eviction]prometheus.Counter
	skipped map[skipping]prometheus.Counter
}

func newCorrelationMetrics(reg prometheus.Registerer) correlationMetrics {
	evicted := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "phiwatch_correlation_evicted_total",
		Help: "Events that correlations forgot before their time, because a window (window), the number of windows (windows) or all windows together (total) were full.",
	}, []string{"reason"})
	skipped := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "phiwatch_correlation_skipped_total",
		Help: "Matches that did not take part in a correlation as it says: without a value for group-by (no_group), without one to count (no_value), or later than the lateness (late).",
	}, []string{"reason"})
	m := correlationMetrics{
		windows: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "phiwatch_correlation_keys",
			Help: "Windows in memory: groups of all correlations.",
		}),
		samples: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "phiwatch_correlation_events",
			Help: "Events in the windows of all correlations.",
		}),
		evicted: map[eviction]prometheus.Counter{}, skipped: map[skipping]prometheus.Counter{},
	}
	for _, r := range []eviction{fullWindow, tooManyWindows, full} {
		m.evicted[r] = evicted.WithLabelValues(string(r))
	}
	for _, r := range []skipping{noGroup, noValue, tooLate} {
		m.skipped[r] = skipped.WithLabelValues(string(r))
	}
	reg.MustRegister(m.windows, m.samples, evicted, skipped)
	return m
}

// skip counts an event that does not take part.
func (s *scope) skip(reason skipping) {
	if s.metrics != nil {
		s.metrics.skipped[reason].Inc()
	}
}
