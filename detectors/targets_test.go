//go:build unix

package detectors

import (
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"phiwatch/detectors/rules"
)

var targets = flag.Bool("targets", false, "measure the ratios of the performance targets (some minutes on a busy machine)")

const rounds = 7

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
	fmt.Printf("%d records, %d B on average, processor time of the best of %d passes\n", len(data.records), data.size/len(data.records), rounds)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	defer w.Flush()
	decoding(t, w, data)
	matching(t, w, data)
}

// decoding compares with other decoders. It comes before the large engines are
// there: what garbage costs encoding/json follows the size of the heap.
func decoding(t *testing.T, w io.Writer, data *traffic) {
	passes := []*measured{
		{name: "encoding/json to map", run: mapPass(t, data)},
		{name: "fastjson + 45 paths", run: fastPass(t, data)},
		{name: "decode", run: decodePass(t, data)},
		{name: "decode + 142 rules", run: matchPass(t, data, benchEngine(t, 142, false))},
	}
	measure(t, w, passes, len(data.records))
	ours := passes[3].best()
	line(w, "a: encoding/json to map / decode + 142 rules", "≥ 17", passes[0].best()/ours)
	line(w, "b: fastjson + 45 paths / decode + 142 rules", "≥ 1.5", passes[1].best()/ours)
}

// matching compares sets of rules.
func matching(t *testing.T, w io.Writer, data *traffic) {
	var passes []*measured
	for _, one := range []bool{false, true} {
		for _, n := range []int{10, 142, 1000, 3000} {
			name := fmt.Sprintf("decode + %d rules, %s", n, map[bool]string{false: "by log source", true: "one log source"}[one])
			passes = append(passes, &measured{name: name, run: matchPass(t, data, benchEngine(t, n, one))})
		}
	}
	passes = append(passes,
		&measured{name: "decode + catalog", run: matchPass(t, data, loadCatalog(t))},
		&measured{name: "decode + first entries", run: matchPass(t, data, loadEntries(t, firstEntries...))},
		&measured{name: "decode", run: decodePass(t, data)})
	measure(t, w, passes, len(data.records))
	line(w, "c: 3,000 rules / 142, by log source", "≤ 1.10", passes[3].best()/passes[1].best())
	line(w, "c′: 3,000 rules / 142, one log source", "≤ 1.5", passes[7].best()/passes[5].best())
	line(w, "catalog / its first entries", "≤ 1.10", passes[8].best()/passes[9].best())
	fmt.Fprintf(w, "catalog without decoding\t%.0f ns/event\t\n", passes[8].best()-passes[10].best())
}

// firstEntries are those that the catalog began with: what the rest costs is
// held against them.
var firstEntries = []string{
	"label-removed", "label-protection-removed", "case-hold-removed", "litigation-hold-weakened", "irm-off", "smime-weakened",
	"ual-ingestion-off", "mfa-per-user-disabled", "security-info-deleted", "tap-issued", "passwordless-credential-deleted",
	"ca-policy-disabled", "ca-policy-deleted", "ca-policy-report-only", "ca-app-scope-reduced", "ca-exclusion-widened",
	"device-noncompliant", "role-assigned-privileged", "customer-key-weakened", "sql-tde-off", "sql-masking-off", "storage-https-off",
	"kv-key-deleted", "retention-policy-off", "appproxy-certificate-removed", "outbound-connector-tls-off", "dkim-off",
	"site-label-removed", "expressroute-removed", "vpn-removed", "azure-diag-deleted", "federation-changed", "signin-legacy-auth",
	"signin-break-glass",
}

// loadEntries loads the catalog with only some of its entries in force.
func loadEntries(t testing.TB, entries ...string) *Engine {
	t.Helper()
	lists, err := ScenarioLists(rules.FS)
	if err != nil {
		t.Fatal(err)
	}
	set, err := Load(lists, Source{FS: rules.FS})
	if err != nil {
		t.Fatal(err)
	}
	pack := Pack{Disable: []string{"all"}}
	for _, entry := range entries {
		pack.Enable = append(pack.Enable, "entry:"+entry)
	}
	if err := set.Tune(pack); err != nil {
		t.Fatal(err)
	}
	e, err := New(set, NewMetrics(prometheus.NewRegistry()))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// measure runs the passes in turns and prints what each takes per event.
func measure(t *testing.T, w io.Writer, passes []*measured, events int) {
	for range rounds {
		for _, m := range passes {
			before := processorTime(t)
			m.run()
			m.ns = append(m.ns, float64(processorTime(t)-before)/float64(events))
		}
	}
	for _, m := range passes {
		fmt.Fprintf(w, "%s\t%.0f ns/event\t\n", m.name, m.best())
	}
}

func line(w io.Writer, name, want string, got float64) {
	fmt.Fprintf(w, "%s\ttarget %s\treached %.2f\n", name, want, got)
}

// processorTime returns what the process has used of all processors.
func processorTime(tb testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
