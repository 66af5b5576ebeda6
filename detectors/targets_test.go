//go:build unix

package detectors

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"
)

var targets = flag.Bool("targets", false, "measure the ratios of the performance targets (some minutes on a busy machine)")

// measured is a pass with the processor time it took, at best and per event.
type measured struct {
	name string
	run  pass
	ns   []float64
}

func (m *measured) best() float64 { return slices.Min(m.ns) }

// TestTargets prints the ratios of the performance targets. Passes take turns,
// so that what else the machine does falls on all of them; processor time and
// not the clock is counted, garbage collection included.
func TestTargets(t *testing.T) {
	if !*targets {
		t.Skip("needs -targets: it measures for a while")
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	data := newTraffic(4000)
	passes := map[string]*measured{}
	var order []*measured
	add := func(name string, run pass) {
		m := &measured{name: name, run: run}
		passes[name], order = m, append(order, m)
	}
	add("encoding/json to map", mapPass(t, data))
	add("fastjson + 45 paths", fastPass(t, data))
	add("decode", decodePass(t, data))
	add("catalog", matchPass(t, data, loadCatalog(t)))
	for _, n := range []int{10, 142, 1000, 3000} {
		add(fmt.Sprint("routed ", n), matchPass(t, data, benchEngine(t, n, false)))
		add(fmt.Sprint("one source ", n), matchPass(t, data, benchEngine(t, n, true)))
	}
	const rounds = 7
	for range rounds {
		for _, m := range order {
			before := processorTime(t)
			m.run()
			m.ns = append(m.ns, float64(processorTime(t)-before)/float64(len(data.records)))
		}
	}
	ns := func(name string) float64 { return passes[name].best() }
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	defer w.Flush()
	fmt.Fprintf(w, "%d records, %d B on average, best of %d passes\t\t\n", len(data.records), data.size/len(data.records), rounds)
	for _, m := range order {
		fmt.Fprintf(w, "%s\t%.0f ns/event\t\n", m.name, m.best())
	}
	line := func(name, want string, got float64) { fmt.Fprintf(w, "%s\ttarget %s\treached %.2f\n", name, want, got) }
	line("a: encoding/json to map / decode + 142 rules", "≥ 17", ns("encoding/json to map")/ns("routed 142"))
	line("b: fastjson + 45 paths / decode + 142 rules", "≥ 1.5", ns("fastjson + 45 paths")/ns("routed 142"))
	line("c: 3,000 rules / 142, by log source", "≤ 1.10", ns("routed 3000")/ns("routed 142"))
	line("c′: 3,000 rules / 142, one log source", "≤ 1.5", ns("one source 3000")/ns("one source 142"))
}

// processorTime returns what the process has used of all processors.
func processorTime(tb testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
