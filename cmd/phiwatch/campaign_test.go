package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"phiwatch/alerting"
	"phiwatch/detectors"
	"phiwatch/detectors/blindness"
	"phiwatch/detectors/rules"
	"phiwatch/ingest"
)

var campaign = flag.Int("campaign", 0, "how often TestTheCatalogThroughKills plays the whole catalog, a minute or two each time, and not only a part of it")

// TestTheCatalogThroughKills plays the test events of the catalog, those of 72
// hours at a time, in any order and some of them twice, over four partitions into a
// daemon that is killed again and again and started anew, while connections are cut
// and messages repeated. Its ledger must be what the events come to in their order,
// one by one, and what is open, and nothing else, must be paged in the end.
func TestTheCatalogThroughKills(t *testing.T) {
	lists, err := detectors.ScenarioLists(rules.FS)
	if err != nil {
		t.Fatal(err)
	}
	parts := inTime(catalogPayloads(t))
	if *campaign == 0 {
		parts = [][]dated{slices.MaxFunc(parts, func(a, b []dated) int { return len(a) - len(b) })}
	}
	for round := range max(1, *campaign) {
		for i, payloads := range parts {
			t.Run(fmt.Sprintf("%d/%d", round, i), func(t *testing.T) {
				r := rand.New(rand.NewPCG(uint64(round), uint64(i)))
				want := playInOrder(t, lists, payloads)
				r.Shuffle(len(payloads), func(i, j int) { payloads[i], payloads[j] = payloads[j], payloads[i] })
				if diff := cmp.Diff(want, playThroughKills(t, r, lists, payloads, len(want))); diff != "" {
					t.Errorf("%d payloads, %d violations (-in order +killed):\n%s", len(payloads), len(want), diff)
				}
			})
		}
	}
}

// dated is a payload and the times of the first and the last event in it.
type dated struct {
	body     []byte
	from, to time.Time
}

// catalogPayloads returns those test events of all rules that have a time, each once.
func catalogPayloads(t *testing.T) []dated {
	t.Helper()
	files, err := fs.Glob(rules.FS, "*/*.yml")
	if err != nil {
		t.Fatal(err)
	}
	var out []dated
	seen := map[string]bool{}
	for _, file := range files {
		s, err := detectors.ReadScenario(rules.FS, file)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range s.Events {
			d := dated{body: p.Body}
			ingest.NewDecoder().Decode(ingest.Message{Body: p.Body}, func(ev *ingest.Event) {
				if d.from.IsZero() || ev.Time.Before(d.from) {
					d.from = ev.Time
				}
				if ev.Time.After(d.to) {
					d.to = ev.Time
				}
			}, func(q ingest.Quarantined) { t.Fatalf("%s: %s: %s", file, p.Name, q.Detail) })
			if !d.from.IsZero() && !seen[string(p.Body)] {
				seen[string(p.Body)] = true
				out = append(out, d)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b dated) int { return a.from.Compare(b.from) })
	return out
}

// inTime cuts sorted payloads into parts within which any may be late. Of those
// that are longer by themselves, their own rules' tests must do.
func inTime(all []dated) (parts [][]dated) {
	for len(all) > 0 {
		var part, rest []dated
		start := all[0].from
		for _, d := range all {
			switch {
			case d.to.Sub(start) < alerting.Lateness:
				part = append(part, d)
			case d.from.After(start):
				rest = append(rest, d)
			}
		}
		if len(part) > 0 {
			parts = append(parts, part)
		}
		all = rest
	}
	return parts
}

// playInOrder returns the violations that the records of payloads come to in
// their order in time, one by one.
func playInOrder(t *testing.T, lists map[string][]string, payloads []dated) map[string]alerting.Violation {
	t.Helper()
	db, err := openState(t.Context(), filepath.Join(t.TempDir(), "state.db"), false)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	set, err := detectors.Load(lists, detectors.Source{FS: rules.FS})
	if err != nil {
		t.Fatal(err)
	}
	reg, log := prometheus.NewRegistry(), slog.New(slog.NewTextHandler(t.Output(), nil))
	ledger, err := alerting.NewLedger(db, alerting.Options{Entries: set.Entries()}, log, reg)
	if err != nil {
		t.Fatal(err)
	}
	engine, err := detectors.New(set, detectors.NewMetrics(reg))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range engine.Rules() {
		if engine.Lateness(r) < detectors.Lateness {
			inexact[r.Entry] = true
		}
	}
	p := newPipeline(db, engine, ledger, ingest.NewQuarantine(0, 0), ingest.NewMetrics(reg), log)
	var records []dated
	for _, d := range payloads {
		ingest.NewDecoder().Decode(ingest.Message{Body: d.body}, func(ev *ingest.Event) {
			records = append(records, dated{body: bytes.Clone(ev.Doc.Raw()), from: ev.Time})
		}, func(ingest.Quarantined) {})
	}
	slices.SortStableFunc(records, func(a, b dated) int { return a.from.Compare(b.from) })
	for _, r := range records {
		b := ingest.Batch{Messages: []ingest.Message{{Body: r.body}}}
		if err := p.handle(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	all, err := allViolations(t.Context(), ledger)
	if err != nil {
		t.Fatal(err)
	}
	return comparable(all)
}

// inexact are the entries that depend, as the engine says of them, on what comes late.
var inexact = map[string]bool{}

// byMinute are the entries of which, before anything is known open, the first event
// of each minute is kept: how many there were may differ.
var byMinute = []string{"noncompliant-device-phi", "report-only-would-block", "tap-then-new-place", "weak-tls-in-use"}

// comparable returns violations without those that are inexact, and without what
// goes by the wall clock: some that it opens, some that it has closed.
func comparable(all []alerting.Violation) map[string]alerting.Violation {
	leave := slices.Collect(maps.Keys(inexact))
	for _, m := range append(blindness.Rules(), alerting.OverdueRule()) {
		leave = append(leave, m.Entry)
	}
	out := map[string]alerting.Violation{}
	for _, v := range all {
		if over := v.Restored.Sub(v.Opened); slices.Contains(leave, v.Entry) || over == 0 || over == time.Microsecond {
			continue // told, and taken back at once; of parts, the moment after
		}
		if v.State == alerting.StatusClosed {
			v.State, v.ClosedAt = alerting.StatusOpen, time.Time{}
		}
		if slices.Contains(byMinute, v.Entry) {
			v.Repeats, v.Evidence = 0, nil
		}
		if v.Entry == "search-purge" || v.Entry == "message-encryption-weakened" { // called by the name that was heard first: not every record knows the case, or the organisation
			v.ID, v.Subject = "", v.SubjectName
		}
		out[v.Entry+" of "+v.Subject+" in "+v.Tenant] = v
	}
	return out
}

// playThroughKills has a daemon, killed now and then, read payloads from a hub.
func playThroughKills(t *testing.T, r *rand.Rand, lists map[string][]string, payloads []dated, want int) map[string]alerting.Violation {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	var messages [][]byte
	for _, d := range payloads {
		messages = append(messages, d.body)
	}
	for range len(payloads) / 10 {
		messages = append(messages, messages[r.IntN(len(payloads))])
	}
	f, web := newFakes(t), freeAddress(t)
	hub, connection := faultyHub(t, messages)
	file := f.configFile(t, web, connection)
	addLists(t, file, lists)
	for kill := range 4 {
		hub.Faults().CutAfter(1 + r.IntN(len(messages)))
		hub.Faults().Duplicate(r.IntN(20))
		daemon := command(t, "run", "--config.file", file)
		after := r.IntN(want*(kill+1)/5 + 1)
		await(ctx, t, "violations", func() bool { return opened(web) >= after })
		if err := daemon.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = daemon.Wait()
	}
	command(t, "run", "--config.file", file)
	await(ctx, t, "all decided", func() bool { return decided(t, filepath.Join(filepath.Dir(file), "state.db")) == len(messages) })
	await(ctx, t, "all told", func() bool {
		var accounts struct{ Accounts []alerting.Account }
		return get(web, "/api/v1/accounts", &accounts) == http.StatusOK && pending(accounts.Accounts) == 0
	})
	await(ctx, t, "pages for what is open, and no others", func() bool {
		open := 0
		for _, v := range violationsListed(t, web) {
			if v.State.Open() && (v.Severity == "high" || v.Severity == "critical") {
				open++
			}
		}
		for _, p := range f.pager.Pages() {
			lowered := strings.HasPrefix(p.Summary, "[MEDIUM]") || strings.HasPrefix(p.Summary, "[LOW]") // since it was paged
			if p.Status == "triggered" && !lowered {
				open--
			}
		}
		return open == 0
	})
	return comparable(violationsListed(t, web))
}

// addLists appends operator lists to a configuration.
func addLists(t *testing.T, file string, lists map[string][]string) {
	t.Helper()
	config, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	more, err := json.Marshal(lists) // which is YAML
	if err != nil {
		t.Fatal(err)
	}
	write(t, file, string(config)+"lists: "+string(more)+"\n")
}

// decided is how many messages are decided, of all partitions, as a state file says.
func decided(t *testing.T, state string) (n int) {
	t.Helper()
	db, err := openState(t.Context(), state, false)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow(`SELECT COALESCE(SUM(sequence + 1), 0) FROM positions`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// opened is how many violations a daemon knows.
func opened(web string) int {
	var list struct{ Violations []alerting.Violation }
	get(web, "/api/v1/violations?limit=1000", &list)
	return len(list.Violations)
}

// violationsListed returns all violations that a daemon lists.
func violationsListed(t *testing.T, web string) []alerting.Violation {
	t.Helper()
	var list struct {
		Violations []alerting.Violation
		Next       string
	}
	if get(web, "/api/v1/violations?limit=1000", &list) != http.StatusOK || list.Next != "" {
		t.Fatalf("not all violations are listed: next %q", list.Next)
	}
	return list.Violations
}
