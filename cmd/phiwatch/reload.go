package main

import (
	"context"
	"fmt"
	"reflect"
	"runtime/debug"

	"github.com/prometheus/client_golang/prometheus"

	"phiwatch/alerting"
	"phiwatch/detectors"
)

// reloadMetrics are the usual two gauges of a daemon that reloads, and how long
// the operator lists in force are.
type reloadMetrics struct {
	successful prometheus.Gauge
	at         prometheus.Gauge
	values     *prometheus.GaugeVec
}

func newReloadMetrics(reg prometheus.Registerer) *reloadMetrics {
	m := &reloadMetrics{
		successful: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "phiwatch_config_last_reload_successful",
			Help: "Whether the last load of the configuration and the rules succeeded; after 0 the earlier ones stay in force.",
		}),
		at: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "phiwatch_config_last_reload_success_timestamp_seconds",
			Help: "When the configuration in force was loaded.",
		}),
	}
	m.values = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "phiwatch_list_values",
		Help: "Values in each operator list in force, from the configuration and its files together.",
	}, []string{"list"})
	reg.MustRegister(m.successful, m.at, m.values)
	return m
}

// loaded notes that cfg came into force.
func (m *reloadMetrics) loaded(cfg *config) {
	m.successful.Set(1)
	m.at.SetToCurrentTime()
	m.values.Reset()
	for name, values := range cfg.lists() {
		m.values.WithLabelValues(name).Set(float64(len(values)))
	}
}

// reload brings rules, lists, routes and receivers up to date with the
// configuration. When anything in it is wrong, everything stays as it was.
// Open violations and owed deliveries are in the state and survive.
func (d *daemon) reload() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.reloadLocked(); err != nil {
		d.reloads.successful.Set(0)
		d.log.Error("configuration not reloaded, the earlier one stays in force", "err", err)
		return err
	}
	d.reloads.loaded(d.config)
	d.log.Info("configuration reloaded", "rules", len(d.pipeline.engine.Load().Rules()))
	return nil
}

func (d *daemon) reloadLocked() error {
	next, err := d.prepare()
	if err != nil {
		return err
	}
	d.warn(next.set)
	d.pipeline.engine.Store(next.engine)
	d.watch.Use(next.engine)
	d.useClock(next.config, next.set)
	d.ledger.SetNames(namesOf(next.set))
	if err := d.ledger.SetRoute(next.config.Route); err != nil {
		return err
	}
	d.dispatcher.SetReceivers(next.receivers)
	d.config = next.config
	if err := d.ledger.Reconcile(context.Background()); err != nil {
		d.unreconciled.Store(true)
		d.log.Error("what is open is not owed to new receivers yet, trying again within a minute", "err", err)
	}
	return nil
}

// prepared is what a reload brings into force.
type prepared struct {
	config    *config
	set       *detectors.Set
	engine    *detectors.Engine
	receivers map[string]alerting.Receiver
}

// prepare makes it, and changes nothing. A configuration or rule that wakes a bug
// must not end a daemon that runs well on the earlier ones.
func (d *daemon) prepare() (next prepared, err error) {
	defer func() {
		if r := recover(); r != nil {
			d.log.Error("reading the configuration panicked; please report it", "err", r, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v; please report it", r)
		}
	}()
	if next.config, err = d.load(); err != nil {
		return next, err
	}
	if err = d.fixed(next.config); err != nil {
		return next, err
	}
	if next.set, err = next.config.loadRules(); err != nil {
		return next, err
	}
	if next.receivers, err = d.receivers(next.config); err != nil {
		return next, err
	}
	next.engine, err = detectors.New(next.set, d.engines)
	return next, err
}

// fixed refuses changes that only a restart can make: better an error than a
// daemon that runs on something else than its file says.
func (d *daemon) fixed(cfg *config) error {
	cfg.Sources.Sole = d.config.Sources.Sole
	for _, key := range []struct {
		name     string
		old, new any
	}{
		{"state", d.config.State, cfg.State},
		{"web", d.config.Web, cfg.Web},
		{"sources", d.config.Sources, cfg.Sources},
		{"quarantine", d.config.Quarantine, cfg.Quarantine},
		{"evidence", d.config.Evidence, cfg.Evidence},
	} {
		if !reflect.DeepEqual(key.old, key.new) {
			return usageError{fmt.Errorf("%s changed, which takes effect only at a restart: restart phiwatch, or take the change back", key.name)}
		}
	}
	return nil
}

// reloadOnHangup reloads at each SIGHUP until ctx is done.
func (d *daemon) reloadOnHangup(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-d.hangup:
			_ = d.reload() // logged and counted there
		}
	}
}
