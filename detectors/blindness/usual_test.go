package blindness

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"

	"phiwatch/ingest"
)

// rhythm is a stream that is listened to by a clock of its own.
type rhythm struct {
	*stream
	now time.Time
}

func newRhythm() *rhythm {
	monday := time.Date(2026, 9, 14, 0, 0, 0, 0, time.UTC)
	return &rhythm{&stream{streamKey: streamKey{tenant: "t1", kind: ingest.EntraSignIn}}, monday}
}

var byDefault = func() (o Options) { o.fill(); return o }()

// live lets time pass; speaks says whether the stream is heard at a time.
func (r *rhythm) live(d time.Duration, speaks func(time.Time) bool) {
	for end := r.now.Add(d); r.now.Before(end); {
		r.now = r.now.Add(round)
		limit, _ := r.limit(&byDefault, r.now)
		told := limit > 0 && r.quiet >= limit
		r.stream.now = nil
		if speaks(r.now) {
			r.stream.now = &heard{records: 1, first: r.now, last: r.now}
		}
		r.hear(&byDefault, r.now, round, 0, true, told)
	}
}

// missedAfter returns for how long the stream is quiet, from a time on, before
// that is a silence; 0 if it never is.
func (r *rhythm) missedAfter(from time.Time) time.Duration {
	for now := from; now.Sub(from) < 60*24*time.Hour; now = now.Add(round) {
		if limit, _ := r.limit(&byDefault, now); limit > 0 && now.Sub(from) >= limit {
			return now.Sub(from)
		}
	}
	return 0
}

func always(time.Time) bool { return true }
func never(time.Time) bool  { return false }

// office is heard on weekdays, from eight to six, in a time zone.
func office(zone string) func(time.Time) bool {
	at, err := time.LoadLocation(zone)
	if err != nil {
		panic(err)
	}
	return func(now time.Time) bool {
		now = now.In(at)
		weekday := now.Weekday() != time.Saturday && now.Weekday() != time.Sunday
		return weekday && now.Hour() >= 8 && now.Hour() < 18
	}
}

const week = 7 * 24 * time.Hour

func TestHowLongAStreamMayBeQuiet(t *testing.T) {
	for name, c := range map[string]struct {
		play func(r *rhythm)
		from time.Duration // after the play, when it stops
		want time.Duration
	}{
		"heard all the time": {play: func(r *rhythm) { r.live(4*week, always) }, want: time.Hour},
		"after one outage": {
			play: func(r *rhythm) { r.live(4*week, always); r.live(9*time.Hour, never); r.live(week-9*time.Hour, always) },
			from: 4 * time.Hour, want: time.Hour,
		},
		"after an outage in the first week": {
			play: func(r *rhythm) {
				r.live(60*time.Hour, always)
				r.live(9*time.Hour, never)
				r.live(3*week-69*time.Hour, always)
			},
			from: 64 * time.Hour, want: time.Hour,
		},
		"switched off each week a little longer": {
			play: func(r *rhythm) {
				r.live(4*week, always)
				r.live(55*time.Minute, never)
				r.live(week-55*time.Minute, always)
				r.live(4*time.Hour, never)
				r.live(week-4*time.Hour, always)
			},
			want: 3 * time.Hour, // only for the hours that were quiet twice it takes longer
		},
		"bursts every six hours": {
			play: func(r *rhythm) {
				r.live(4*week, func(now time.Time) bool { return now.Hour()%6 == 0 && now.Minute() < 30 })
			},
			from: 30 * time.Minute, want: 5 * (5*time.Hour + 35*time.Minute),
		},
		"bursts every six hours, after three days": {
			play: func(r *rhythm) {
				r.live(6*24*time.Hour, func(now time.Time) bool { return now.Hour()%6 == 0 && now.Minute() < 30 })
			},
			from: 30 * time.Minute, want: 5 * (5*time.Hour + 35*time.Minute),
		},
		"a record every three days": {
			play: func(r *rhythm) { r.live(12*week, func(now time.Time) bool { return now.Unix()%(3*24*3600) == 0 }) },
			want: 15 * 24 * time.Hour,
		},
		"an office at noon":       {play: func(r *rhythm) { r.live(3*week, office("UTC")) }, from: 12 * time.Hour, want: time.Hour},
		"an office over night":    {play: func(r *rhythm) { r.live(3*week, office("UTC")) }, from: 17*time.Hour + 55*time.Minute, want: 16*time.Hour + 5*time.Minute},
		"an office on the Friday": {play: func(r *rhythm) { r.live(3*week, office("UTC")) }, from: 4*24*time.Hour + 17*time.Hour + 55*time.Minute, want: 64*time.Hour + 5*time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRhythm()
			c.play(r)
			if got := r.missedAfter(r.now.Add(c.from)); got != c.want {
				t.Errorf("it is missed after %s, want %s", got, c.want)
			}
		})
	}
}

// TestNoSilenceInARhythm has an office live through a year: weekends, and both
// changes of the clocks, must not be called silences.
func TestNoSilenceInARhythm(t *testing.T) {
	for _, zone := range []string{"Europe/Berlin", "America/New_York"} {
		r, speaks, told := newRhythm(), office(zone), 0
		r.live(4*24*time.Hour, speaks) // into the first weekend: nights are known
		for range 52 * 7 * 24 * 12 {
			r.live(round, speaks)
			if limit, _ := r.limit(&byDefault, r.now); limit > 0 && r.quiet >= limit {
				t.Errorf("%s: on %s, after %s, it is called silent", zone, r.now.Format("Mon 02 Jan 15:04"), r.quiet)
				if told++; told > 3 {
					break
				}
			}
		}
	}
}

// TestChanceIsNoSilence has records come by chance: long quiets are to be expected.
func TestChanceIsNoSilence(t *testing.T) {
	for _, mean := range []time.Duration{20 * time.Minute, time.Hour, 2 * time.Hour, 8 * time.Hour} {
		for seed := range uint64(5) {
			r, chance := newRhythm(), rand.New(rand.NewPCG(seed, 0))
			next := r.now
			speaks := func(now time.Time) (heard bool) {
				for !next.After(now) {
					heard, next = true, next.Add(time.Duration(chance.ExpFloat64()*float64(mean)))
				}
				return heard
			}
			for range 12 * 7 * 24 * 12 {
				r.live(round, speaks)
				if limit, _ := r.limit(&byDefault, r.now); limit > 0 && r.quiet >= limit {
					t.Errorf("every %s on average, seed %d: on %s, after %s, it is called silent", mean, seed, r.now.Format(time.DateTime), r.quiet)
					break
				}
			}
		}
	}
}

// TestFirstDays begins to listen to an office's audit log, which is missed from
// its first record on, on each day of a week.
func TestFirstDays(t *testing.T) {
	for after := time.Duration(0); after < 7*24*time.Hour; after += 3 * time.Hour {
		r, speaks := newRhythm(), office("UTC")
		r.kind, r.now = ingest.EntraAudit, r.now.Add(after)
		began := r.now
		for !speaks(r.now) {
			r.now = r.now.Add(round) // a stream begins with its first record
		}
		for range 2 * 7 * 24 * 12 {
			r.live(round, speaks)
			if limit, _ := r.limit(&byDefault, r.now); limit > 0 && r.quiet >= limit {
				t.Errorf("begun on %s, it is called silent on %s", began.Format("Mon 15:04"), r.now.Format("Mon 02 15:04"))
				break
			}
		}
	}
	r := newRhythm()
	r.kind = ingest.EntraAudit
	r.live(6*time.Hour, always)
	if got := r.missedAfter(r.now); got != 24*time.Hour {
		t.Errorf("what stops on its first Monday is missed after %s, want a day", got)
	}
}

func TestAWeekInWhichNothingEndedTellsNothing(t *testing.T) {
	r := newRhythm()
	r.live(3*week, func(now time.Time) bool { return now.Hour() == 0 && now.Minute() == 0 })
	r.live(8*week, never)
	if got, _ := r.limit(&byDefault, r.now); got != 5*24*time.Hour {
		t.Errorf("after eight weeks without a record the limit is %s, want that of before", got)
	}
}

func TestWhatIsUsualIsStored(t *testing.T) {
	r := newRhythm()
	r.live(4*week+5*time.Hour, office("UTC"))
	b := r.usual.bytes()
	got := readUsual(b)
	if got.hours != r.usual.hours {
		t.Error("what was read is not what was written")
	}
	if len(b) > 500 {
		t.Errorf("it takes %d bytes", len(b))
	}
	if &got.bytes()[0] != &b[0] {
		t.Error("what did not change is written anew")
	}
	got.learn(time.Hour, time.Hour, r.now)
	if again := readUsual(got.bytes()); again.hours != got.hours {
		t.Error("what was learned since is not written")
	}
	for n := range b { // cut or damaged, it must not fail
		_ = readUsual(b[:n])
		_ = readUsual(append([]byte{runs}, b[n:]...))
	}
	old := make([]byte, 2*hoursOfWeek)
	binary.BigEndian.PutUint16(old[2*7:], 90)
	if was := readUsual(old); was.of(7) != 90 || was.of(8) != 0 {
		t.Error("what an earlier version wrote is not read")
	}
}

func TestTheSecondWeekKnowsNightsFromDays(t *testing.T) {
	r := newRhythm()
	r.live(8*24*time.Hour+12*time.Hour, office("UTC"))
	if got := r.missedAfter(r.now); got != time.Hour {
		t.Errorf("on the second Tuesday at noon an office is missed after %s, want an hour", got)
	}
}
