package alerting

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"phiwatch/detectors"
)

// collector reads the figures that tables hold when they are asked for: they
// are right after a restart and after a batch that was rolled back.
type collector struct {
	ledger     *Ledger
	entries    []string
	safeguards []string
}

// The longest a scrape may take of the database.
const scrapeTimeout = 5 * time.Second

var (
	descOpen = prometheus.NewDesc("phiwatch_violations_open",
		"Violations that are open or acknowledged, each counted once: under the first of its entry's safeguards.", []string{"safeguard", "severity"}, nil)
	descOpened = prometheus.NewDesc("phiwatch_violations_opened_total",
		"Episodes of violations that began.", []string{"entry"}, nil)
	descLate = prometheus.NewDesc("phiwatch_findings_late_total",
		"Findings more than 72 hours older than the newest of the same violation: kept as evidence only.", []string{"entry"}, nil)
	descDeliveries = prometheus.NewDesc("phiwatch_deliveries_total",
		"Changes delivered, merged and suppressed, and attempts retried and failed.", []string{"receiver", "outcome"}, nil)
	descPending = prometheus.NewDesc("phiwatch_deliveries_pending",
		"Changes owed to a receiver.", []string{"receiver"}, nil)
	descOldest = prometheus.NewDesc("phiwatch_deliveries_oldest_pending_seconds",
		"Age of the oldest change owed to a receiver, 0 if there is none.", []string{"receiver"}, nil)
)

func registerLedger(reg prometheus.Registerer, l *Ledger, o Options) error {
	return reg.Register(&collector{l, o.Entries, o.Safeguards})
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descOpen, descOpened, descLate, descDeliveries, descPending, descOldest} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	for _, collect := range []struct {
		desc *prometheus.Desc
		f    func(context.Context, chan<- prometheus.Metric) error
	}{
		{descOpen, c.open},
		{descOpened, func(ctx context.Context, ch chan<- prometheus.Metric) error {
			return c.counts(ctx, ch, descOpened, "opened")
		}},
		{descLate, func(ctx context.Context, ch chan<- prometheus.Metric) error {
			return c.counts(ctx, ch, descLate, "late")
		}},
		{descPending, c.accounts},
	} {
		if err := collect.f(ctx, ch); err != nil {
			ch <- prometheus.NewInvalidMetric(collect.desc, err)
		}
	}
}

func (c *collector) open(ctx context.Context, ch chan<- prometheus.Metric) error {
	type labels struct {
		safeguard string
		severity  detectors.Severity
	}
	n := make(map[labels]float64)
	for _, safeguard := range c.safeguards {
		for s := detectors.Info; s <= detectors.Critical; s++ {
			n[labels{safeguard, s}] = 0
		}
	}
	err := each(ctx, c.ledger.db, func(rows *sql.Rows) error {
		var k labels
		var v float64
		err := rows.Scan(&k.safeguard, &k.severity, &v)
		n[k] = v
		return err
	}, `SELECT safeguard, severity, count(*) FROM violations WHERE state IN ('open', 'acknowledged')
		GROUP BY safeguard, severity`)
	if err != nil {
		return fmt.Errorf("count open violations: %w", err)
	}
	for k, v := range n {
		ch <- prometheus.MustNewConstMetric(descOpen, prometheus.GaugeValue, v, k.safeguard, k.severity.String())
	}
	return nil
}

func (c *collector) counts(ctx context.Context, ch chan<- prometheus.Metric, desc *prometheus.Desc, name string) error {
	n := make(map[string]float64)
	for _, entry := range c.entries {
		n[entry] = 0
	}
	err := each(ctx, c.ledger.db, func(rows *sql.Rows) error {
		var label string
		var v float64
		err := rows.Scan(&label, &v)
		n[label] = v
		return err
	}, `SELECT label, n FROM ledger_counts WHERE name = $1`, name)
	if err != nil {
		return fmt.Errorf("load count %s: %w", name, err)
	}
	for label, v := range n {
		ch <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, v, label)
	}
	return nil
}

func (c *collector) accounts(ctx context.Context, ch chan<- prometheus.Metric) error {
	byName := make(map[string]Account)
	if root := c.ledger.route.Load(); root != nil {
		root.all(func(r *Route) { byName[r.Receiver] = Account{Receiver: r.Receiver} })
	}
	all, err := c.ledger.Accounts(ctx)
	if err != nil {
		return err
	}
	for _, a := range all {
		byName[a.Receiver] = a
	}
	now := c.ledger.now()
	for name, a := range byName {
		for outcome, n := range map[string]int64{
			"delivered": a.Delivered, "retried": a.Retried, "failed": a.Failed, "merged": a.Merged, "suppressed": a.Suppressed,
		} {
			ch <- prometheus.MustNewConstMetric(descDeliveries, prometheus.CounterValue, float64(n), name, outcome)
		}
		ch <- prometheus.MustNewConstMetric(descPending, prometheus.GaugeValue, float64(a.Pending), name)
		age := 0.0
		if a.Oldest > 0 {
			age = max(0, now.Sub(fromMicros(a.Oldest)).Seconds())
		}
		ch <- prometheus.MustNewConstMetric(descOldest, prometheus.GaugeValue, age, name)
	}
	return nil
}
