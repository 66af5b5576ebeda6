package main

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"phiwatch/alerting"
	"phiwatch/detectors"
	"phiwatch/detectors/rules"
	"phiwatch/ingest"
	"phiwatch/ingest/eventhub"
)

var targets = flag.Bool("targets", false, "measure the ratios of the performance targets (some minutes on a busy machine)")

// transports are the ways in which records arrive.
var transports = []struct {
	name       string
	records    int
	perMessage int
	secure     bool
	target     string
}{
	{"50 records a message", 20_000, 50, false, "≥ 0.50"},
	{"50 records a message, TLS", 20_000, 50, true, "≥ 0.60"},
	{"1 record a message", 20_000, 1, false, "≥ 0.70"},
}

// handler is what is done with the batches of one run.
type handler struct {
	name string
	make func(testing.TB, *benchState) func(context.Context, ingest.Batch) error
}

// handlers: nothing, which is the bare drain of the same client with the same
// settings; decode and match; and all that the daemon does, with a durable
// state database.
var handlers = []handler{
	{"drain", func(testing.TB, *benchState) func(context.Context, ingest.Batch) error {
		return func(context.Context, ingest.Batch) error { return nil }
	}},
	{"decode and match", func(tb testing.TB, s *benchState) func(context.Context, ingest.Batch) error {
		p := s.pipeline(tb)
		return func(_ context.Context, b ingest.Batch) error {
			p.reuse(p.decide(b))
			return nil
		}
	}},
	{"whole pipeline", func(tb testing.TB, s *benchState) func(context.Context, ingest.Batch) error {
		return s.pipeline(tb).handle
	}},
}

// benchState is the state of one run.
type benchState struct {
	db  *sql.DB
	reg *prometheus.Registry
	log *slog.Logger
	set *detectors.Set
}

func catalogSet(tb testing.TB) *detectors.Set {
	tb.Helper()
	lists, err := detectors.ScenarioLists(rules.FS)
	if err != nil {
		tb.Fatal(err)
	}
	set, err := detectors.Load(lists, detectors.Source{FS: rules.FS})
	if err != nil {
		tb.Fatal(err)
	}
	return set
}

// pipeline is the daemon's.
func (s *benchState) pipeline(tb testing.TB) *pipeline {
	ledger, err := alerting.NewLedger(s.db, alerting.Options{Entries: s.set.Entries()}, s.log, s.reg)
	if err != nil {
		tb.Fatal(err)
	}
	engine, err := detectors.New(s.set, detectors.NewMetrics(s.reg))
	if err != nil {
		tb.Fatal(err)
	}
	return newPipeline(s.db, engine, ledger, ingest.NewQuarantine(0, 0), ingest.NewMetrics(s.reg), s.log)
}

// consume reads all of a hub and returns the processor time that took this
// process: the hub has its own.
func consume(tb testing.TB, hub benchHub, h handler, set *detectors.Set) time.Duration {
	tb.Helper()
	db, err := openState(tb.Context(), filepath.Join(tb.TempDir(), "state.db"), true)
	if err != nil {
		tb.Fatal(err)
	}
	defer db.Close()
	s := &benchState{db: db, reg: prometheus.NewRegistry(), log: slog.New(slog.DiscardHandler), set: set}
	config := eventhub.Config{Hubs: []eventhub.Hub{{ConnectionString: hub.connection, CAFile: hub.caFile}}, Sole: true}
	source, err := eventhub.New(config, s.db, s.log, s.reg)
	if err != nil {
		tb.Fatal(err)
	}
	handle, left := h.make(tb, s), hub.messages
	ctx, cancel := context.WithTimeout(tb.Context(), time.Minute)
	defer cancel()
	runtime.GC()
	var before, after time.Duration
	err = source.Run(ctx, func(ctx context.Context, b ingest.Batch) error {
		if left == hub.messages {
			before = processorTime(tb)
		}
		if err := handle(ctx, b); err != nil {
			return err
		}
		if left -= len(b.Messages); left == 0 {
			after = processorTime(tb)
			cancel()
		}
		return nil
	})
	if left != 0 {
		tb.Fatalf("%d messages are missing: %v", left, err)
	}
	return after - before
}

// processorTime returns what the process has used of all processors.
func processorTime(tb testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkPipeline reads a full hub, in another process, through the SDK's
// client: nothing done with the records, decoded and matched, all done.
func BenchmarkPipeline(b *testing.B) {
	set := catalogSet(b)
	for _, t := range transports {
		hub := startBenchHub(b, t.records, t.perMessage, t.secure)
		for _, h := range handlers {
			b.Run(t.name+"/"+h.name, func(b *testing.B) {
				var total time.Duration
				for b.Loop() {
					total += consume(b, hub, h, set)
				}
				b.ReportMetric(float64(total.Nanoseconds())/float64(b.N*hub.records), "cpu-ns/event")
			})
		}
	}
}

// TestTargets prints what of the drain's rate is left with the pipeline behind
// it. Runs take turns, and processor time is counted, since other work on the
// machine would fall on one of them. This process is held to one processor.
func TestTargets(t *testing.T) {
	if !*targets {
		t.Skip("needs -targets: it measures for a while")
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	set := catalogSet(t)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	defer w.Flush()
	percent := debug.SetGCPercent(100)
	debug.SetGCPercent(percent)
	fmt.Fprintf(w, "processor time per record from the embedded hub, GOGC=%d, best of 5\t\t\n", percent)
	for _, tr := range transports {
		hub := startBenchHub(t, tr.records, tr.perMessage, tr.secure)
		ns := make([][]float64, len(handlers))
		for range 5 {
			for i, h := range handlers {
				ns[i] = append(ns[i], float64(consume(t, hub, h, set).Nanoseconds())/float64(tr.records))
			}
		}
		drain := slices.Min(ns[0])
		for i, h := range handlers {
			fmt.Fprintf(w, "%s: %s\t%.0f ns/event\t\n", tr.name, h.name, slices.Min(ns[i]))
		}
		for i, h := range handlers[1:] {
			fmt.Fprintf(w, "d: %s: drain / %s\ttarget %s\treached %.2f\n", tr.name, h.name, tr.target, drain/slices.Min(ns[i+1]))
		}
	}
}
