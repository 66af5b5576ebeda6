package main

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"phiwatch/alerting"
	"phiwatch/detectors"
	"phiwatch/ingest"
)

// Audit feeds are late, unordered and repeat themselves. rules test therefore
// plays the test events of a rule backwards, too, and each of them twice: the
// ledger must say the same.

// orderTest plays events in other orders than that of their file.
type orderTest struct {
	db     *sql.DB
	engine *detectors.Engine
	ledger *alerting.Ledger
}

func newOrderTest(db *sql.DB, engine *detectors.Engine, set *detectors.Set) (*orderTest, error) {
	l, err := alerting.NewLedger(db, alerting.Options{Entries: set.Entries()}, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	return &orderTest{db, engine, l}, err
}

// play plays the events of r in their order, and in others if all is well, and
// returns what is wrong.
func (o *orderTest) play(ctx context.Context, r *detectors.Rule, s *detectors.Scenario) (string, error) {
	tx, err := o.db.BeginTx(ctx, nil)
	if err != nil {
		return "", err
	}
	defer tx.Rollback() // each rule has a state of its own
	got, err := o.engine.Play(ctx, tx, r, s, func(f []detectors.Finding) error { return o.ledger.Apply(ctx, tx, f) })
	if err != nil {
		return err.Error(), ctx.Err()
	}
	want, err := violationsOf(ctx, tx, r)
	if diff := compareLines(s.Want, got); diff != "" || err != nil {
		return diff, err
	}
	if err := tx.Rollback(); err != nil {
		return "", err
	}
	return o.differences(ctx, r, s, want)
}

// differences says what of the ledger of r depends on the order or the repeats of
// its events; nothing if all is well.
func (o *orderTest) differences(ctx context.Context, r *detectors.Rule, s *detectors.Scenario, want []string) (string, error) {
	backwards := backwards(s.Events, o.engine.Lateness(r))
	diff, err := o.compare(ctx, r, want, "backwards, each twice", doubled(backwards))
	if diff == "" || err != nil {
		return "", err
	}
	for name, events := range map[string][]detectors.Payload{"backwards": backwards, "each twice": doubled(s.Events)} {
		if simpler, err := o.compare(ctx, r, want, name, events); err != nil || simpler != "" {
			return simpler, err
		}
	}
	return diff, nil
}

func (o *orderTest) compare(ctx context.Context, r *detectors.Rule, want []string, name string, events []detectors.Payload) (string, error) {
	got, err := o.violations(ctx, r, events)
	if err != nil {
		return "", err
	}
	diff := compareLines(want, got)
	if diff != "" {
		diff = "  in the ledger when the events are played " + name + ":\n" + diff
	}
	return diff, nil
}

// backwards returns events the newest first, as far as none is later than late.
func backwards(events []detectors.Payload, late time.Duration) []detectors.Payload {
	type timed struct {
		detectors.Payload
		first, last time.Time
	}
	var all []timed
	for _, p := range events {
		t := timed{Payload: p}
		ingest.NewDecoder().Decode(ingest.Message{Body: p.Body}, func(ev *ingest.Event) {
			if t.first.IsZero() || ev.Time.Before(t.first) {
				t.first = ev.Time
			}
			if ev.Time.After(t.last) {
				t.last = ev.Time
			}
		}, func(ingest.Quarantined) {})
		all = append(all, t)
	}
	slices.SortStableFunc(all, func(a, b timed) int { return a.first.Compare(b.first) })
	var out []detectors.Payload
	for len(all) > 0 {
		n, newest := 1, all[0].last
		for n < len(all) && max(all[n].last.Sub(all[0].first), newest.Sub(all[0].first)) < late {
			newest = later(newest, all[n].last)
			n++
		}
		for i := range n {
			out = append(out, all[n-1-i].Payload)
		}
		all = all[n:]
	}
	return out
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func doubled(events []detectors.Payload) []detectors.Payload {
	var out []detectors.Payload
	for _, p := range events {
		out = append(out, p, p)
	}
	return out
}

// violations returns what the ledger holds of r after the events.
func (o *orderTest) violations(ctx context.Context, r *detectors.Rule, events []detectors.Payload) ([]string, error) {
	tx, err := o.db.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback()
	for _, p := range events {
		var matches []detectors.Match
		ingest.NewDecoder().Decode(ingest.Message{Body: p.Body}, func(ev *ingest.Event) {
			matches = o.engine.Match(ev, matches)
		}, func(ingest.Quarantined) {}) // the play in order has told it
		findings, err := o.engine.Apply(ctx, tx, matches)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.Name, err)
		}
		if err := o.ledger.Apply(ctx, tx, findings); err != nil {
			return nil, fmt.Errorf("%s: %w", p.Name, err)
		}
	}
	return violationsOf(ctx, tx, r)
}

func violationsOf(ctx context.Context, tx *sql.Tx, r *detectors.Rule) ([]string, error) {
	found, _, err := alerting.ViolationsIn(ctx, tx, alerting.Filter{Entry: []string{r.Entry}, Limit: alerting.MaxLimit})
	var lines []string
	for i := range found {
		// What a late record shows never to have been is restored in the moment after.
		if v := &found[i]; v.Restored.IsZero() || v.Restored.Sub(v.Opened) > time.Microsecond {
			lines = append(lines, ledgerLine(v))
		}
	}
	slices.Sort(lines)
	return lines, err
}

func ledgerLine(v *alerting.Violation) string {
	parts := []string{v.Subject + ":", string(v.State), v.Severity, "opened " + v.Opened.UTC().Format(time.RFC3339Nano)}
	if !v.Restored.IsZero() {
		parts = append(parts, "restored "+v.Restored.UTC().Format(time.RFC3339Nano))
	}
	return strings.Join(parts, " ")
}
