package eventhub

import "github.com/prometheus/client_golang/prometheus"

// metrics are labelled by hub (from the configuration) and class (Classes).
type metrics struct {
	connected *prometheus.GaugeVec
	owned     *prometheus.GaugeVec
	rebuilds  *prometheus.CounterVec
	errors    *prometheus.CounterVec
	retries   *prometheus.CounterVec
	received  *prometheus.CounterVec
	bytes     *prometheus.CounterVec
	resets    *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer, hubs []string) *metrics {
	gauge := func(name, help string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "phiwatch", Name: name, Help: help}, []string{"hub"})
	}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "phiwatch", Name: name, Help: help}, append([]string{"hub"}, labels...))
	}
	m := &metrics{
		connected: gauge("eventhub_connected", "Whether the hub answers (1) or not (0)."),
		owned:     gauge("partitions_owned", "Partitions of the hub that this process reads."),
		rebuilds:  counter("eventhub_rebuilds_total", "Times the hub's client was built anew after a failure."),
		errors:    counter("eventhub_errors_total", "Errors of the hub by class.", "class"),
		retries:   counter("eventhub_redeliveries_total", "Batches delivered again because deciding them did not succeed."),
		received:  counter("eventhub_messages_received_total", "Messages received from the hub."),
		bytes:     counter("eventhub_bytes_received_total", "Bytes of message bodies received from the hub."),
		resets:    counter("eventhub_position_resets_total", "Positions dropped because the hub was created anew; its partition is read from the start."),
	}
	for _, hub := range hubs {
		m.connected.WithLabelValues(hub)
		m.owned.WithLabelValues(hub)
		for _, c := range []*prometheus.CounterVec{m.rebuilds, m.retries, m.received, m.bytes, m.resets} {
			c.WithLabelValues(hub)
		}
		for _, c := range Classes() {
			m.errors.WithLabelValues(hub, string(c))
		}
	}
	reg.MustRegister(m.connected, m.owned, m.rebuilds, m.errors, m.retries, m.received, m.bytes, m.resets)
	return m
}
