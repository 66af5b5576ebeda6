package blindness

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"phiwatch/detectors"
)

const (
	// settled is how long a hub must be well before it is called so.
	settled = time.Minute
	// catchUp is how long a lag may stay over its limit: after a pause of this
	// process what waited is old, but mostly read at once.
	catchUp = 5 * time.Minute
	// fewRecords are too few to tell a share of.
	fewRecords = 20
	// lateShare is the share of late records that is a delay: the p95 is over
	// the limit exactly when more than this are.
	lateShare = 0.05
)

// calm is what must be undercut for a limit to be kept again.
func calm(limit time.Duration) time.Duration { return limit * 4 / 5 }

// reach judges the way to the hubs, and whether they are read.
func (t *tick) reach() {
	configured := map[string]bool{}
	for i := range t.hubs {
		h := &t.hubs[i]
		configured[h.Hub] = true
		t.hold(t.alarm(hubUnreachable, "", h.Hub), hubUnreachable.Severity, standing{
			bad: !h.Connected, good: h.Connected, after: t.options.Unreachable, clear: settled,
			kind: "hub", words: "connected again", // replaced below while it is not
			details: map[string]any{"hub": h.Hub, "trouble": h.Trouble},
		}.saying(!h.Connected, "not connected: "+cmp.Or(h.Trouble, "no answer")))
		t.hold(t.alarm(consumerLag, "", h.Hub), consumerLag.Severity, standing{
			bad: h.Known && h.Behind >= t.options.Lag, good: h.Known && h.Behind <= t.options.Lag/2, after: catchUp, clear: settled,
			kind: "hub", words: "caught up",
			details: map[string]any{"hub": h.Hub, "messages": h.Events, "behind": h.Behind.String()},
		}.saying(h.Known && h.Behind >= t.options.Lag, fmt.Sprintf("%d messages wait, the oldest for %s", h.Events, brief(h.Behind))))
	}
	for _, a := range t.alarmsInOrder() {
		hub := a.entry == hubUnreachable.Entry || a.entry == consumerLag.Entry
		if hub && a.open && !configured[a.subject] {
			a.meta = map[string]*detectors.Meta{hubUnreachable.Entry: hubUnreachable, consumerLag.Entry: consumerLag}[a.entry]
			t.restore(a, t.now, "hub", "no longer configured")
		}
	}
}

// saying replaces the words if.
func (s standing) saying(is bool, words string) standing {
	if is {
		s.words = words
	}
	return s
}

// lateness judges the delay from event to hub.
func (t *tick) lateness() {
	for _, key := range slices.SortedFunc(maps.Keys(t.delays), compareKeys) {
		f := t.delays[key]
		enough := f.of >= fewRecords
		bad := enough && float64(f.bad) > lateShare*float64(f.of)
		limit := t.options.delay(key.kind)
		t.hold(t.alarm(deliveryDelay, key.tenant, key.subject()), deliveryDelay.Severity, standing{
			bad: bad, good: enough && float64(f.fair) <= lateShare*float64(f.of), clear: windowSlot,
			kind: key.kind.String(), words: "in time again",
			details: map[string]any{"kind": key.kind.String(), "records": f.of, "late": f.bad, "limit": limit.String(), "slowest": f.worst.String(), "span": windowSpan.String()},
		}.saying(bad, fmt.Sprintf("%d of %d records came later than %s, the slowest %s", f.bad, f.of, brief(limit), brief(f.worst))))
	}
}

// damage judges how much could not be decoded.
func (t *tick) damage() {
	o := &t.options
	whole := t.now.Sub(t.begun) >= windowSpan // after a start the window is not full
	hubs := slices.Collect(maps.Keys(t.damaged))
	for _, a := range t.alarms {
		if a.open && a.entry == quarantineGrowth.Entry {
			hubs = append(hubs, a.subject) // open from before a restart
		}
	}
	slices.Sort(hubs)
	for _, hub := range slices.Compact(hubs) {
		f := t.damaged[hub]
		share := float64(f.bad) / float64(max(1, f.of))
		bad := f.bad >= o.QuarantineRecords || f.bad >= fewRecords/2 && share > o.QuarantineShare
		good := whole && f.bad <= o.QuarantineRecords/2 && (share <= o.QuarantineShare/2 || f.bad < fewRecords/4)
		t.hold(t.alarm(quarantineGrowth, "", hub), quarantineGrowth.Severity, standing{
			bad: bad, good: good, clear: windowSlot, kind: "quarantine", words: "few enough again",
			details: map[string]any{"hub": hub, "records": f.of, "undecodable": f.bad, "span": windowSpan.String()},
		}.saying(bad, fmt.Sprintf("%d of %d records of the last %s could not be decoded", f.bad, f.of, brief(windowSpan))))
	}
	if t.gone > 0 && !o.off(evidenceGap) {
		t.lost("quarantine", "quarantine", fmt.Sprintf("%d undecodable records were given up", t.gone), map[string]any{"records": t.gone})
	}
}

// Evicted notes that the quarantine gave up undecodable records, which nobody
// can decode any more.
func (w *Watch) Evicted(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.evicted += int64(n)
}
