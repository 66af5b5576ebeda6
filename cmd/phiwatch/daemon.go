package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"phiwatch/alerting"
	"phiwatch/alerting/console"
	"phiwatch/alerting/outbound"
	"phiwatch/alerting/pagerduty"
	"phiwatch/alerting/slack"
	"phiwatch/detectors"
	"phiwatch/detectors/blindness"
	"phiwatch/ingest"
	"phiwatch/ingest/eventhub"
)

// daemon is the running product: newDaemon wires it, run runs it.
type daemon struct {
	log      *slog.Logger
	registry *prometheus.Registry
	db       *sql.DB
	lock     *os.File  // of the state
	out      io.Writer // of console receivers

	source     *eventhub.Source
	pipeline   *pipeline
	engines    *detectors.Metrics
	watch      *blindness.Watch
	overdue    atomic.Pointer[detectors.ClockRule] // as the pack in force has tuned it
	ledger     *alerting.Ledger
	dispatcher *alerting.Dispatcher
	api        http.Handler
	web        *webServer
	reloads    *reloadMetrics
	clock      *clockwork
	held       string // why the sweep closes nothing; its own

	unreconciled atomic.Bool // a reload could not owe what is open to new receivers

	mu     sync.Mutex // one reload at a time; guards config
	config *config
	load   func() (*config, error) // reads the configuration again

	listsEvery time.Duration    // how often the files of lists are looked at
	hangup     <-chan os.Signal // each asks for a reload; may be nil
}

// newDaemon opens the state and wires the parts; nothing runs yet. load reads
// the configuration, now and at each reload.
func newDaemon(ctx context.Context, load func() (*config, error), log *slog.Logger, out io.Writer) (*daemon, error) {
	cfg, err := load()
	if err != nil {
		return nil, err
	}
	set, err := cfg.loadRules()
	if err != nil {
		return nil, err
	}
	d := &daemon{log: log, registry: prometheus.NewRegistry(), out: out, config: cfg, load: load, listsEvery: listsEvery}
	d.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	registerBuildInfo(d.registry)
	d.reloads = newReloadMetrics(d.registry)
	d.reloads.loaded(cfg)
	d.clock = newClockwork(d.registry)
	if err := d.open(ctx); err != nil {
		return nil, errors.Join(err, d.close())
	}
	if err := d.wire(set); err != nil {
		return nil, errors.Join(err, d.close())
	}
	return d, nil
}

// open opens the state, for this process alone.
func (d *daemon) open(ctx context.Context) (err error) {
	state := d.config.State
	if d.lock, err = lockState(state); err != nil {
		return err
	}
	if d.db, err = openState(ctx, state, true); err != nil {
		return err
	}
	if readByAll(state) {
		d.log.Warn("every user of this machine can read the state, which holds audit records; take that away with chmod o=", "state", state)
	}
	return nil
}

// wire builds the parts, downstream first.
func (d *daemon) wire(set *detectors.Set) (err error) {
	d.warn(set)
	d.ledger, err = alerting.NewLedger(d.db, alerting.Options{
		Route: d.config.Route, Retention: time.Duration(d.config.Evidence.Retention),
		Entries: entriesOf(set), Safeguards: safeguardsOf(set), Changed: func() { d.dispatcher.Wake() },
	}, d.log.With("component", "ledger"), d.registry)
	if err != nil {
		return err
	}
	d.ledger.SetNames(namesOf(set))
	receivers, err := d.receivers(d.config)
	if err != nil {
		return usageError{err}
	}
	d.dispatcher, err = alerting.NewDispatcher(d.db, receivers, alerting.DispatchOptions{}, d.log.With("component", "deliveries"), d.registry)
	if err != nil {
		return err
	}
	d.engines = detectors.NewMetrics(d.registry)
	engine, err := detectors.New(set, d.engines)
	if err != nil {
		return err
	}
	quarantine := ingest.NewQuarantine(time.Duration(d.config.Quarantine.MaxAge), d.config.Quarantine.MaxBytes)
	d.pipeline = newPipeline(d.db, engine, d.ledger, quarantine, ingest.NewMetrics(d.registry), d.log)
	d.watch = blindness.New(blindness.Options{}, d.engines, d.registry)
	d.watch.Use(engine)
	d.useClock(d.config, set)
	d.pipeline.watch = d.watch
	quarantine.CountOn(evictions{d.pipeline.metrics, d.watch})
	d.pipeline.told = func([]detectors.Finding) { d.dispatcher.Wake() }
	d.config.Sources.Sole = true // the state is a SQLite file
	if d.source, err = eventhub.New(d.config.Sources, d.db, d.log, d.registry); err != nil {
		return usageError{d.config.located("sources", err)}
	}
	d.source.Observe(d.pipeline.metrics)
	d.source.OnRelease(d.pipeline.flush)
	d.api = alerting.NewAPI(d.ledger, d.log.With("component", "api"))
	return d.listen()
}

// receivers builds the receivers of a configuration, all on one guarded client.
func (d *daemon) receivers(cfg *config) (map[string]alerting.Receiver, error) {
	client := outbound.Client(outbound.Options{UserAgent: "phiwatch/" + version})
	out := map[string]alerting.Receiver{}
	for _, r := range cfg.Receivers {
		var err error
		switch {
		case r.Slack != nil:
			out[r.Name], err = slack.New(*r.Slack, client)
		case r.PagerDuty != nil:
			out[r.Name], err = pagerduty.New(*r.PagerDuty, client)
		case r.Console != nil:
			out[r.Name] = console.New(d.out, r.Console.options())
		}
		if err != nil {
			return nil, fmt.Errorf("receiver %s: %w", r.Name, err)
		}
	}
	return out, nil
}

// run runs the daemon until ctx is done, then stops it from the source down.
func (d *daemon) run(ctx context.Context) error {
	d.log.Info("phiwatch is running", "version", version, "web", d.config.Web.scheme()+"://"+d.web.listener.Addr().String(),
		"rules", len(d.pipeline.engine.Load().Rules()), "hubs", len(d.config.Sources.Hubs))
	if err := d.ledger.Reconcile(ctx); err != nil {
		return errors.Join(fmt.Errorf("reconcile deliveries with the routes: %w", err), d.close())
	}
	err := runStages(ctx, []stage{
		{"web", d.serve},
		{"deliveries", d.dispatcher.Run},
		{"sweep", d.sweep},
		{"reload", d.reloadOnHangup},
		{"watch", d.keepWatch},
		{"lists", d.watchLists},
		{"positions", d.pipeline.flushLoop},
		{"source", func(ctx context.Context) error { return d.source.Run(ctx, d.pipeline.handle) }},
	})
	d.log.Info("phiwatch has stopped")
	return errors.Join(err, d.close())
}

func (d *daemon) close() error {
	if d.web != nil {
		_ = d.web.listener.Close() // closed already unless wiring failed
	}
	var errs []error
	if d.db != nil {
		if err := d.db.Close(); err != nil {
			errs = append(errs, fmt.Errorf("close state database: %w", err))
		}
	}
	if d.lock != nil {
		_ = d.lock.Close() // the end of the process would let go of it, too
	}
	return errors.Join(errs...)
}

// ready reports why the daemon cannot do its work now, or nil.
func (d *daemon) ready(ctx context.Context) error {
	if err := d.db.PingContext(ctx); err != nil {
		return fmt.Errorf("state database: %w", err)
	}
	return errors.Join(d.source.Ready(), d.clock.ready(time.Now()))
}

func (d *daemon) warn(set *detectors.Set) {
	for _, w := range set.Warnings {
		d.log.Warn("rule", "warning", w)
	}
}
