package blindness

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"phiwatch/detectors"
	"phiwatch/ingest"
)

// TestAlarmsComeAndGoInTurn plays whatever can happen in any order, and holds the
// watch to what the ledger and people rely on: of one subject what is weakened is
// restored before it is weakened again, each no earlier than the one before, and
// when all has been well for long nothing is open.
func TestAlarmsComeAndGoInTurn(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			s := &storm{listener: listen(t, Options{}), r: rand.New(rand.NewPCG(seed, 0)), open: map[string]time.Time{}}
			s.hubs = append(s.hubs, well("example/second"))
			s.pass(twoDays, s.allFlow)
			for range 40 {
				s.happen()
			}
			s.calm()
			s.turn()
			for what := range s.open {
				if !s.open[what].IsZero() {
					t.Errorf("all is well, and yet open: %s, since %s", what, s.open[what])
				}
			}
			if s.weakened < 5 {
				t.Errorf("only %d alarms: the storm is none", s.weakened)
			}
		})
	}
}

// storm is a listener to whom anything happens.
type storm struct {
	*listener
	r        *rand.Rand
	judged   int
	weakened int
	open     map[string]time.Time // since when, by entry and subject; zero: it is not
	last     map[string]time.Time
}

func (s *storm) allFlow() {
	for _, hub := range []string{someHub, "example/second"} {
		s.by = hub
		s.hear(ingest.EntraAudit, "", 3, time.Minute)
		s.hear(ingest.EntraSignIn, "", 3, time.Minute)
		s.hear(ingest.M365Audit, "Exchange", 3, time.Minute)
		s.hear(ingest.M365Audit, "SharePoint", 3, time.Minute)
	}
}

// someFlow has each stream arrive or not, late or not.
func (s *storm) someFlow() func() {
	flows := [4]bool{s.r.IntN(3) > 0, s.r.IntN(3) > 0, s.r.IntN(3) > 0, s.r.IntN(3) > 0}
	late := time.Duration(1+s.r.IntN(4)/3*400) * time.Minute
	return func() {
		for i, key := range []streamKey{
			{"", ingest.EntraAudit, ""}, {"", ingest.EntraSignIn, ""}, {"", ingest.M365Audit, "Exchange"}, {"", ingest.M365Audit, "SharePoint"},
		} {
			if flows[i] {
				s.hear(key.kind, key.workload, 5, late)
			}
		}
	}
}

func (s *storm) happen() {
	h := &s.hubs[s.r.IntN(len(s.hubs))]
	switch s.r.IntN(10) {
	case 0:
		s.restart(time.Duration(s.r.IntN(600)) * time.Minute)
	case 1:
		s.now = s.now.Add(time.Duration(s.r.IntN(48)-24) * time.Hour) // of the clock
	case 2:
		h.Connected = !h.Connected
	case 3:
		h.Known = !h.Known
	case 4:
		h.Behind = time.Duration(s.r.IntN(40)) * time.Minute
	case 5:
		s.damaged(s.r.IntN(200))
	case 6:
		state := []detectors.State{detectors.Weakened, detectors.Restored}[s.r.IntN(2)]
		s.note("entra-diag-deleted", "to-hub", state, s.now.Add(-time.Duration(s.r.IntN(90))*time.Minute))
	case 7:
		s.reload([]detectors.Pack{{}, disabling("all"), disabling("entry:stream-silence"), disabling("entry:partial-silence")}[s.r.IntN(4)])
	case 8:
		s.now = s.now.Add(round)
		s.tick(false) // a round that fails
	}
	s.by = []string{someHub, "example/second"}[s.r.IntN(2)]
	s.pass(time.Duration(s.r.IntN(150))*time.Minute, s.someFlow())
	s.turn()
}

// calm has all be well for more than a day.
func (s *storm) calm() {
	s.reload(detectors.Pack{})
	s.note("entra-diag-deleted", "to-hub", detectors.Restored, s.now.Add(48*time.Hour))
	s.hubs[0], s.hubs[1] = well(someHub), well("example/second")
	s.pass(27*time.Hour, s.allFlow)
}

// turn takes what was told since the last time.
func (s *storm) turn() {
	s.t.Helper()
	for ; s.judged < len(s.findings); s.judged++ {
		f := &s.findings[s.judged]
		what := f.Rule.Entry + " of " + f.Subject
		if s.last == nil {
			s.last = map[string]time.Time{}
		}
		if f.State == detectors.Incident {
			continue
		}
		if f.Time.Before(s.last[what]) || f.State == detectors.Restored && !f.Time.After(s.last[what]) {
			s.t.Errorf("%s is %s at %s, before what was told last, %s", what, f.State, f.Time, s.last[what])
		}
		s.last[what] = f.Time
		switch was := !s.open[what].IsZero(); {
		case f.State == detectors.Weakened && was:
			s.t.Errorf("told twice: %s", asLine(f))
		case f.State == detectors.Restored && !was:
			s.t.Errorf("restored what is not weak: %s", asLine(f))
		case f.State == detectors.Weakened:
			s.open[what] = f.Time
			s.weakened++
		default:
			s.open[what] = time.Time{}
		}
	}
}
