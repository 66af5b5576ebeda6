package blindness

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"phiwatch/ingest"
)

func TestWhatNeverIsMuchButDoesNotEnd(t *testing.T) {
	const day = 24 * time.Hour
	well := func(l *listener) func() { return func() { l.hear(ingest.EntraAudit, "", 100, time.Minute) } }
	hourly := func(l *listener, n int) func() { // damaged among many
		rounds := 0
		return func() {
			well(l)()
			if rounds++; rounds%12 == 0 {
				l.damaged(n)
			}
		}
	}
	const slowly, over = "Mon 10:00 weakened quarantine-growth medium example/audit + day", " restored quarantine-growth example/audit + day"
	for name, c := range map[string]struct {
		play func(l *listener)
		want []string
		said string // of the first
	}{
		"one in each hour": {
			play: func(l *listener) {
				l.pass(day, hourly(l, 1))
				l.pass(2*day, well(l))
			},
			want: []string{slowly, "Tue 19:00" + over},
			said: "10 of 12010 records of the last 24h00m could not be decoded",
		},
		"some days one": {play: func(l *listener) {
			for range 5 {
				l.damaged(1)
				l.pass(day, well(l))
			}
		}},
		"a burst is told once, and over when it is": {
			play: func(l *listener) {
				l.pass(round, func() { well(l)(); l.damaged(500) })
				l.pass(2*day, well(l))
			},
			want: []string{"Mon 00:05 weakened quarantine-growth high example/audit", "Mon 00:35 restored quarantine-growth example/audit"},
		},
		"a burst on a bad day": {
			play: func(l *listener) {
				l.pass(12*time.Hour, hourly(l, 1))
				l.pass(round, func() { well(l)(); l.damaged(500) })
				l.pass(3*time.Hour, hourly(l, 1))
				l.pass(3*day, well(l))
			},
			want: []string{
				slowly, "Mon 12:05 weakened quarantine-growth high example/audit", "Mon 12:35 restored quarantine-growth example/audit",
				"Tue 00:05" + over,
			},
		},
		"a restart does not close it early": {
			play: func(l *listener) {
				l.pass(12*time.Hour, hourly(l, 1))
				l.restart(time.Minute)
				l.pass(day-time.Hour, hourly(l, 1))
			},
			want: []string{slowly},
		},
		"the operator allows more": {
			play: func(l *listener) {
				l.options.QuarantineRecords = 10_000
				l.watch.SetOptions(l.options)
				l.pass(day, hourly(l, 5))
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := listen(t, Options{})
			c.play(l)
			if diff := cmp.Diff(c.want, l.told); diff != "" {
				t.Error(diff)
			}
			if c.said != "" && len(l.said) > 0 && l.said[0] != c.said {
				t.Errorf("it was said: %s", l.said[0])
			}
		})
	}
}

// TestAFullQuarantineIsToldOnceADay has it give up records all the time: who has
// acknowledged that is not to be paged again half a minute later.
func TestAFullQuarantineIsToldOnceADay(t *testing.T) {
	l := listen(t, Options{})
	l.pass(50*time.Hour, func() { l.watch.Evicted(2); l.hear(ingest.EntraAudit, "", 1, time.Minute) })
	want := []string{
		"2 undecodable records were given up", "576 undecodable records were given up", "576 undecodable records were given up",
	}
	if diff := cmp.Diff(want, l.said); diff != "" {
		t.Error(diff)
	}
}

func TestADelayOfASlowStreamEnds(t *testing.T) {
	l := listen(t, Options{})
	l.pass(round, func() { l.hear(ingest.KeyVault, "", 300, 5*time.Hour) })
	l.pass(2*time.Hour, func() { l.hear(ingest.KeyVault, "", 1, time.Minute) })
	want := []string{"Mon 00:05 weakened delivery-delay medium t1 + key-vault", "Mon 00:35 restored delivery-delay t1 + key-vault"}
	if diff := cmp.Diff(want, l.told); diff != "" {
		t.Error(diff)
	}
	if late := l.watch.Late(); late != "" {
		t.Errorf("nothing may close, still: %s", late)
	}
}
