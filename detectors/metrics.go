package detectors

import "github.com/prometheus/client_golang/prometheus"

// Metrics of the engines of one process. Labels are the entries of the loaded
// rules and the states, all created at zero. Safe for concurrent use.
type Metrics struct {
	matches  *prometheus.CounterVec
	findings *prometheus.CounterVec
	rules    *prometheus.GaugeVec
	never    *prometheus.GaugeVec
	cut      prometheus.Counter
	correlationMetrics
}

// NewMetrics registers the engine's metrics with reg.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		matches: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "phiwatch_matches_total",
			Help: "Events that a rule's selection was true of, by catalog entry.",
		}, []string{"entry"}),
		findings: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "phiwatch_findings_total",
			Help: "Findings by catalog entry and state (weakened, restored, incident).",
		}, []string{"entry", "state"}),
		rules: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "phiwatch_rules_loaded",
			Help: "Rules in force, by safeguard group.",
		}, []string{"group"}),
		never: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "phiwatch_rules_never_match",
			Help: "Rules in force that can never match, by reason: log_source (not one that phiwatch reads), field (in no record of the log source), condition.",
		}, []string{"reason"}),
	}
	m.cut = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "phiwatch_events_cut_total",
		Help: "Events that name more subjects, or values of a correlation's field, than the 256 that are looked at.",
	})
	reg.MustRegister(m.matches, m.findings, m.rules, m.never, m.cut)
	m.correlationMetrics = newCorrelationMetrics(reg)
	return m
}

// loaded creates the series of a set of rules that comes into force.
func (m *Metrics) loaded(rules []*Rule) {
	m.rules.Reset()
	for _, reason := range neverReasons {
		m.never.WithLabelValues(string(reason)).Set(0)
	}
	for _, r := range rules {
		m.matches.WithLabelValues(r.Entry)
		for _, h := range r.halves {
			if h.state == tellsValues || h.state.onlyTells() {
				continue // never a finding's
			}
			m.findings.WithLabelValues(r.Entry, string(h.state))
		}
		if r.correlation != nil {
			m.findings.WithLabelValues(r.Entry, string(r.correlation.state))
		}
		m.rules.WithLabelValues(r.Group).Inc()
		if r.never != "" {
			m.never.WithLabelValues(string(r.never)).Inc()
		}
	}
}

// Findings is the counter of an entry's findings in a state, for those that come
// from no match; labels are made of closed sets only.
func (m *Metrics) Findings(entry string, state State) prometheus.Counter {
	return m.findings.WithLabelValues(entry, string(state))
}

func (m *Metrics) count(f *Finding) {
	m.matches.WithLabelValues(f.Rule.Entry).Inc()
	m.findings.WithLabelValues(f.Rule.Entry, string(f.State)).Inc()
}
