package ingest

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics counts what comes in. It may be used concurrently.
type Metrics struct {
	messages    prometheus.Counter
	received    prometheus.Counter
	events      [kindCount]prometheus.Counter
	quarantined map[Reason]prometheus.Counter
	repaired    [len(repairNames)]prometheus.Counter
	evicted     map[Eviction]prometheus.Counter
	sourceDelay prometheus.Histogram
	lagEvents   *prometheus.GaugeVec
	lagSeconds  *prometheus.GaugeVec
	sequence    *prometheus.GaugeVec
	now         func() time.Time
}

// NewMetrics registers the metrics of package ingest on reg. Those of a closed
// set exist at zero; those of a partition from when it is first decided.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{quarantined: map[Reason]prometheus.Counter{}, evicted: map[Eviction]prometheus.Counter{}, now: time.Now}
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
		reg.MustRegister(c)
		return c
	}
	vec := func(name, help, label string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{label})
		reg.MustRegister(c)
		return c
	}
	partition := func(name, help string) *prometheus.GaugeVec {
		g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, []string{"hub", "partition"})
		reg.MustRegister(g)
		return g
	}
	m.messages = counter("phiwatch_messages_decided_total", "Messages decided; one may hold any number of records, none included.")
	m.received = counter("phiwatch_records_received_total", "Records found in messages: events and quarantined.")
	events := vec("phiwatch_events_total", "Records decoded, by kind.", "kind")
	for k := range m.events {
		m.events[k] = events.WithLabelValues(Kind(k).String())
	}
	quarantined := vec("phiwatch_quarantined_total", "Records that could not be decoded, by reason.", "reason")
	for _, r := range Reasons() {
		m.quarantined[r] = quarantined.WithLabelValues(string(r))
	}
	repaired := vec("phiwatch_repaired_total", "Records that were damaged and could be repaired, by repair; one may need several.", "repair")
	for i, name := range RepairNames() {
		m.repaired[i] = repaired.WithLabelValues(name)
	}
	evicted := vec("phiwatch_quarantine_evicted_total", "Quarantined records given up, by cause.", "cause")
	for _, e := range Evictions() {
		m.evicted[e] = evicted.WithLabelValues(string(e))
	}
	m.sourceDelay = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name:    "phiwatch_source_delay_seconds",
		Help:    "From when an event happened to when the hub accepted it: the delay of the source, not of phiwatch.",
		Buckets: []float64{1, 5, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 43200, 86400, 259200},
	})
	reg.MustRegister(m.sourceDelay)
	m.lagEvents = partition("phiwatch_partition_lag_events", "Messages the hub held beyond the last batch decided.")
	m.lagSeconds = partition("phiwatch_partition_lag_seconds", "Age of the last message decided when it was, while the hub held more; else 0.")
	m.sequence = partition("phiwatch_partition_sequence_number", "Sequence number of the last message decided.")
	return m
}

// Decided counts a batch that is decided: what its messages held, and how far
// behind its partition is. Files have no partition.
func (m *Metrics) Decided(b Batch, t *Tally) {
	m.messages.Add(float64(t.Messages))
	m.received.Add(float64(t.Received))
	for k, n := range t.kinds {
		m.events[k].Add(float64(n))
	}
	for r, n := range t.quarantined {
		m.quarantined[r].Add(float64(n))
	}
	for i, n := range t.repairs {
		m.repaired[i].Add(float64(n))
	}
	for _, d := range t.delays {
		m.sourceDelay.Observe(d)
	}
	if b.Owner == "" || len(b.Messages) == 0 {
		return
	}
	last := b.Messages[len(b.Messages)-1]
	m.sequence.WithLabelValues(b.Hub, b.ID).Set(float64(last.Sequence))
	if b.Behind >= 0 {
		m.lagEvents.WithLabelValues(b.Hub, b.ID).Set(float64(b.Behind))
	}
	age := 0.0
	if b.Behind != 0 && !last.Enqueued.IsZero() {
		age = max(0, m.now().Sub(last.Enqueued).Seconds())
	}
	m.lagSeconds.WithLabelValues(b.Hub, b.ID).Set(age)
}

// Lag notes how far behind a partition is that a source has just asked about,
// so that the gauges are right while nothing arrives. events is how many
// messages are not decided, behind how long there has been one.
func (m *Metrics) Lag(p Partition, events int64, behind time.Duration) {
	m.lagEvents.WithLabelValues(p.Hub, p.ID).Set(float64(events))
	m.lagSeconds.WithLabelValues(p.Hub, p.ID).Set(behind.Seconds())
}

// Evicted counts records that the quarantine gave up.
func (m *Metrics) Evicted(cause Eviction, n int) { m.evicted[cause].Add(float64(n)) }

// Forget removes the metrics of a partition that this process no longer owns.
func (m *Metrics) Forget(p Partition) {
	for _, g := range []*prometheus.GaugeVec{m.lagEvents, m.lagSeconds, m.sequence} {
		g.DeleteLabelValues(p.Hub, p.ID)
	}
}
