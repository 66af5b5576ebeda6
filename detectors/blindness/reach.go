package blindness

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"phiwatch/detectors"
)

const (
	// settled is how long a hub must be well before it is called so: for as long
	// as it may be away, so that one which comes and goes is one alarm.
	settled = 5 * time.Minute
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
		// To answer is not enough: where no partition is read nothing is seen, either.
		away := !h.Connected || !h.Known
		t.hold(t.alarm(hubUnreachable, "", h.Hub), hubUnreachable.Severity, standing{
			bad: away, good: !away, after: t.options.Unreachable, clear: settled,
			kind: "hub", words: "connected again", // replaced below while it is not
			details: map[string]any{"hub": h.Hub, "connected": h.Connected, "trouble": h.Trouble},
		}.saying(away, "not connected: "+cmp.Or(h.Trouble, "no answer")).
			saying(away && h.Connected, "it answers, but its partitions are not all read"))
		lags := !away && h.Behind >= t.options.Lag
		t.hold(t.alarm(consumerLag, "", h.Hub), consumerLag.Severity, standing{
			bad: lags, good: !away && h.Behind <= t.options.Lag/2, after: catchUp, clear: settled,
			kind: "hub", words: "caught up",
			details: map[string]any{"hub": h.Hub, "messages": h.Events, "behind": h.Behind.String(), "stuck": h.Stuck},
		}.saying(lags, fmt.Sprintf("%d messages wait, the oldest for %s", h.Events, brief(h.Behind))).
			saying(lags && h.Stuck, fmt.Sprintf("a batch cannot be decided; %d messages wait, the oldest for %s", h.Events, brief(h.Behind))))
		t.barren(h.Hub)
	}
	for _, a := range t.alarmsInOrder() {
		m := map[string]*detectors.Meta{hubUnreachable.Entry: hubUnreachable, consumerLag.Entry: consumerLag, streamSilence.Entry: streamSilence}[a.entry]
		hub := m != nil && (m != streamSilence || t.ofHub(a))
		if hub && a.open && !configured[a.subject] {
			a.meta = m
			t.restore(a, t.now, "hub", "no longer configured")
		}
	}
}

// barren judges whether a hub has never brought anything: one without streams
// has none that could fall silent. It may be that of a category that is seldom
// used, so this is no more than medium; what must come is for expect.
func (t *tick) barren(hub string) {
	carries := t.damaged[hub].of > 0 // damaged records are another trouble
	for _, s := range t.streams {
		carries = carries || slices.Contains(s.hubs, hub)
	}
	t.hold(t.alarm(streamSilence, "", hub), detectors.Medium, standing{
		bad: !carries && !t.told(hubUnreachable, "", hub), good: carries, after: newStream,
		kind: "hub", words: "heard for the first time",
		details: map[string]any{"hub": hub, "limit": newStream.String()},
	}.saying(!carries, fmt.Sprintf("no record that can be read has come by this hub in %s, nor ever before", brief(newStream))))
}

// ofHub reports whether the alarm of a silence is that of a hub, not of a stream.
func (t *tick) ofHub(a *alarm) bool {
	return a.tenant == "" && strings.Contains(a.subject, "/") && !strings.Contains(a.subject, joiner)
}

// saying replaces the words if.
func (s standing) saying(is bool, words string) standing {
	if is {
		s.words = words
	}
	return s
}

// lateness judges the delay from event to hub. Of few records none tells a share:
// that all of half an hour were late says that records are, and that none was, that
// it is over.
func (t *tick) lateness() {
	whole := t.now.Sub(t.begun) >= windowSpan // after a start the window is not full
	for _, key := range slices.SortedFunc(maps.Keys(t.delays), compareKeys) {
		f := t.delays[key]
		enough := f.of >= fewRecords
		bad := enough && float64(f.bad) > lateShare*float64(f.of) || f.bad >= fewRecords/4 && f.bad == f.of
		limit := t.options.delay(key.kind)
		t.hold(t.alarm(deliveryDelay, key.tenant, key.subject()), deliveryDelay.Severity, standing{
			bad: bad, good: enough && float64(f.fair) <= lateShare*float64(f.of) || whole && f.of > 0 && f.fair == 0, clear: windowSlot,
			kind: key.kind.String(), words: "in time again",
			details: map[string]any{"kind": key.kind.String(), "records": f.of, "late": f.bad, "limit": limit.String(), "slowest": f.worst.String(), "span": windowSpan.String()},
		}.saying(bad, fmt.Sprintf("%d of %d records came later than %s, the slowest %s", f.bad, f.of, brief(limit), brief(f.worst))))
	}
}
