package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"phiwatch/alerting/outbound"
	"phiwatch/detectors"
	"phiwatch/detectors/rules"
	"phiwatch/ingest/eventhub"
	"phiwatch/ingest/localhub"
)

// demoCmd is the embedded default: hub, daemon and a made-up hospital's day in
// one process on loopback.
type demoCmd struct {
	Once     bool          `name:"once" help:"End with a summary when the day is over; otherwise stay up."`
	Duration time.Duration `name:"duration" default:"15s" help:"How long the day takes."`
	Records  int           `name:"records" default:"4000" help:"How many harmless records the day has."`
	Listen   string        `name:"web.listen" default:"127.0.0.1:0" help:"Address of metrics and API."`
}

// demo is one run of the command.
type demo struct {
	*demoCmd
	env    *env
	out    io.Writer
	rules  []*detectors.Rule
	day    *day
	hub    *localhub.Hub
	addr   string
	daemon *daemon
	serve  func(context.Context) error // the hub's
}

// Run implements the command.
func (c *demoCmd) Run(e *env) (err error) {
	if err := c.validate(); err != nil {
		return usageError{err}
	}
	dir, err := os.MkdirTemp("", "phiwatch-demo-")
	if err != nil {
		return fmt.Errorf("make temporary state: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	d := &demo{demoCmd: c, env: e, out: &lockedWriter{w: e.stdout}}
	if err := d.prepare(filepath.Join(dir, "state.db")); err != nil {
		return err
	}
	return d.run()
}

func (c *demoCmd) validate() error {
	host, _, err := net.SplitHostPort(c.Listen)
	switch {
	case err != nil:
		return fmt.Errorf("--web.listen %q: use host:port, such as 127.0.0.1:9746", c.Listen)
	case !outbound.IsLoopback(host):
		return fmt.Errorf("--web.listen %s: the demo serves plain HTTP to whoever reaches it: listen on a loopback address", c.Listen)
	case c.Duration < 0 || c.Records < 0:
		return errors.New("--duration and --records: give numbers that are not below zero")
	}
	return nil
}

// prepare builds the day, the hub and the daemon.
func (d *demo) prepare(state string) error {
	lists, err := detectors.ScenarioLists(rules.FS)
	if err != nil {
		return err
	}
	cfg := defaultConfig()
	cfg.Lists, cfg.State, cfg.Web.Listen = lists, state, d.Listen
	cfg.Blindness.Delay = duration(detectors.Lateness) // the day is yesterday's: that it is late is no news
	set, err := cfg.loadRules()
	if err != nil {
		return err
	}
	d.rules = set.Rules
	if d.day, err = newDay(d.rules, d.Records, time.Now().UTC()); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen for the embedded hub: %w", err)
	}
	d.addr = listener.Addr().String()
	hubs := localhub.Config{}
	for _, name := range hubNames {
		hubs.Hubs = append(hubs.Hubs, localhub.HubConfig{Name: name, Partitions: 4})
	}
	if d.hub, err = localhub.New(hubs); err != nil {
		return errors.Join(err, listener.Close())
	}
	for _, name := range hubNames {
		cfg.Sources.Hubs = append(cfg.Sources.Hubs, eventhub.Hub{ConnectionString: d.hub.ConnectionString(d.addr, name)})
	}
	if err := cfg.validate(); err != nil {
		return errors.Join(err, listener.Close())
	}
	quiet := slog.New(slog.NewTextHandler(d.env.stderr, &slog.HandlerOptions{Level: slog.LevelError})) // what it warns of is printed
	d.daemon, err = newDaemon(d.env.ctx, func() (*config, error) { return cfg, nil }, quiet, d.out)
	d.serve = func(ctx context.Context) error { return ignoreDone(d.hub.Serve(ctx, listener)) }
	return err
}

// run plays the day while hub and daemon run.
func (d *demo) run() error {
	ctx, stop := context.WithCancel(d.env.ctx)
	defer stop()
	return runStages(ctx, []stage{
		{"hub", d.serve},
		{"daemon", d.daemon.run},
		{"day", func(ctx context.Context) error {
			err := d.play(ctx)
			if err == nil && !d.Once {
				<-ctx.Done()
			}
			return err
		}},
	})
}

// lockedWriter lets the day and the console receiver share an output.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

// Write implements io.Writer.
func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}
