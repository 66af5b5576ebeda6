package blindness

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"phiwatch/detectors"
)

// trickle is which part of Options.QuarantineRecords, in a day, is a trickle
// that somebody should look at: it may be just the largest records, cut on their
// way, and a hole through which to go unseen.
const trickle = 10

// ofDay is the subject of what is undecodable of a hub in a day.
func ofDay(hub string) string { return hub + joiner + "day" }

// damage judges how much could not be decoded: much in half an hour, or what
// does not end in a day.
func (t *tick) damage() {
	hubs := slices.AppendSeq(slices.Collect(maps.Keys(t.damaged)), maps.Keys(t.trickled))
	for _, a := range t.alarms {
		if a.open && a.entry == quarantineGrowth.Entry { // from before a restart
			hubs = append(hubs, strings.TrimSuffix(a.subject, ofDay("")))
		}
	}
	slices.Sort(hubs)
	for _, hub := range slices.Compact(hubs) {
		t.burst(hub)
		t.trickle(hub)
	}
	t.givenUp()
}

// burst judges the last half hour of a hub.
func (t *tick) burst(hub string) {
	o, f := &t.options, t.damaged[hub]
	whole := t.now.Sub(t.begun) >= windowSpan // after a start the window is not full
	share := float64(f.bad) / float64(max(1, f.of))
	bad := f.bad >= o.QuarantineRecords || f.bad >= fewRecords/2 && share > o.QuarantineShare
	good := whole && f.bad <= o.QuarantineRecords/2 && (share <= o.QuarantineShare/2 || f.bad < fewRecords/4)
	t.undecodable(hub, quarantineGrowth.Severity, f, windowSpan, standing{bad: bad, good: good, clear: windowSlot})
}

// trickle judges the last day of a hub, but for what a burst has told.
func (t *tick) trickle(hub string) {
	f, limit := t.trickled[hub], max(1, t.options.QuarantineRecords/trickle)
	rest := !t.told(quarantineGrowth, "", hub)
	t.undecodable(ofDay(hub), detectors.Medium, f, daySpan, standing{
		bad: rest && f.bad >= limit, good: rest && t.now.Sub(t.begun) >= daySpan && f.bad <= limit/2, clear: windowSlot,
	})
}

func (t *tick) undecodable(subject string, severity detectors.Severity, f figures, span time.Duration, s standing) {
	s.kind, s.words = "quarantine", "few enough again"
	s.details = map[string]any{"hub": strings.TrimSuffix(subject, ofDay("")), "records": f.of, "undecodable": f.bad, "span": span.String()}
	t.hold(t.alarm(quarantineGrowth, "", subject), severity,
		s.saying(s.bad, fmt.Sprintf("%d of %d records of the last %s could not be decoded", f.bad, f.of, brief(span))))
}

// lossEvery is how often it is told that the quarantine goes on giving records
// up: one that is full does at each round.
const lossEvery = 24 * time.Hour

// givenUp tells how many records the quarantine has given up since it last was.
func (t *tick) givenUp() {
	a := t.alarm(evidenceGap, "", "quarantine")
	if t.gone == 0 || t.options.off(evidenceGap) {
		t.gone = 0
		return
	}
	if a.told.After(t.now.Add(-lossEvery)) && !a.told.After(t.now) {
		return // these count with the next ones
	}
	a.told, a.dirty = t.now, true
	t.lost("quarantine", "quarantine", fmt.Sprintf("%d undecodable records were given up", t.gone), map[string]any{"records": t.gone})
	t.gone = 0
}

// Evicted notes that the quarantine gave up undecodable records, which nobody
// can decode any more.
func (w *Watch) Evicted(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.evicted += int64(n)
}
