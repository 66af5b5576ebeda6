package blindness

import (
	"fmt"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"phiwatch/detectors"
	"phiwatch/ingest"
)

// tuned returns what a pack makes of the entries of Rules.
func tuned(t *testing.T, p detectors.Pack) []*detectors.ClockRule {
	t.Helper()
	set := new(detectors.Set)
	if err := set.Tune(p, Rules()...); err != nil {
		t.Fatal(err)
	}
	return set.Clock
}

// reload brings a pack into force.
func (l *listener) reload(p detectors.Pack) {
	l.t.Helper()
	l.options.Clock = tuned(l.t, p)
	l.watch.SetOptions(l.options)
}

func disabling(selectors ...string) detectors.Pack { return detectors.Pack{Disable: selectors} }

const (
	twoDays      = 48 * time.Hour
	someSetting  = "/subscriptions/s1/providers/microsoft.insights/diagnosticsettings/a"
	someActivity = "/subscriptions/s1" // which that sends
)

// troubles are a way to each entry of Watch, with what is told of it.
var troubles = map[string]struct {
	play func(l *listener)
	want []string
}{
	"stream-silence": {
		play: func(l *listener) {
			l.pass(twoDays, func() { l.hear(ingest.EntraAudit, "", 3, time.Minute) })
			l.pass(3*time.Hour, nil)
			l.pass(round, func() { l.hear(ingest.EntraAudit, "", 3, time.Minute) })
		},
		want: []string{"Wed 00:00 weakened stream-silence critical t1 + entra-audit", "Wed 03:05 restored stream-silence t1 + entra-audit"},
	},
	"partial-silence": {
		play: func(l *listener) {
			signin := func() { l.hear(ingest.EntraSignIn, "", 3, time.Minute) }
			l.pass(twoDays, func() { signin(); l.hear(ingest.EntraAudit, "", 3, time.Minute) })
			l.pass(3*time.Hour, signin)
		},
		want: []string{"Wed 00:00 weakened partial-silence high t1 + entra-audit"},
	},
	"diag-off-and-silent": {
		play: func(l *listener) {
			for range 48 {
				l.hear(ingest.AzureActivity, "", 1, time.Minute)
				l.pass(time.Hour, nil)
			}
			f := detectors.Finding{Rule: &detectors.Meta{Entry: "azure-diag-deleted"}, State: detectors.Weakened, Tenant: "t1", Subject: someSetting, Time: l.now}
			if err := l.watch.Note(l.t.Context(), l.tx, []detectors.Finding{f}); err != nil {
				l.t.Fatal(err)
			}
			l.pass(4*time.Hour, nil)
		},
		want: []string{"Wed 03:00 weakened diag-off-and-silent critical " + someActivity},
	},
	"delivery-delay": {
		play: func(l *listener) { l.hear(ingest.EntraAudit, "", 100, 5*time.Hour); l.tick(true) },
		want: []string{"Mon 00:00 weakened delivery-delay medium t1 + entra-audit"},
	},
	"evidence-gap": {
		play: func(l *listener) {
			l.watch.Evicted(7)
			l.hubs[0].Expired = []Expired{{Partition: "0", After: 7, UpTo: 9}}
			l.pass(70*time.Minute, nil)
		},
		want: []string{"Mon 00:05 incident evidence-gap high quarantine", "Mon 01:05 incident evidence-gap high example/audit + 0"},
	},
	"consumer-lag": {
		play: func(l *listener) { l.hubs[0].Behind = time.Hour; l.pass(3*round, nil) },
		want: []string{"Mon 00:05 weakened consumer-lag high example/audit"},
	},
	"quarantine-growth": {
		play: func(l *listener) { l.damaged(1000); l.tick(true) },
		want: []string{"Mon 00:00 weakened quarantine-growth high example/audit"},
	},
	"hub-unreachable": {
		play: func(l *listener) { l.hubs[0].Connected = false; l.pass(3*round, nil) },
		want: []string{"Mon 00:05 weakened hub-unreachable critical example/audit"},
	},
	"rule-fields-unseen": {
		play: func(l *listener) {
			l.watch.Use(engineOf(l.t, fieldRule("no-field", "properties.noSuchThing")))
			l.options.Unseen = time.Hour
			l.watch.SetOptions(l.options)
			l.pass(2*time.Hour, func() {
				g := l.watch.Begin(&ingest.Batch{Partition: ingest.Partition{Hub: someHub}})
				decodeAll(l.t, []byte(`{"time":"2026-09-14T08:00:00Z","category":"AuditLogs","operationName":"x","tenantId":"t1","properties":{"id":"a"}}`), func(ev *ingest.Event) {
					for range 1000 {
						g.Event(ev)
					}
				})
				l.watch.Saw(g, l.now)
			})
		},
		want: []string{"Mon 01:05 weakened rule-fields-unseen low no-field"},
	},
}

// trouble plays a trouble under a pack, and returns what is told of it.
func trouble(t *testing.T, entry string, p detectors.Pack) *listener {
	t.Helper()
	l := listen(t, Options{})
	l.reload(p)
	troubles[entry].play(l)
	return l
}

func TestPacksReachEveryEntryOfTheWatch(t *testing.T) {
	for _, m := range Rules() {
		t.Run(m.Entry, func(t *testing.T) {
			t.Parallel()
			want := troubles[m.Entry].want
			if len(want) == 0 {
				t.Fatal("there is no trouble that leads to it")
			}
			if diff := cmp.Diff(want, trouble(t, m.Entry, detectors.Pack{}).told); diff != "" {
				t.Errorf("without a pack: %s", diff)
			}
			for _, selector := range []string{"entry:" + m.Entry, "safeguard:AUDIT"} {
				l := trouble(t, m.Entry, disabling(selector))
				if l.told != nil {
					t.Errorf("%s is off, and yet told: %v", selector, l.told)
				}
				for _, state := range []detectors.State{detectors.Weakened, detectors.Restored, detectors.Incident} {
					if n := testutil.ToFloat64(l.watch.metrics.found.Findings(m.Entry, state)); n != 0 {
						t.Errorf("%s is off, and yet counted: %v %s", selector, n, state)
					}
				}
			}
			level := regexp.MustCompile(`(weakened|incident) ([a-z-]+) [a-z]+`)
			for i := range want {
				want[i] = level.ReplaceAllString(want[i], "$1 $2 info")
			}
			l := trouble(t, m.Entry, detectors.Pack{Severity: map[string]string{"entry:" + m.Entry: "info", "all": "high"}})
			if diff := cmp.Diff(want, l.told); diff != "" {
				t.Errorf("with another severity: %s", diff)
			}
		})
	}
}

// TestAReloadThatSwitchesTheWatchOff holds an entry of Watch to what becomes of
// a rule's: what is open stays open, since nobody looks whether it is over.
func TestAReloadThatSwitchesTheWatchOff(t *testing.T) {
	audit := func(l *listener) func() { return func() { l.hear(ingest.EntraAudit, "", 3, time.Minute) } }
	const silent = "Wed 00:00 weakened stream-silence critical t1 + entra-audit"
	const away = "Mon 00:05 weakened hub-unreachable critical example/audit"
	for name, c := range map[string]struct {
		play func(l *listener)
		want []string
	}{
		"what is open is not ended while it is off": {
			play: func(l *listener) {
				l.pass(twoDays, audit(l))
				l.pass(2*time.Hour, nil)
				l.reload(disabling("entry:stream-silence"))
				l.pass(2*time.Hour, audit(l))
			},
			want: []string{silent},
		},
		"on again, it ends what is over": {
			play: func(l *listener) {
				l.pass(twoDays, audit(l))
				l.pass(2*time.Hour, nil)
				l.reload(disabling("entry:stream-silence"))
				l.pass(2*time.Hour, audit(l))
				l.reload(detectors.Pack{})
				l.pass(round, audit(l))
			},
			want: []string{silent, "Wed 04:05 restored stream-silence t1 + entra-audit"},
		},
		"on again, what goes on is not told again": {
			play: func(l *listener) {
				l.pass(twoDays, audit(l))
				l.pass(2*time.Hour, nil)
				l.reload(disabling("all"))
				l.pass(2*time.Hour, nil)
				l.reload(detectors.Pack{})
				l.pass(time.Hour, nil)
			},
			want: []string{silent},
		},
		"on again, it tells what began meanwhile": {
			play: func(l *listener) {
				l.reload(disabling("group:stateful"))
				l.pass(twoDays, audit(l))
				l.pass(2*time.Hour, nil)
				l.reload(detectors.Pack{})
				l.pass(round, nil)
			},
			want: []string{silent},
		},
		"what is open of one silence does not hide the other": {
			play: func(l *listener) {
				signin := func() { l.hear(ingest.EntraSignIn, "", 3, time.Minute) }
				l.pass(twoDays, func() { signin(); audit(l)() })
				l.pass(2*time.Hour, signin)
				l.reload(disabling("entry:partial-silence"))
				l.pass(6*time.Hour, nil)
			},
			want: []string{
				"Wed 00:00 weakened partial-silence high t1 + entra-audit",
				"Wed 02:00 weakened stream-silence high t1 + entra-signin", "Wed 00:00 weakened stream-silence critical t1 + entra-audit",
			},
		},
		"a hub's trouble from before it was off does not count when it is on again": {
			play: func(l *listener) {
				l.pass(4*round, nil)
				l.hubs[0].Connected = false
				l.pass(round, nil)
				l.reload(disabling("entry:hub-unreachable"))
				l.pass(3*time.Hour, nil)
				l.reload(detectors.Pack{})
				l.pass(round, nil) // waits anew
				l.hubs[0].Connected = true
				l.pass(time.Hour, nil)
			},
		},
		"a hub that was well for a moment before is not called so": {
			play: func(l *listener) {
				l.hubs[0].Connected = false
				l.pass(2*round, nil)
				l.hubs[0].Connected = true
				l.pass(round, nil)
				l.reload(disabling("entry:hub-unreachable"))
				l.hubs[0].Connected = false
				l.pass(time.Hour, nil)
				l.hubs[0].Connected = true
				l.reload(detectors.Pack{})
				l.pass(round, nil)
				l.pass(round, nil)
			},
			want: []string{away, "Mon 01:20 restored hub-unreachable example/audit"},
		},
		"a hub taken out meanwhile ends when it is on again": {
			play: func(l *listener) {
				l.hubs[0].Connected = false
				l.pass(2*round, nil)
				l.reload(disabling("entry:hub-unreachable"))
				l.hubs = nil
				l.pass(time.Hour, nil)
				l.reload(detectors.Pack{})
				l.pass(round, nil)
			},
			want: []string{away, "Mon 01:15 restored hub-unreachable example/audit"},
		},
		"records given up while nobody asked are not told later": {
			play: func(l *listener) {
				l.reload(disabling("entry:evidence-gap"))
				l.watch.Evicted(7)
				l.pass(2*round, nil)
				l.reload(detectors.Pack{})
				l.pass(2*round, nil)
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
		})
	}
}

// TestOneSilenceOff has a stream fall silent whose siblings follow it: which of
// the two silences it is depends on them, and a pack may leave either untold.
func TestOneSilenceOff(t *testing.T) {
	play := func(p detectors.Pack) []string {
		l := listen(t, Options{})
		l.reload(p)
		signin := func() { l.hear(ingest.EntraSignIn, "", 3, time.Minute) }
		l.pass(twoDays, func() { signin(); l.hear(ingest.EntraAudit, "", 3, time.Minute) })
		l.pass(2*time.Hour, signin)
		l.pass(6*time.Hour, nil)
		return l.told
	}
	const part = "Wed 00:00 weakened partial-silence high t1 + entra-audit"
	const whole, other = "Wed 00:00 weakened stream-silence critical t1 + entra-audit", "Wed 02:00 weakened stream-silence high t1 + entra-signin"
	for name, c := range map[string]struct {
		pack detectors.Pack
		want []string
	}{
		"both on":     {detectors.Pack{}, []string{part, other}},
		"partial off": {disabling("entry:partial-silence"), []string{other, whole}},
		"stream off":  {disabling("entry:stream-silence"), []string{part}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, play(c.pack)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestWhatIsUsualDoesNotDependOnThePack has a stream stop for days while its
// silence is off: it must not pass for usual when it is on again.
func TestWhatIsUsualDoesNotDependOnThePack(t *testing.T) {
	for _, p := range []detectors.Pack{{}, disabling("entry:stream-silence"), disabling("entry:partial-silence"), disabling("all")} {
		l := listen(t, Options{})
		audit := func() { l.hear(ingest.EntraAudit, "", 3, time.Minute) }
		l.reload(p)
		l.pass(twoDays, audit)
		l.pass(twoDays, nil)
		l.pass(round, audit)
		l.reload(detectors.Pack{})
		l.pass(2*time.Hour, audit)
		l.told = nil
		l.pass(6*time.Hour, nil)
		// an hour was taken for usual, five times that is a silence
		if want := []string{"Fri 02:05 weakened stream-silence critical t1 + entra-audit"}; cmp.Diff(want, l.told) != "" {
			t.Errorf("%v: %s", p.Disable, cmp.Diff(want, l.told))
		}
	}
}

func TestAGapThatAPackLeavesUntold(t *testing.T) {
	b := &ingest.Batch{Partition: ingest.Partition{Hub: someHub, ID: "3"}, Owner: "me", Messages: []ingest.Message{{Enqueued: time.Unix(1_800_000_000, 0)}}}
	b.Messages[0].Sequence = 12
	l := listen(t, Options{})
	for _, c := range []struct {
		pack detectors.Pack
		want string
	}{
		{detectors.Pack{}, "[high]"},
		{detectors.Pack{Severity: map[string]string{"safeguard:AUDIT": "low"}}, "[low]"},
		{disabling("entry:evidence-gap"), "[]"},
	} {
		l.reload(c.pack)
		got := []string{}
		for _, f := range l.watch.Gaps(b, 7, true) {
			got = append(got, f.Severity.String())
		}
		if fmt.Sprint(got) != c.want {
			t.Errorf("%+v: got %v, want %s", c.pack, got, c.want)
		}
	}
}

func TestTheGaugeOfSilenceLeavesOutWhatIsOff(t *testing.T) {
	l := listen(t, Options{Silence: map[ingest.Kind]time.Duration{ingest.KeyVault: 10 * time.Minute}})
	l.pass(round, func() { l.hear(ingest.KeyVault, "", 3, 0) })
	silent := func() float64 {
		l.pass(4*round, nil)
		return testutil.ToFloat64(l.watch.metrics.silent.WithLabelValues("key-vault"))
	}
	if n := silent(); n != 1 {
		t.Fatalf("%v streams are silent, want one", n)
	}
	l.reload(disabling("entry:stream-silence"))
	if n := silent(); n != 0 {
		t.Errorf("%v streams are silent, want none: the entry is off", n)
	}
}
