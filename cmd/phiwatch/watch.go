package main

import (
	"context"
	"slices"
	"time"

	"phiwatch/alerting"
	"phiwatch/detectors"
	"phiwatch/detectors/blindness"
	"phiwatch/ingest"
	"phiwatch/ingest/eventhub"
)

// watchEvery is how often the audit trail itself is judged.
const watchEvery = 30 * time.Second

// keepWatch is the stage that notices what does not arrive. At the end, when the
// source has stopped, it judges once more: what came last may end a silence, and
// no other process will know that it came.
func (d *daemon) keepWatch(ctx context.Context) error {
	t := time.NewTicker(watchEvery)
	defer t.Stop()
	var hubs []blindness.HubHealth
	judge := func(ctx context.Context, now time.Time) {
		err := d.pipeline.judge(ctx, now, hubs)
		if ctx.Err() != nil {
			return
		}
		if d.clock.ran(stageWatch, now, err); err != nil {
			d.log.Error("watch over the audit trail", "err", err)
		}
	}
	for {
		select {
		case now := <-t.C:
			hubs = healthOf(d.source.Hubs(), d.source.Lags())
			judge(ctx, now)
		case <-ctx.Done():
			if hubs == nil { // else as they were while they were read
				hubs = healthOf(d.source.Hubs(), d.source.Lags())
			}
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			judge(last, time.Now())
			return nil
		}
	}
}

// judge has the watch judge, and tells what it finds, in one transaction.
func (p *pipeline) judge(ctx context.Context, now time.Time, hubs []blindness.HubHealth) error {
	p.commit.Lock()
	defer p.commit.Unlock()
	tx, err := p.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	findings, err := p.watch.Tick(ctx, tx, now, hubs)
	if err != nil {
		return err
	}
	if err := p.ledger.Apply(ctx, tx, findings); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	p.watch.Done()
	for i := range findings {
		f := &findings[i]
		p.log.Warn("audit trail", "entry", f.Rule.Entry, "state", string(f.State), "tenant", f.Tenant, "subject", f.Subject, "said", f.Evidence.Action)
	}
	if p.told != nil && len(findings) > 0 {
		p.told(findings)
	}
	return nil
}

// healthOf puts together what the source knows of its hubs.
func healthOf(hubs []eventhub.HubState, lags []eventhub.Lag) []blindness.HubHealth {
	out := make([]blindness.HubHealth, len(hubs))
	for i, h := range hubs {
		out[i] = blindness.HubHealth{Hub: h.Hub, Connected: h.Connected}
		if h.LastError != nil {
			out[i].Trouble = string(h.LastError.Class)
		}
		unknown, read := false, 0
		for _, l := range lags {
			if l.Hub != h.Hub {
				continue
			}
			read, unknown = read+1, unknown || l.Events < 0
			out[i].Behind = max(out[i].Behind, l.Behind)
			out[i].Events += max(0, l.Events)
			out[i].Stuck = out[i].Stuck || l.Stuck != nil
			if l.Expired > l.After && l.Stuck == nil {
				out[i].Expired = append(out[i].Expired, blindness.Expired{Partition: l.ID, After: l.After, UpTo: l.Expired})
			}
		}
		out[i].Known = read > 0 && read >= h.Of && !unknown // nobody else reads the others
	}
	return out
}

// useClock brings what goes by the clock up to date with a configuration.
func (d *daemon) useClock(cfg *config, set *detectors.Set) {
	options := cfg.Blindness.options()
	options.Clock = set.Clock
	d.watch.SetOptions(options)
	d.overdue.Store(set.ByClock(alerting.OverdueRule().Entry))
	d.ledger.SetFlapping(set.ByClock(alerting.FlappingRule().Entry))
}

// clockRules describe what no rule file does: what the watch, the sweep and the
// ledger find.
func clockRules() []*detectors.Meta {
	return append(blindness.Rules(), alerting.OverdueRule(), alerting.FlappingRule())
}

// entriesOf lists all entries that may have violations: those of rules, and
// those of the watch.
func entriesOf(set *detectors.Set) []string {
	entries := set.Entries()
	for _, m := range clockRules() {
		entries = append(entries, m.Entry)
	}
	slices.Sort(entries)
	return slices.Compact(entries)
}

func safeguardsOf(set *detectors.Set) []string {
	codes := set.Safeguards()
	for _, m := range clockRules() {
		codes = append(codes, m.Safeguard())
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}

// namesOf lists the entries and seed codes that there are, in force or not.
func namesOf(set *detectors.Set) (n alerting.Names) {
	for _, l := range ruleLines(set) {
		n.Entries = append(n.Entries, l.Entry)
		n.Safeguards = append(n.Safeguards, l.Safeguards...)
	}
	slices.Sort(n.Entries)
	slices.Sort(n.Safeguards)
	n.Entries, n.Safeguards = slices.Compact(n.Entries), slices.Compact(n.Safeguards)
	return n
}

// evictions tells both the metrics and the watch what the quarantine gives up.
type evictions struct {
	metrics *ingest.Metrics
	watch   *blindness.Watch
}

// Evicted is what Quarantine.CountOn asks for.
func (e evictions) Evicted(cause ingest.Eviction, n int) {
	e.metrics.Evicted(cause, n)
	e.watch.Evicted(n)
}
