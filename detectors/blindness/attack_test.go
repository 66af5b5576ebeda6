package blindness

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"phiwatch/detectors"
	"phiwatch/ingest"
)

// TestNoSilenceGoesUnseen has a stream stop, or a hub, in ways that must not hide
// it, nor tell it twice.
func TestNoSilenceGoesUnseen(t *testing.T) {
	const day = 24 * time.Hour
	audit := func(l *listener) func() { return func() { l.hear(ingest.EntraAudit, "", 3, time.Minute) } }
	const silent, heard = "Wed 00:00 weakened stream-silence critical t1 + entra-audit", " restored stream-silence t1 + entra-audit"
	const away = "Wed 00:05 weakened hub-unreachable critical example/audit"
	for name, c := range map[string]struct {
		options Options
		play    func(l *listener)
		want    []string
		said    string // of the last
	}{
		"the only hub of a stream is taken out of the configuration": {
			play: func(l *listener) {
				l.pass(2*day, audit(l))
				l.hubs = []HubHealth{well("example/new")}
				l.restart(time.Minute)
				l.pass(3*time.Hour, nil)
			},
			want: []string{silent},
			said: "nothing heard for 1h00m: no hub that it came by is in the configuration any more",
		},
		"a stream moves to another hub": {
			play: func(l *listener) {
				l.pass(2*day, audit(l))
				l.hubs = append(l.hubs, well("example/new"))
				l.restart(time.Minute)
				l.by = "example/new"
				l.pass(day, audit(l))
				l.hubs = l.hubs[1:]
				l.restart(time.Minute)
				l.pass(day, audit(l))
				l.pass(2*time.Hour, nil)
			},
			want: []string{"Fri 00:02 weakened stream-silence critical t1 + entra-audit"},
		},
		"a hub that is always somewhat behind": {
			play: func(l *listener) {
				l.hubs[0].Behind = 10 * time.Minute
				l.pass(2*day, audit(l))
				l.pass(65*time.Minute, nil)
				if l.told != nil { // what came ten minutes ago may wait there
					l.t.Errorf("too early: %v", l.told)
				}
				l.pass(10*time.Minute, nil)
			},
			want: []string{silent},
		},
		"a hub that answers, but of which nothing is read": {
			play: func(l *listener) {
				l.pass(2*day, audit(l))
				l.hubs[0].Known = false
				l.pass(3*time.Hour, nil)
			},
			want: []string{away},
			said: "it answers, but its partitions are not all read",
		},
		"a hub that is away with messages in it is not behind, too": {
			play: func(l *listener) {
				l.pass(2*day, audit(l))
				l.hubs[0] = HubHealth{Hub: someHub, Known: true, Behind: time.Hour, Events: 12, Trouble: "connection"}
				l.pass(3*time.Hour, nil)
			},
			want: []string{away},
			said: "not connected: connection",
		},
		"a batch that cannot be decided": {
			play: func(l *listener) {
				l.pass(2*day, audit(l))
				l.hubs[0].Behind, l.hubs[0].Events, l.hubs[0].Stuck = time.Hour, 7, true
				l.pass(3*round, nil)
			},
			want: []string{"Wed 00:05 weakened consumer-lag high example/audit"},
			said: "a batch cannot be decided; 7 messages wait, the oldest for 1h00m",
		},
		"a hub that comes and goes is one alarm": {
			play: func(l *listener) {
				l.pass(2*day, audit(l))
				l.hubs[0].Connected = false
				l.pass(2*round, nil)
				for range 30 {
					l.hubs[0].Connected = true
					l.now = l.now.Add(2 * time.Minute)
					audit(l)()
					l.tick(true)
					l.hubs[0].Connected = false
					l.pass(2*round, nil)
				}
				l.hubs[0].Connected = true
				l.pass(3*round, audit(l))
			},
			want: []string{away, "Wed 06:15 restored hub-unreachable example/audit"},
		},
		"a hub that never brought anything": {
			play: func(l *listener) {
				l.hubs = append(l.hubs, well("example/empty"))
				l.pass(12*time.Hour, audit(l))
				l.restart(time.Minute)
				l.tick(true)
				l.pass(day, audit(l))
				l.restart(time.Minute)
				l.tick(true)
				l.pass(2*day, audit(l))
				l.by = "example/empty"
				l.pass(round, audit(l))
			},
			want: []string{"Mon 00:05 weakened stream-silence medium example/empty", "Thu 12:07 restored stream-silence example/empty"},
		},
		"a hub that never brought anything is taken out again": {
			play: func(l *listener) {
				l.hubs = append(l.hubs, well("example/empty"))
				l.pass(25*time.Hour, audit(l))
				l.hubs = l.hubs[:1]
				l.restart(time.Minute)
				l.pass(round, audit(l))
			},
			want: []string{"Mon 00:05 weakened stream-silence medium example/empty", "Tue 01:06 restored stream-silence example/empty"},
		},
		"the clock was a day ahead when the hub went away": {
			play: func(l *listener) {
				l.pass(2*day, audit(l))
				l.now = l.now.Add(day)
				l.hubs[0].Connected = false
				l.tick(true)
				l.now = l.now.Add(-day)
				l.pass(3*round, nil)
			},
			want: []string{away},
		},
		"the clock jumps a day ahead, and back": {
			play: func(l *listener) {
				l.pass(2*day, audit(l))
				l.now = l.now.Add(day)
				l.tick(true)
				l.now = l.now.Add(-day)
				l.pass(round, audit(l))
				l.pass(2*time.Hour, nil)
				l.pass(round, audit(l))
			},
			want: []string{"Wed 00:05 weakened stream-silence critical t1 + entra-audit", "Wed 02:10" + heard},
		},
		"a setting's silence was told while the clock was a day ahead": {
			play: func(l *listener) {
				l.pass(2*day, audit(l))
				l.note("entra-diag-deleted", "to-hub", detectors.Weakened, l.now)
				l.pass(50*time.Minute, nil)
				l.now = l.now.Add(day)
				l.pass(2*round, nil)
				l.now = l.now.Add(-day)
				l.pass(round, nil)
				l.pass(2*round, audit(l))
			},
			want: []string{"Thu 01:00 weakened diag-off-and-silent critical t1 + entra-audit", "Thu 01:00 restored diag-off-and-silent t1 + entra-audit"},
		},
		"a process that dies every few minutes": {
			play: func(l *listener) {
				l.pass(2*day, audit(l))
				l.hubs[0].Behind, l.hubs[0].Events = time.Hour, 1000
				for range 12 {
					l.restart(time.Minute)
					l.tick(true)
				}
			},
			want: []string{"Wed 00:01 weakened consumer-lag high example/audit"},
		},
		"a stream that comes back while this process is down": {
			play: func(l *listener) {
				l.pass(2*day, audit(l))
				l.pass(2*time.Hour, nil)
				l.restart(10 * time.Hour)
				l.hubs[0].Behind = 10 * time.Hour // what came is read from the first tick on
				l.pass(round, func() { l.hear(ingest.EntraAudit, "", 300, 9*time.Hour) })
				l.hubs[0] = well(someHub)
				l.pass(time.Hour, audit(l))
			},
			want: []string{silent, "Wed 12:05" + heard, "Wed 12:05 weakened delivery-delay medium t1 + entra-audit", "Wed 12:35 restored delivery-delay t1 + entra-audit"},
		},
		"what was switched off is one alarm, that of the setting": {
			play: func(l *listener) {
				l.pass(2*day, audit(l))
				l.note("entra-diag-deleted", "to-hub", detectors.Weakened, l.now)
				l.pass(9*time.Hour, nil)
				l.note("entra-diag-deleted", "to-hub", detectors.Restored, l.now)
				l.pass(9*time.Hour, nil)
				l.pass(2*time.Hour, audit(l))
			},
			want: []string{
				"Wed 01:00 weakened diag-off-and-silent critical t1 + entra-audit", "Wed 09:00 incident evidence-gap high t1 + entra + to-hub",
				"Wed 18:05 restored diag-off-and-silent t1 + entra-audit",
			},
		},
		"the setting was off long ago, and another one sent on": {
			play: func(l *listener) {
				l.pass(2*day, audit(l))
				l.note("entra-diag-deleted", "to-hub", detectors.Weakened, l.now)
				l.pass(2*day, audit(l))
				l.pass(9*time.Hour, nil)
			},
			want: []string{"Fri 00:00 weakened stream-silence critical t1 + entra-audit"},
		},
		"a day's work of an application is no stream that stops": {
			play: func(l *listener) {
				l.pass(2*day, func() { l.hear(ingest.M365Audit, "Exchange", 3, time.Minute) })
				l.pass(9*time.Hour, func() {
					l.hear(ingest.M365Audit, "Exchange", 3, time.Minute)
					l.hear(ingest.M365Audit, "PowerBI", 3, time.Minute)
				})
				l.pass(9*day, func() { l.hear(ingest.M365Audit, "Exchange", 3, time.Minute) })
			},
		},
		"what all of the unified audit log missed is not usual for a workload": {
			play: func(l *listener) {
				both := func() {
					l.hear(ingest.M365Audit, "Exchange", 3, time.Minute)
					l.hear(ingest.M365Audit, "SharePoint", 3, time.Minute)
				}
				l.pass(2*day, both)
				l.pass(day, nil)
				l.pass(day, both)
				l.pass(6*time.Hour, func() { l.hear(ingest.M365Audit, "Exchange", 3, time.Minute) })
			},
			want: []string{
				"Wed 00:00 weakened stream-silence critical t1 + m365-audit", "Thu 00:05 restored stream-silence t1 + m365-audit",
				"Fri 00:00 weakened partial-silence high t1 + m365-audit + SharePoint",
			},
			said: "nothing heard for 5h00m, usually quiet for at most 1h00m",
		},
		"records of long ago were the last": {
			play: func(l *listener) {
				l.pass(2*day, audit(l))
				l.restart(day)
				l.pass(round, func() { l.hear(ingest.EntraAudit, "", 3, 23*time.Hour) })
				l.pass(2*time.Hour, nil)
			},
			want: []string{"Thu 00:05 weakened stream-silence critical t1 + entra-audit"},
			said: "nothing heard for 1h00m, usually quiet for at most 5 min; its newest record is of 2026-09-16T01:05:00Z, 23h00m before it came",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := listen(t, c.options)
			c.play(l)
			if diff := cmp.Diff(c.want, l.told); diff != "" {
				t.Error(diff)
			}
			for _, f := range l.findings {
				if f.Tenant != "" && f.Subject != f.Tenant+joiner+f.Name {
					t.Errorf("%s goes by the name %q", f.Subject, f.Name)
				}
			}
			if c.said != "" && len(l.said) > 0 && l.said[len(l.said)-1] != c.said {
				t.Errorf("it was said: %s", l.said[len(l.said)-1])
			}
		})
	}
}
