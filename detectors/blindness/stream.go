package blindness

import (
	"encoding/binary"
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
	// longest quiet of any hour counts; later that of the hour of the week.
	dayKnown   = 36 * time.Hour
	weeksKnown = 14 * 24 * time.Hour
	// fewSpells is how often a stream must have been heard to be missed.
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
	longest := s.usual.longest()
	switch {
	case s.heard.IsZero():
		return newStream, 0
	case s.spells < fewSpells && !vital(s.streamKey) && !slices.Contains(o.Expect, s.kind):
		return 0, longest
	case s.spells < fewSpells || s.attended < dayKnown:
		return max(newStream, o.Floor, factor*longest), longest
	case s.attended < weeksKnown:
		return max(o.Floor, factor*longest), longest
	}
	near := s.usual.near(now)
	if near == 0 {
		near = longest
	}
	return max(o.Floor, factor*near), near
}

// usual holds the longest quiet, in minutes rounded up, that touched each hour
// of the week (UTC, from Thursday as the Unix epoch does). It fades by a fifth a
// week, so that one outage does not make a stream deaf for ever.
type usual [hoursOfWeek]uint16

const hoursOfWeek = 7 * 24

func hourOf(t time.Time) int64 { return t.Unix() / 3600 }

// learn takes a quiet in that ended at a time.
func (u *usual) learn(quiet time.Duration, ended time.Time) {
	minutes := uint16(min((quiet+time.Minute-1)/time.Minute, 1<<16-1))
	for h, n := hourOf(ended.Add(-quiet)), 0; h <= hourOf(ended) && n < hoursOfWeek; h, n = h+1, n+1 {
		at := &u[h%hoursOfWeek]
		*at = max(*at, minutes)
	}
}

// fade ages the hours after from, up to to.
func (u *usual) fade(from, to int64) {
	for h := max(from+1, to-hoursOfWeek+1); h <= to; h++ {
		at := &u[h%hoursOfWeek]
		*at = uint16(uint32(*at) * 4 / 5)
	}
}

func (u *usual) longest() time.Duration {
	return time.Duration(slices.Max(u[:])) * time.Minute
}

// near is the longest quiet at this hour of the week, or the one before or
// after: people do not begin their day on the minute.
func (u *usual) near(now time.Time) time.Duration {
	h := hourOf(now) + hoursOfWeek
	return time.Duration(max(u[(h-1)%hoursOfWeek], u[h%hoursOfWeek], u[(h+1)%hoursOfWeek])) * time.Minute
}

func (u *usual) bytes() []byte {
	b := make([]byte, 0, 2*hoursOfWeek)
	for _, m := range u {
		b = binary.BigEndian.AppendUint16(b, m)
	}
	return b
}

func readUsual(b []byte) (u usual) {
	for i := range u {
		if len(b) >= 2*i+2 {
			u[i] = binary.BigEndian.Uint16(b[2*i:])
		}
	}
	return u
}

// hear takes a round in: what arrived, or how long nothing did although
// somebody listened. told reports whether the stream had been called silent.
func (s *stream) hear(o *Options, now time.Time, step time.Duration, attended, told bool) {
	if attended {
		s.attended += step
		s.quiet += step
	}
	if hour := hourOf(now); hour > s.hour {
		if s.hour > 0 && attended && step > 0 {
			s.usual.fade(s.hour, hour)
		}
		s.hour = hour
	}
	if s.now == nil {
		return
	}
	if limit, _ := s.limit(o, now); told && limit > 0 {
		// A silence is not to become usual at once, but what was called one
		// wrongly twice is.
		s.usual.learn(min(s.quiet, limit), now)
	} else if !s.heard.IsZero() {
		s.usual.learn(s.quiet, now)
	}
	s.quiet = 0
	s.spells++
	s.records += s.now.records
	s.heard = s.now.last
	if s.now.happened.After(s.happened) {
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
