package blindness

import (
	"slices"
	"strings"
	"time"

	"phiwatch/ingest"
)

// stream is what is known of a stream, as a row of blind_streams.
type stream struct {
	streamKey
	started  time.Time
	heard    time.Time
	happened time.Time
	records  int64
	spells   int64
	attended time.Duration
	quiet    time.Duration
	hour     int64
	hubs     []string
	usual    usual
	now      *heard // in this round; nil: nothing
}

const (
	// factor is how many times the usual quiet a silence is.
	factor = 5
	// newStream is the limit while nothing is known: Microsoft names up to 24 h
	// and more before the first records of some feeds arrive.
	newStream = 24 * time.Hour
	// Once a stream was attended for a day and a night, whenever that began, the
	// quiet of any hour counts; then that of the hour on three days, and later of
	// the hour of the week.
	dayKnown   = 36 * time.Hour
	weekKnown  = 7 * 24 * time.Hour
	weeksKnown = 3 * weekKnown
	// fewSpells is in how many hours a stream must have been heard to be missed:
	// what somebody uses for a day is no stream that has stopped the day after.
	fewSpells = 20
)

// vital streams are missed from the first record on.
func vital(k streamKey) bool {
	return k.workload == "" && (k.kind == ingest.EntraAudit || k.kind == ingest.M365Audit)
}

// limit returns the quiet from which on the stream is silent, and what is usual;
// 0 as long as it is not to be missed.
func (s *stream) limit(o *Options, now time.Time) (limit, normal time.Duration) {
	if d := o.Silence[s.kind]; d > 0 && s.workload == "" {
		return d, 0
	}
	if s.heard.IsZero() {
		return newStream, 0
	}
	known := s.spells >= fewSpells
	if known && s.attended >= weekKnown {
		if near := s.usual.near(now, s.attended >= weeksKnown); near > 0 {
			return max(o.Floor, factor*near), near
		}
	}
	longest := s.usual.longest()
	switch {
	case !known && !vital(s.streamKey) && !slices.Contains(o.Expect, s.kind):
		return 0, longest
	case !known || s.attended < dayKnown:
		return max(overWeekend(now), o.Floor, factor*longest), longest
	}
	return max(o.Floor, factor*longest), longest
}

// overWeekend is newStream for one that was heard: its first weekend may be quiet.
func overWeekend(now time.Time) time.Duration {
	switch now.UTC().Weekday() {
	case time.Saturday, time.Sunday, time.Monday:
		return newStream + 48*time.Hour
	}
	return newStream
}

// hear takes a round in: what arrived, or how long nothing did although
// somebody listened. told reports whether the stream had been called silent.
//
// behind is what a quiet is longer by because records wait to be read.
func (s *stream) hear(o *Options, now time.Time, step, behind time.Duration, attended, told bool) {
	if attended {
		s.attended += step
		s.quiet += step
	}
	if hour := hourOf(now); hour < s.hour {
		s.hour = hour // the clock was ahead
	} else if hour > s.hour {
		if s.hour > 0 && attended && step > 0 {
			s.usual.turn(s.hour, hour)
		}
		s.hour = hour
	}
	if s.now == nil {
		return
	}
	own := max(0, s.quiet-behind)
	if limit, _ := s.limit(o, now); told && limit > 0 {
		// A silence is not to become usual at once, but what was called one
		// wrongly twice is.
		s.usual.learn(own, limit, now)
	} else if !s.heard.IsZero() {
		s.usual.learn(own, own, now)
	}
	s.quiet = 0
	if hourOf(s.now.last) != hourOf(s.heard) {
		s.spells++
	}
	s.records += s.now.records
	s.heard = s.now.last
	if s.now.happened.After(s.happened) || s.happened.After(now.Add(ahead)) {
		s.happened = s.now.happened
	}
	for _, hub := range s.now.hubs {
		s.hubs = withHub(s.hubs, hub)
	}
}

// family is the source that a stream shares with its siblings: one setting or
// forwarder sends them all.
func (k streamKey) family() string {
	if name := k.kind.String(); strings.HasPrefix(name, "entra-") {
		return "entra"
	}
	return k.kind.String()
}
