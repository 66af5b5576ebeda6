package blindness

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"phiwatch/detectors"
	"phiwatch/ingest"
)

// listener drives a Watch by a clock of its own, over one state.
type listener struct {
	t       *testing.T
	tx      *sql.Tx // of all rounds: a file for each would take long
	watch   *Watch
	reg     *prometheus.Registry
	options Options
	now     time.Time
	hubs    []HubHealth
	by      string // the hub by which records come
	told    []string
	said    []string // of each, in words

	findings []detectors.Finding
}

const someHub = "example/audit"

func well(hub string) HubHealth { return HubHealth{Hub: hub, Connected: true, Known: true} }

func listen(t *testing.T, o Options) *listener {
	l := &listener{t: t, by: someHub, tx: begin(t), options: o, now: time.Date(2026, 9, 14, 0, 0, 0, 0, time.UTC), hubs: []HubHealth{well(someHub)}}
	l.restart(0)
	return l
}

// restart ends the process and begins another one after a while.
func (l *listener) restart(away time.Duration) {
	l.now = l.now.Add(away)
	l.reg = prometheus.NewRegistry()
	l.watch = New(l.options, detectors.NewMetrics(l.reg), l.reg)
}

// hear has a batch arrive with records of a kind, as late as delay.
func (l *listener) hear(kind ingest.Kind, workload string, n int, delay time.Duration) {
	b := ingest.Batch{Partition: ingest.Partition{Hub: l.by, ID: "0"}}
	g := l.watch.Begin(&b)
	for range n {
		g.Event(&ingest.Event{Kind: kind, Tenant: "t1", Workload: workload, Time: l.now.Add(-delay), Enqueued: l.now})
	}
	l.watch.Saw(g, l.now)
}

func (l *listener) damaged(n int) {
	g := l.watch.Begin(&ingest.Batch{Partition: ingest.Partition{Hub: someHub}})
	for range n {
		g.Damaged()
	}
	l.watch.Saw(g, l.now)
}

const round = 5 * time.Minute

// pass lets time go by, each step after do.
func (l *listener) pass(d time.Duration, do func()) {
	l.t.Helper()
	for end := l.now.Add(d); l.now.Before(end); {
		l.now = l.now.Add(round)
		if do != nil {
			do()
		}
		l.tick(true)
	}
}

func (l *listener) tick(commit bool) {
	l.t.Helper()
	l.exec("SAVEPOINT round")
	findings, err := l.watch.Tick(l.t.Context(), l.tx, l.now, l.hubs)
	if err != nil {
		l.t.Fatal(err)
	}
	if !commit {
		l.exec("ROLLBACK TO round")
		return
	}
	l.exec("RELEASE round")
	l.watch.Done()
	l.findings = append(l.findings, findings...)
	for _, f := range findings {
		l.told, l.said = append(l.told, asLine(&f)), append(l.said, f.Evidence.Action)
	}
}

func (l *listener) exec(statement string) {
	l.t.Helper()
	if _, err := l.tx.ExecContext(l.t.Context(), statement); err != nil {
		l.t.Fatal(err)
	}
}

func asLine(f *detectors.Finding) string {
	s := fmt.Sprintf("%s %s %s", f.Time.Format("Mon 15:04"), f.State, f.Rule.Entry)
	if f.State != detectors.Restored {
		s += " " + f.Severity.String()
	}
	return s + " " + f.Subject
}

func TestSilence(t *testing.T) {
	const day = 24 * time.Hour
	audit := func(l *listener) func() { return func() { l.hear(ingest.EntraAudit, "", 3, time.Minute) } }
	vault := func(l *listener) func() { return func() { l.hear(ingest.KeyVault, "", 3, time.Minute) } }
	office := func(l *listener) func() {
		return func() {
			if h := l.now.Hour(); h >= 8 && h < 18 && l.now.Weekday() != time.Saturday && l.now.Weekday() != time.Sunday {
				l.hear(ingest.KeyVault, "", 3, time.Minute)
			}
		}
	}
	for name, c := range map[string]struct {
		options Options
		play    func(l *listener)
		want    []string
	}{
		"a stream that stops is told once, and its first record restores it": {
			play: func(l *listener) {
				l.pass(2*day, audit(l))
				l.pass(3*time.Hour, nil)
				l.pass(time.Hour, audit(l))
			},
			want: []string{"Wed 00:00 weakened stream-silence critical t1 + entra-audit", "Wed 03:05 restored stream-silence t1 + entra-audit"},
		},
		"a second silence opens it again": {
			play: func(l *listener) {
				l.pass(2*day, audit(l))
				l.pass(3*time.Hour, nil)
				l.pass(round, audit(l))
				l.pass(9*time.Hour, nil)
			},
			want: []string{
				"Wed 00:00 weakened stream-silence critical t1 + entra-audit", "Wed 03:05 restored stream-silence t1 + entra-audit",
				"Wed 03:05 weakened stream-silence critical t1 + entra-audit",
			},
		},
		"quiet nights and weekends are not silence, a quiet forenoon is": {
			play: func(l *listener) {
				l.pass(4*day, office(l)) // Monday to Thursday: the first weekend is not known to be quiet
				l.options.Silence = map[ingest.Kind]time.Duration{ingest.KeyVault: 4 * day}
				l.watch.SetOptions(l.options)
				l.pass(10*day, office(l))
				l.watch.SetOptions(Options{})
				l.pass(7*day, office(l))
				l.pass(12*time.Hour, nil) // Monday
			},
			want: []string{"Fri 17:55 weakened stream-silence high t1 + key-vault"},
		},
		"a configured limit counts, whatever is usual": {
			options: Options{Silence: map[ingest.Kind]time.Duration{ingest.KeyVault: 20 * time.Minute}},
			play: func(l *listener) {
				l.pass(time.Hour, vault(l))
				l.pass(15*time.Minute, nil)
				l.pass(10*time.Minute, vault(l))
				l.pass(20*time.Minute, nil)
			},
			want: []string{"Mon 01:25 weakened stream-silence high t1 + key-vault"},
		},
		"a stream heard now and then is not missed": {
			play: func(l *listener) {
				l.pass(15*time.Minute, vault(l))
				l.pass(3*day, nil)
			},
		},
		"a rare stream is called silent once, then its rhythm is known": {
			options: Options{Expect: []ingest.Kind{ingest.EntraRisk}},
			play: func(l *listener) {
				for range 8 {
					l.hear(ingest.EntraRisk, "", 1, time.Minute)
					l.pass(3*day, nil)
				}
			},
			want: []string{
				"Mon 00:00 weakened stream-silence high t1 + entra-risk", "Thu 00:00 restored stream-silence t1 + entra-risk",
			},
		},
		"expected and never seen": {
			options: Options{Expect: []ingest.Kind{ingest.M365Audit}},
			play: func(l *listener) {
				l.pass(20*time.Hour, nil)
				l.restart(10 * day) // does not count
				l.pass(5*time.Hour, nil)
				l.pass(10*time.Minute, func() { l.hear(ingest.M365Audit, "Exchange", 1, time.Minute) })
			},
			want: []string{"Mon 00:05 weakened stream-silence critical m365-audit", "Fri 01:05 restored stream-silence m365-audit"},
		},
		"expected and seen": {
			options: Options{Expect: []ingest.Kind{ingest.EntraAudit}},
			play:    func(l *listener) { l.pass(2*day, audit(l)) },
		},
		"no longer expected": {
			options: Options{Expect: []ingest.Kind{ingest.Intune}},
			play: func(l *listener) {
				l.pass(25*time.Hour, nil)
				l.watch.SetOptions(Options{})
				l.pass(round, nil)
			},
			want: []string{
				"Mon 00:05 weakened stream-silence high intune", "Mon 00:05 weakened stream-silence medium example/audit",
				"Tue 01:05 restored stream-silence intune",
			},
		},
		"one category stops while its siblings flow": {
			play: func(l *listener) {
				both := func() { audit(l)(); l.hear(ingest.EntraSignIn, "", 3, time.Minute) }
				l.pass(2*day, both)
				l.pass(3*time.Hour, func() { l.hear(ingest.EntraSignIn, "", 3, time.Minute) })
				l.pass(round, both)
			},
			want: []string{"Wed 00:00 weakened partial-silence high t1 + entra-audit", "Wed 03:05 restored partial-silence t1 + entra-audit"},
		},
		"all categories stop": {
			play: func(l *listener) {
				l.pass(2*day, func() { audit(l)(); l.hear(ingest.EntraSignIn, "", 3, time.Minute) })
				l.pass(3*time.Hour, func() { l.hear(ingest.KeyVault, "", 3, time.Minute) })
			},
			want: []string{"Wed 00:00 weakened stream-silence critical t1 + entra-audit", "Wed 00:00 weakened stream-silence high t1 + entra-signin"},
		},
		"one workload stops": {
			play: func(l *listener) {
				l.pass(2*day, func() {
					l.hear(ingest.M365Audit, "Exchange", 3, time.Minute)
					l.hear(ingest.M365Audit, "SharePoint", 3, time.Minute)
				})
				l.pass(3*time.Hour, func() { l.hear(ingest.M365Audit, "Exchange", 3, time.Minute) })
			},
			want: []string{"Wed 00:00 weakened partial-silence high t1 + m365-audit + SharePoint"},
		},
		"all workloads stop: the whole is told, not each": {
			play: func(l *listener) {
				l.pass(2*day, func() {
					l.hear(ingest.M365Audit, "Exchange", 3, time.Minute)
					l.hear(ingest.M365Audit, "SharePoint", 3, time.Minute)
				})
				l.pass(9*time.Hour, nil)
			},
			want: []string{"Wed 00:00 weakened stream-silence critical t1 + m365-audit"},
		},
		"a restart in the middle neither forgets nor tells again": {
			play: func(l *listener) {
				l.pass(2*day, audit(l))
				l.pass(30*time.Minute, nil)
				l.restart(time.Minute)
				l.pass(50*time.Minute, nil)
				l.restart(time.Minute)
				l.pass(time.Hour, nil)
				l.pass(round, audit(l))
			},
			want: []string{"Wed 00:00 weakened stream-silence critical t1 + entra-audit", "Wed 02:27 restored stream-silence t1 + entra-audit"},
		},
		"an outage of this process is not the source's": {
			play: func(l *listener) {
				l.pass(2*day, audit(l))
				l.restart(2 * day)
				l.pass(50*time.Minute, nil)
				l.pass(round, audit(l))
			},
		},
		"while the hub is away nothing is blamed on the source": {
			play: func(l *listener) {
				l.pass(2*day, audit(l))
				l.hubs[0].Connected = false
				l.pass(5*time.Hour, nil)
				l.hubs[0].Connected = true
				l.pass(30*time.Minute, nil)
				l.pass(round, audit(l))
			},
			want: []string{"Wed 00:05 weakened hub-unreachable critical example/audit", "Wed 05:05 restored hub-unreachable example/audit"},
		},
		"nor while there is a lag": {
			play: func(l *listener) {
				l.pass(2*day, audit(l))
				l.hubs[0].Behind, l.hubs[0].Events = 20*time.Minute, 1000
				l.pass(5*time.Hour, nil)
				l.hubs[0] = well(someHub)
				l.pass(30*time.Minute, nil)
			},
			want: []string{"Wed 00:05 weakened consumer-lag high example/audit", "Wed 05:05 restored consumer-lag example/audit"},
		},
		"another hub's outage does not matter": {
			play: func(l *listener) {
				l.hubs = append(l.hubs, HubHealth{Hub: "example/other", Connected: true})
				l.pass(2*day, audit(l))
				l.pass(2*time.Hour, nil)
			},
			want: []string{"Mon 00:05 weakened hub-unreachable critical example/other", "Wed 00:00 weakened stream-silence critical t1 + entra-audit"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := listen(t, c.options)
			c.play(l)
			if diff := cmp.Diff(c.want, l.told); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWayToTheHub(t *testing.T) {
	for name, c := range map[string]struct {
		play func(l *listener)
		want []string
	}{
		"a short cut is nothing": {
			play: func(l *listener) {
				l.hubs[0].Connected = false
				l.pass(round, nil)
				l.hubs[0].Connected = true
				l.pass(time.Hour, nil)
			},
		},
		"a flapping hub is told once": {
			play: func(l *listener) {
				l.hubs[0].Connected = false
				l.pass(3*round, nil)
				for range 4 {
					l.hubs[0].Connected = !l.hubs[0].Connected
					l.now = l.now.Add(30 * time.Second)
					l.tick(true)
				}
			},
			want: []string{"Mon 00:05 weakened hub-unreachable critical example/audit"},
		},
		"a start into an outage waits, too": {
			play: func(l *listener) {
				l.hubs[0].Connected = false
				l.pass(round, nil)
				l.restart(time.Hour)
				l.pass(round, nil)
			},
		},
		"a hub that is taken out of the configuration": {
			play: func(l *listener) {
				l.hubs[0].Connected = false
				l.pass(3*round, nil)
				l.hubs = nil
				l.restart(time.Minute)
				l.pass(round, nil)
			},
			want: []string{"Mon 00:05 weakened hub-unreachable critical example/audit", "Mon 00:21 restored hub-unreachable example/audit"},
		},
		"what expired before it was read is told once, a batch in hand is not": {
			play: func(l *listener) {
				l.hubs[0].Expired = []Expired{{Partition: "0", After: 7, UpTo: 9}, {Partition: "1", After: 3, UpTo: 4}}
				l.pass(40*time.Minute, nil)
				l.hubs[0].Expired[1].After = 4
				l.pass(40*time.Minute, nil)
				l.hubs[0].Expired = l.hubs[0].Expired[:1]
				l.restart(time.Minute)
				l.pass(3*time.Hour, nil)
			},
			want: []string{"Mon 01:05 incident evidence-gap high example/audit + 0"},
		},
		"what expired before it was read, and is told at the next message": {
			play: func(l *listener) {
				l.hubs[0].Expired = []Expired{{Partition: "0", After: 7, UpTo: 9}}
				l.pass(55*time.Minute, nil)
				l.hubs[0].Expired = nil
				l.pass(3*time.Hour, nil)
			},
		},
		"what waited during a pause is read at once": {
			play: func(l *listener) {
				l.hubs[0].Behind = 10 * time.Hour
				l.pass(round, nil)
				l.hubs[0].Behind = 0
				l.pass(time.Hour, nil)
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := listen(t, Options{})
			c.play(l)
			if diff := cmp.Diff(c.want, l.told); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLateAndDamagedRecords(t *testing.T) {
	for name, c := range map[string]struct {
		play func(l *listener)
		want []string
	}{
		"late over half an hour": {
			play: func(l *listener) {
				l.pass(30*time.Minute, func() { l.hear(ingest.EntraAudit, "", 10, 3*time.Hour) })
				l.pass(time.Hour, func() { l.hear(ingest.EntraAudit, "", 10, time.Minute) })
			},
			want: []string{"Mon 00:05 weakened delivery-delay medium t1 + entra-audit", "Mon 01:00 restored delivery-delay t1 + entra-audit"},
		},
		"one late record in twenty is not": {
			play: func(l *listener) {
				l.pass(2*time.Hour, func() {
					l.hear(ingest.EntraAudit, "", 19, time.Minute)
					l.hear(ingest.EntraAudit, "", 1, 9*time.Hour)
				})
			},
		},
		"all of few": {
			play: func(l *listener) {
				l.pass(30*time.Minute, func() { l.hear(ingest.EntraAudit, "", 1, 3*time.Hour) })
				l.pass(time.Hour, func() { l.hear(ingest.EntraAudit, "", 1, time.Minute) })
			},
			want: []string{"Mon 00:25 weakened delivery-delay medium t1 + entra-audit", "Mon 01:00 restored delivery-delay t1 + entra-audit"},
		},
		"some of few are not": {
			play: func(l *listener) {
				l.pass(2*time.Hour, func() { l.hear(ingest.EntraAudit, "", 1, time.Duration(l.now.Minute()%2)*9*time.Hour) })
			},
		},
		"a kind that is always late": {
			play: func(l *listener) {
				l.pass(2*time.Hour, func() { l.hear(ingest.Intune, "", 20, 20*time.Hour) })
			},
		},
		"undecodable records": {
			play: func(l *listener) {
				l.pass(round, func() { l.damaged(9) })
				l.pass(round, func() { l.damaged(1); l.hear(ingest.EntraAudit, "", 30, time.Minute) })
				l.pass(2*time.Hour, func() { l.hear(ingest.EntraAudit, "", 30, time.Minute) })
			},
			want: []string{"Mon 00:10 weakened quarantine-growth high example/audit", "Mon 00:35 restored quarantine-growth example/audit"},
		},
		"a restart does not close it early": {
			play: func(l *listener) {
				l.pass(round, func() { l.damaged(100) })
				l.restart(time.Minute)
				l.pass(30*time.Minute, nil)
			},
			want: []string{"Mon 00:05 weakened quarantine-growth high example/audit"},
		},
		"a few among many": {
			play: func(l *listener) {
				l.pass(2*time.Hour, func() { l.hear(ingest.EntraAudit, "", 1000, time.Minute) })
				l.damaged(9)
				l.pass(2*time.Hour, func() { l.hear(ingest.EntraAudit, "", 1000, time.Minute) })
			},
		},
		"given up": {
			play: func(l *listener) {
				l.watch.Evicted(7)
				l.tick(false)
				l.pass(2*round, nil)
			},
			want: []string{"Mon 00:05 incident evidence-gap high quarantine"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := listen(t, Options{})
			c.play(l)
			if diff := cmp.Diff(c.want, l.told); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNothingIsLostWithARoundThatFails(t *testing.T) {
	l := listen(t, Options{Silence: map[ingest.Kind]time.Duration{ingest.EntraAudit: 10 * time.Minute}})
	l.pass(round, func() { l.hear(ingest.EntraAudit, "", 3, 0) })
	l.pass(20*time.Minute, nil)
	l.now = l.now.Add(round)
	l.hear(ingest.EntraAudit, "", 4, 0)
	l.tick(false)
	l.pass(round, nil)
	want := []string{"Mon 00:05 weakened stream-silence critical t1 + entra-audit", "Mon 00:30 restored stream-silence t1 + entra-audit"}
	if diff := cmp.Diff(want, l.told); diff != "" {
		t.Error(diff)
	}
	var records int64
	if err := l.tx.QueryRow(`SELECT records FROM blind_streams WHERE kind = 'entra-audit'`).Scan(&records); err != nil || records != 7 {
		t.Errorf("got %d records, %v, want 7", records, err)
	}
}

func TestSilenceAfterASettingWasSwitchedOff(t *testing.T) {
	const setting = "/subscriptions/S1/resourceGroups/RG/providers/Microsoft.KeyVault/vaults/V1/providers/Microsoft.Insights/diagnosticSettings/D"
	l := listen(t, Options{})
	note := func(entry, subject string, state detectors.State, at time.Time) {
		t.Helper()
		f := detectors.Finding{Rule: &detectors.Meta{Entry: entry}, State: state, Tenant: "t1", Subject: subject, Time: at}
		if err := l.watch.Note(t.Context(), l.tx, []detectors.Finding{f}); err != nil {
			t.Fatal(err)
		}
	}
	const vault = "/SUBSCRIPTIONS/S1/RESOURCEGROUPS/RG/PROVIDERS/MICROSOFT.KEYVAULT/VAULTS/V1"
	n := 0
	hourly := func() { // quiet for an hour, usually
		if n++; n%12 == 0 {
			l.send(ingest.KeyVault, vault, "AuditEvent", time.Minute)
		}
	}
	l.pass(48*time.Hour, hourly)
	note("azure-diag-deleted", setting, detectors.Weakened, l.now)
	note("azure-diag-deleted", setting, detectors.Restored, l.now.Add(-time.Hour)) // late: it does not count
	note("azure-diag-deleted", "/subscriptions/s1/providers/microsoft.insights/diagnosticSettings/a", detectors.Weakened, l.now)
	l.pass(3*time.Hour-round, nil)
	if l.told != nil {
		t.Errorf("too early: %v", l.told)
	}
	l.pass(30*time.Minute, nil)
	l.restart(time.Minute)
	note("azure-diag-deleted", setting, detectors.Restored, l.now)
	l.pass(time.Hour, nil) // the setting is back, but nothing has come yet
	l.pass(round, func() { l.send(ingest.KeyVault, vault, "AuditEvent", time.Minute) })
	l.pass(time.Hour, nil)
	subject := strings.ToLower(vault)
	want := []string{
		"Wed 03:00 weakened diag-off-and-silent critical " + subject, "Wed 03:26 incident evidence-gap high " + subject,
		"Wed 04:31 restored diag-off-and-silent " + subject,
	}
	if diff := cmp.Diff(want, l.told); diff != "" {
		t.Error(diff)
	}
}

func TestKindsOfSettings(t *testing.T) {
	for _, c := range []struct {
		entry, subject string
		want           int
		first          ingest.Kind
	}{
		{"entra-diag-deleted", "/providers/microsoft.aadiam/diagnosticsettings/d", 6, ingest.EntraAudit},
		{"azure-diag-weakened", "/subscriptions/s/providers/microsoft.insights/diagnosticsettings/d", 1, ingest.AzureActivity},
		{"azure-diag-deleted", "/subscriptions/s/resourcegroups/r/providers/microsoft.keyvault/vaults/v/providers/microsoft.insights/diagnosticsettings/d", 1, ingest.KeyVault},
		{"azure-diag-deleted", "/subscriptions/s/resourcegroups/r/providers/microsoft.sql/servers/v/providers/microsoft.insights/diagnosticsettings/d", 0, 0},
	} {
		got := (&off{entry: c.entry, subject: c.subject}).kinds()
		if len(got) != c.want || len(got) > 0 && got[0] != c.first {
			t.Errorf("%s: got %v", c.subject, got)
		}
	}
}

func TestGaps(t *testing.T) {
	batch := func(owner string, reset bool, sequences ...int64) *ingest.Batch {
		b := &ingest.Batch{Partition: ingest.Partition{Hub: someHub, ID: "3"}, Owner: owner, Reset: reset}
		for _, n := range sequences {
			b.Messages = append(b.Messages, ingest.Message{
				Position: ingest.Position{Partition: b.Partition, Sequence: n}, Enqueued: time.Unix(1_800_000_000+n, 0),
			})
		}
		return b
	}
	w := New(Options{}, detectors.NewMetrics(prometheus.NewRegistry()), prometheus.NewRegistry())
	for name, c := range map[string]struct {
		batch *ingest.Batch
		after int64
		known bool
		want  []string
	}{
		"in sequence":          {batch("me", false, 8, 9, 10), 7, true, nil},
		"the first ever":       {batch("me", false, 8, 9), 0, false, nil},
		"lost before it":       {batch("me", false, 12, 13), 7, true, []string{"4 messages are missing"}},
		"lost within":          {batch("me", false, 8, 11), 7, true, []string{"2 messages are missing"}},
		"a hub made anew":      {batch("me", true, 0, 1), 99, true, []string{"the hub was made anew; what was not read of the old one is lost"}},
		"a file has no number": {batch("", false, 8, 11), 0, false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, f := range w.Gaps(c.batch, c.after, c.known) {
				got = append(got, f.Evidence.Action)
				if f.Subject != "example/audit + 3" || f.State != detectors.Incident || f.Severity != detectors.High {
					t.Errorf("got %s", asLine(&f))
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			again := w.Gaps(c.batch, c.after, c.known)
			if diff := cmp.Diff(w.Gaps(c.batch, c.after, c.known), again, cmp.AllowUnexported(detectors.Finding{})); diff != "" {
				t.Errorf("delivered again, it is another incident: %s", diff)
			}
		})
	}
}

func TestRulesWhoseFieldsNeverOccur(t *testing.T) {
	l := listen(t, Options{})
	l.watch.Use(engineOf(t, fieldRule("rule-1", "properties.noSuchThing"), fieldRule("rule-2", "operationName"), fieldRule("rule-3", "properties.rare")))
	if err := l.watch.Note(t.Context(), l.tx, []detectors.Finding{{Rule: &detectors.Meta{Entry: "rule-3"}, State: detectors.Weakened}}); err != nil {
		t.Fatal(err) // a rule that has found something has its fields
	}
	record := []byte(`{"time":"2026-09-14T08:00:00Z","category":"AuditLogs","operationName":"Update policy","tenantId":"t1",` +
		`"resourceId":"/tenants/t1/providers/Microsoft.aadiam","properties":{"id":"a","result":"success"}}`)
	day := func(n int, body []byte) {
		l.now = l.now.Add(24 * time.Hour)
		g := l.watch.Begin(&ingest.Batch{Partition: ingest.Partition{Hub: someHub}})
		decodeAll(t, body, func(ev *ingest.Event) {
			for range n {
				g.Event(ev)
			}
		})
		l.watch.Saw(g, l.now)
		l.tick(true)
	}
	day(1, record)
	for range 14 {
		day(700, record) // not enough records yet
	}
	if l.told != nil {
		t.Errorf("too early: %v", l.told)
	}
	day(700, record)
	day(700, record)
	l.restart(time.Hour)
	l.watch.Use(engineOf(t, fieldRule("rule-1", "properties.noSuchThing"), fieldRule("rule-2", "operationName")))
	day(200, []byte(strings.Replace(string(record), `"id":"a"`, `"id":"a","noSuchThing":"y"`, 1)))
	want := []string{"Wed 00:00 weakened rule-fields-unseen low rule-1", "Fri 01:00 restored rule-fields-unseen rule-1"}
	if diff := cmp.Diff(want, l.told); diff != "" {
		t.Error(diff)
	}
}

func TestWatchMetrics(t *testing.T) {
	l := listen(t, Options{Silence: map[ingest.Kind]time.Duration{ingest.KeyVault: 10 * time.Minute}})
	if problems, err := testutil.GatherAndLint(l.reg); err != nil || len(problems) > 0 {
		t.Error(problems, err)
	}
	l.pass(round, func() { l.hear(ingest.KeyVault, "", 1, time.Minute) })
	heard := l.now.Add(-time.Minute)
	l.pass(15*time.Minute, nil)
	want := fmt.Sprintf(`
# HELP phiwatch_stream_last_event_timestamp_seconds Event time of the newest record of a kind, of any tenant; 0 if there never was one.
# TYPE phiwatch_stream_last_event_timestamp_seconds gauge
%s# HELP phiwatch_stream_silent Streams of a kind (by tenant, of some kinds also by workload or category) that are silent now.
# TYPE phiwatch_stream_silent gauge
%s`, perKind("phiwatch_stream_last_event_timestamp_seconds", float64(heard.Unix())), perKind("phiwatch_stream_silent", 1))
	err := testutil.GatherAndCompare(l.reg, strings.NewReader(want), "phiwatch_stream_last_event_timestamp_seconds", "phiwatch_stream_silent")
	if err != nil {
		t.Error(err)
	}
}

// perKind writes a gauge that is v for key-vault and 0 for all other kinds.
func perKind(name string, v float64) string {
	var b strings.Builder
	for _, k := range ingest.Kinds() {
		value := 0.0
		if k == ingest.KeyVault {
			value = v
		}
		fmt.Fprintf(&b, "%s{kind=%q} %v\n", name, k.String(), value)
	}
	return b.String()
}

// TestFieldsThatOccurNoMore has a source change what it sends.
func TestFieldsThatOccurNoMore(t *testing.T) {
	l := listen(t, Options{})
	l.watch.Use(engineOf(t, fieldRule("rule-1", "properties.old")))
	day := func(field string) {
		l.now = l.now.Add(24 * time.Hour)
		g := l.watch.Begin(&ingest.Batch{Partition: ingest.Partition{Hub: someHub}})
		body := fmt.Sprintf(`{"time":"2026-09-14T08:00:00Z","category":"AuditLogs","operationName":"x","tenantId":"t1","properties":{%q:"a"}}`, field)
		decodeAll(t, []byte(body), func(ev *ingest.Event) {
			for range 1000 {
				g.Event(ev)
			}
		})
		l.watch.Saw(g, l.now)
		l.tick(true)
	}
	for range 20 {
		day("old")
	}
	l.restart(time.Hour)
	l.watch.Use(engineOf(t, fieldRule("rule-1", "properties.old")))
	for range 30 {
		day("new")
	}
	for range 30 {
		day("old")
	}
	want := []string{"Tue 01:00 weakened rule-fields-unseen low rule-1", "Wed 01:00 restored rule-fields-unseen rule-1"}
	if diff := cmp.Diff(want, l.told); diff != "" {
		t.Error(diff)
	}
}
