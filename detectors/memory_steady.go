package detectors

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// steady remembers, of subjects whose values are told all day, from when until when
// the same was told and nothing was weak. Nothing follows from one more event that
// tells it in that time or at most a moment after it, so that is not even stored: a
// value that arrives late is restored a moment later for it. It is Apply's, which is
// serial.
type steady struct {
	runs map[string]steadyRun // by entry, tenant and subject
	open bool                 // a transaction has changed it that may be rolled back
}

type steadyRun struct {
	from, to int64
	told     map[string][]string
}

// aMoment is what events of a run that are stored may lie apart.
const aMoment = int64(time.Minute / time.Microsecond)

// begin forgets what a transaction added that was not committed.
func (s *steady) begin() {
	if s.open || len(s.runs) > maxDurable {
		clear(s.runs)
	}
	s.open = false
}

func (s *steady) commit() { s.open = false }

// holds reports whether nothing follows from f.
func (s *steady) holds(f *Finding) bool {
	run, ok := s.runs[steadyKey(f)]
	at := f.Time.UnixMicro()
	return ok && run.from <= at && at < run.to+aMoment && sameTold(run.told, f.Told)
}

// note takes in f, which is stored; newest says whether it is the newest event of
// its subject, weak whether something is weak after it.
func (s *steady) note(f *Finding, newest, weak bool) {
	s.open = true
	key, at := steadyKey(f), f.Time.UnixMicro()
	run, ok := s.runs[key]
	switch same := ok && sameTold(run.told, f.Told); {
	case weak || !newest && !same:
		delete(s.runs, key)
		return
	case !same || at > run.to+2*aMoment:
		run = steadyRun{at, at, f.Told}
	case at > run.to:
		run.to = at
	case at < run.from && at > run.from-2*aMoment:
		run.from = at
	}
	if s.runs == nil {
		s.runs = map[string]steadyRun{}
	}
	s.runs[key] = run
}

func sameTold(a, b map[string][]string) bool { return maps.EqualFunc(a, b, slices.Equal) }

func steadyKey(f *Finding) string {
	return strings.Join([]string{f.Rule.Entry, f.Tenant, strings.ToLower(f.Subject)}, keySep)
}
