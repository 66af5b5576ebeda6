package alerting

import (
	"github.com/prometheus/client_golang/prometheus"
)

// dispatchMetrics are the figures that no table holds.
type dispatchMetrics struct {
	ownDelay *prometheus.HistogramVec
}

func newDispatchMetrics(reg prometheus.Registerer) (*dispatchMetrics, error) {
	m := &dispatchMetrics{
		ownDelay: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "phiwatch_own_delay_seconds",
			Help:    "Time from the hub accepting an event to the request about it leaving for the receiver.",
			Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 15, 60, 300, 1800, 7200, 86400},
		}, []string{"receiver"}),
	}
	return m, reg.Register(m.ownDelay)
}

// create makes the series of the receivers, at zero.
func (m *dispatchMetrics) create(receivers []string) {
	for _, name := range receivers {
		m.ownDelay.WithLabelValues(name)
	}
}

func (m *dispatchMetrics) observe(receiver string, a *attempt) {
	if a.enqueued > 0 {
		m.ownDelay.WithLabelValues(receiver).Observe(max(0, a.began.Sub(fromMicros(a.enqueued))).Seconds())
	}
}
