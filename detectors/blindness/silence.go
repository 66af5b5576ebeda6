package blindness

import (
	"fmt"
	"slices"
	"time"

	"phiwatch/detectors"
	"phiwatch/ingest"
)

// listen brings the streams to what was heard since the last round.
func (t *tick) listen() {
	for key, h := range t.carry {
		s := t.streams[key]
		if s == nil {
			if len(t.streams) >= maxStreams {
				t.metrics.untracked.Inc()
				continue
			}
			s = &stream{streamKey: key, started: h.first}
			t.streams[key] = s
		}
		s.now = h
	}
	for _, kind := range t.options.Expect {
		if !t.known(kind) {
			key := streamKey{kind: kind}
			t.streams[key] = &stream{streamKey: key, started: t.now}
		}
	}
	for _, s := range t.streams {
		attended, behind := t.attended(s)
		s.hear(&t.options, t.now, t.step, behind, attended, t.calledSilent(s))
	}
}

// calledSilent reports whether a stream's quiet was called a silence, or was one
// that is not told, be it for a pack or because another stream's tells it: what
// is usual does not depend on that.
func (t *tick) calledSilent(s *stream) bool {
	for _, m := range []*detectors.Meta{streamSilence, partialSilence, offAndSilent} {
		if t.told(m, s.tenant, s.subject()) {
			return true
		}
	}
	limit, _ := s.limit(&t.options, t.now)
	return limit > 0 && s.quiet >= limit
}

func (t *tick) known(kind ingest.Kind) bool {
	for key := range t.streams {
		if key.kind == kind {
			return true
		}
	}
	return false
}

// attended reports whether all hubs that s comes by are listened to, and how far
// behind: what came later than that is not known. Of a stream that was never
// heard, or by none of the hubs that there are now, these are all hubs.
func (t *tick) attended(s *stream) (attended bool, behind time.Duration) {
	known := t.carried(s)
	for i := range t.hubs {
		h := &t.hubs[i]
		if known && !slices.Contains(s.hubs, h.Hub) {
			continue
		}
		if !h.Connected || !h.Known || h.Behind >= t.options.Lag {
			return false, 0
		}
		attended, behind = true, max(behind, h.Behind)
	}
	return attended, behind
}

// carried reports whether s has come by a hub that there is now.
func (t *tick) carried(s *stream) bool {
	return slices.ContainsFunc(t.hubs, func(h HubHealth) bool { return slices.Contains(s.hubs, h.Hub) })
}

// silences judges the streams, in a fixed order.
func (t *tick) silences() {
	for _, s := range t.inOrder() {
		switch {
		case s.kind == ingest.Unknown:
		case s.now != nil:
			t.broken(s, s.now.first)
		case s.heard.IsZero() && t.arrived(s):
		default:
			t.silent(s)
		}
	}
}

// broken closes what is said of a stream that is heard again.
func (t *tick) broken(s *stream, at time.Time) {
	for _, m := range []*detectors.Meta{streamSilence, partialSilence} {
		a := t.alarm(m, s.tenant, s.subject())
		if a.open {
			t.restore(a, at, s.kind.String(), "heard again")
		}
	}
}

// arrived drops a stream that was expected once there is a real one of the kind,
// or nobody expects it any more.
func (t *tick) arrived(s *stream) bool {
	gone := !slices.Contains(t.options.Expect, s.kind)
	at := t.now
	for key, other := range t.streams {
		if key.kind == s.kind && !other.heard.IsZero() {
			gone = true
			if other.now != nil {
				at = other.now.first
			}
		}
	}
	if gone {
		t.broken(s, at)
		t.dropped = append(t.dropped, s.streamKey)
		delete(t.streams, s.streamKey)
	}
	return gone
}

// silent judges a stream that was not heard in this round.
func (t *tick) silent(s *stream) {
	limit, normal := s.limit(&t.options, t.now)
	attended, behind := t.attended(s)
	if limit == 0 || !attended || s.quiet-behind < limit {
		return
	}
	if t.told(streamSilence, s.tenant, s.subject()) || t.told(partialSilence, s.tenant, s.subject()) || t.told(offAndSilent, s.tenant, s.subject()) {
		return
	}
	m, severity := streamSilence, detectors.High
	switch {
	case t.siblingActive(s):
		m = partialSilence
	case s.workload != "":
		return // the whole of its kind tells it
	case vital(s.streamKey):
		severity = detectors.Critical
	}
	since := s.heard
	if since.IsZero() {
		since = s.started
	}
	words := fmt.Sprintf("nothing heard for %s", brief(s.quiet))
	switch {
	case s.heard.IsZero():
		words = fmt.Sprintf("expected, but never heard in %s", brief(s.quiet))
	case !t.carried(s):
		words += ": no hub that it came by is in the configuration any more"
	case normal > 0:
		words += fmt.Sprintf(", usually quiet for at most %s", brief(normal))
	}
	if old := s.heard.Sub(s.happened); !s.heard.IsZero() && !s.happened.IsZero() && old > t.options.delay(s.kind) {
		words += fmt.Sprintf("; its newest record is of %s, %s before it came", stamp(s.happened), brief(old))
	}
	t.weaken(t.alarm(m, s.tenant, s.subject()), severity, since, s.kind.String(), words, map[string]any{
		"kind": s.kind.String(), "workload": s.workload, "last_arrival": stamp(s.heard), "last_event": stamp(s.happened),
		"quiet": s.quiet.String(), "limit": limit.String(), "usual": normal.String(), "hubs": s.hubs, "records": s.records,
	})
}

// siblingActive reports whether another stream of the same source was heard in
// the newer half of s's quiet, whether or not somebody listens to it now: what
// stopped s did not stop its source.
func (t *tick) siblingActive(s *stream) bool {
	for key, other := range t.streams {
		sibling := key.kind != s.kind && key.workload == "" && s.workload == "" || key.kind == s.kind && s.workload != "" && key.workload != s.workload
		if sibling && key.tenant == s.tenant && key.family() == s.family() && !other.heard.IsZero() && t.now.Sub(other.heard) < s.quiet/2 {
			return true
		}
	}
	return false
}

// brief is a duration for people.
func brief(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%d days", d/(24*time.Hour))
	case d >= time.Hour:
		return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%d min", (d+time.Minute-1)/time.Minute)
}

// stamp is a time in the details of a finding, empty if there is none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
