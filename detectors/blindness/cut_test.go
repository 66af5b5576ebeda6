package blindness

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"phiwatch/detectors"
	"phiwatch/ingest"
)

// send has a record of a resource arrive, which happened a while before.
func (l *listener) send(kind ingest.Kind, resource, category string, ago time.Duration) {
	l.t.Helper()
	at := l.now.Add(-ago).Format(time.RFC3339)
	operation := map[ingest.Kind]string{ingest.KeyVault: "SecretGet", ingest.AzureActivity: "Microsoft.Storage/storageAccounts/write"}[kind]
	g := l.watch.Begin(&ingest.Batch{Partition: ingest.Partition{Hub: someHub, ID: "0"}})
	decodeAll(l.t, fmt.Appendf(nil, `{"time":%q,"resourceId":%q,"category":%q,"operationName":%q,"resultType":"Success","correlationId":"c","tenantId":"t1"}`,
		at, resource, category, operation), func(ev *ingest.Event) {
		if ev.Kind != kind {
			l.t.Fatalf("the record is of kind %s", ev.Kind)
		}
		g.Event(ev)
	})
	l.watch.Saw(g, l.now)
}

// note has the watch take in what a rule found of a setting, or of its sides.
func (l *listener) note(entry, subject string, state detectors.State, at time.Time, sides ...string) {
	l.t.Helper()
	f := detectors.Finding{Rule: &detectors.Meta{Entry: entry}, State: state, Tenant: "t1", Subject: subject, Time: at}
	if state == detectors.Weakened {
		f.Weak = sides
	} else {
		f.Strong = sides
	}
	if err := l.watch.Note(l.t.Context(), l.tx, []detectors.Finding{f}); err != nil {
		l.t.Fatal(err)
	}
}

const (
	vaultA    = "/SUBSCRIPTIONS/S1/RESOURCEGROUPS/RG/PROVIDERS/MICROSOFT.KEYVAULT/VAULTS/A"
	vaultB    = "/SUBSCRIPTIONS/S1/RESOURCEGROUPS/RG/PROVIDERS/MICROSOFT.KEYVAULT/VAULTS/B"
	ofSetting = "/PROVIDERS/MICROSOFT.INSIGHTS/DIAGNOSTICSETTINGS/D"
)

func TestOneSilentResourceAmongLoudOnes(t *testing.T) {
	send := func(l *listener, vaults ...string) func() {
		return func() {
			for _, v := range vaults {
				l.send(ingest.KeyVault, v, "AuditEvent", time.Minute)
			}
		}
	}
	activity := func(l *listener, of ...string) func() {
		return func() {
			for _, s := range of {
				subscription, category, _ := strings.Cut(s, " ")
				l.send(ingest.AzureActivity, "/SUBSCRIPTIONS/"+subscription+"/RESOURCEGROUPS/RG", category, time.Minute)
			}
		}
	}
	const a, b = "/subscriptions/s1/resourcegroups/rg/providers/microsoft.keyvault/vaults/a", "/subscriptions/s1/resourcegroups/rg/providers/microsoft.keyvault/vaults/b"
	for name, c := range map[string]struct {
		play func(l *listener)
		want []string
	}{
		"a vault": {
			play: func(l *listener) {
				l.pass(twoDays, send(l, vaultA, vaultB))
				l.note("azure-diag-deleted", vaultA+ofSetting, detectors.Weakened, l.now)
				l.pass(30*time.Minute, send(l, vaultB))
				l.restart(time.Minute)
				l.pass(3*time.Hour, send(l, vaultB))
				l.note("azure-diag-deleted", vaultA+ofSetting, detectors.Restored, l.now)
				l.pass(time.Hour, send(l, vaultB))
				l.pass(2*time.Hour, send(l, vaultA, vaultB))
			},
			want: []string{
				"Wed 01:06 weakened diag-off-and-silent critical " + a, "Wed 03:31 incident evidence-gap high " + a,
				"Wed 04:36 restored diag-off-and-silent " + a,
			},
		},
		"it goes on sending, by another setting": {
			play: func(l *listener) {
				l.pass(twoDays, send(l, vaultA, vaultB))
				l.note("azure-diag-deleted", vaultA+ofSetting, detectors.Weakened, l.now)
				l.pass(8*time.Hour, send(l, vaultA, vaultB))
			},
		},
		"what happened before the setting was off still arrives, and tells nothing": {
			play: func(l *listener) {
				l.pass(twoDays, send(l, vaultA, vaultB))
				l.note("azure-diag-deleted", vaultA+ofSetting, detectors.Weakened, l.now)
				off := l.now
				l.pass(2*time.Hour, func() {
					send(l, vaultB)()
					l.send(ingest.KeyVault, vaultA, "AuditEvent", l.now.Sub(off))
				})
			},
			want: []string{"Wed 01:00 weakened diag-off-and-silent critical " + a},
		},
		"a rhythm of its own is learned": {
			play: func(l *listener) {
				l.pass(twoDays, send(l, vaultA, vaultB))
				l.note("azure-diag-deleted", vaultA+ofSetting, detectors.Weakened, l.now)
				n := 0
				l.pass(12*time.Hour, func() {
					send(l, vaultB)()
					if n++; n%20 == 0 { // every 100 minutes: called silent once
						send(l, vaultA)()
					}
				})
				l.pass(6*time.Hour, send(l, vaultB))
			},
			want: []string{
				"Wed 01:00 weakened diag-off-and-silent critical " + a, "Wed 01:40 restored diag-off-and-silent " + a,
				"Wed 16:40 weakened diag-off-and-silent critical " + a,
			},
		},
		"two vaults are told apart": {
			play: func(l *listener) {
				l.pass(twoDays, send(l, vaultA, vaultB))
				l.note("azure-diag-deleted", vaultA+ofSetting, detectors.Weakened, l.now)
				l.note("azure-diag-weakened", vaultB+ofSetting, detectors.Weakened, l.now, "AuditEvent off")
				l.pass(2*time.Hour, send(l, vaultB))
				l.pass(70*time.Minute, send(l, vaultA))
			},
			want: []string{
				"Wed 01:00 weakened diag-off-and-silent critical " + a,
				"Wed 02:05 restored diag-off-and-silent " + a, "Wed 03:00 weakened diag-off-and-silent critical " + b,
			},
		},
		"while the hub is away nothing is blamed on the resource": {
			play: func(l *listener) {
				l.pass(twoDays, send(l, vaultA, vaultB))
				l.note("azure-diag-deleted", vaultA+ofSetting, detectors.Weakened, l.now)
				l.hubs[0].Known = false
				l.pass(5*time.Hour, nil)
				l.hubs[0].Known = true
				l.pass(30*time.Minute, send(l, vaultB))
			},
			want: []string{"Wed 00:05 weakened hub-unreachable critical example/audit", "Wed 05:05 restored hub-unreachable example/audit"},
		},
		"a side that does not concern what is read here": {
			play: func(l *listener) {
				l.pass(twoDays, send(l, vaultA, vaultB))
				l.note("azure-diag-weakened", vaultA+ofSetting, detectors.Weakened, l.now, "workspace", "category: azurepolicyevaluationdetails")
				l.pass(5*time.Hour, send(l, vaultB))
			},
		},
		"another side is on again": {
			play: func(l *listener) {
				l.pass(twoDays, send(l, vaultA, vaultB))
				l.note("azure-diag-weakened", vaultA+ofSetting, detectors.Weakened, l.now, "hub rule")
				l.note("azure-diag-weakened", vaultA+ofSetting, detectors.Restored, l.now, "AuditEvent off")
				l.pass(2*time.Hour, send(l, vaultB))
			},
			want: []string{"Wed 01:00 weakened diag-off-and-silent critical " + a},
		},
		"one subscription of two": {
			play: func(l *listener) {
				l.pass(twoDays, activity(l, "S1 Administrative", "S2 Administrative"))
				l.note("azure-diag-deleted", "/SUBSCRIPTIONS/S1/PROVIDERS/MICROSOFT.INSIGHTS/DIAGNOSTICSETTINGS/A", detectors.Weakened, l.now)
				l.pass(2*time.Hour, activity(l, "S2 Administrative"))
			},
			want: []string{"Wed 01:00 weakened diag-off-and-silent critical /subscriptions/s1"},
		},
		"one category of a subscription": {
			play: func(l *listener) {
				l.pass(twoDays, activity(l, "S1 Administrative", "S1 Policy"))
				l.note("azure-diag-weakened", "/SUBSCRIPTIONS/S1/PROVIDERS/MICROSOFT.INSIGHTS/DIAGNOSTICSETTINGS/A", detectors.Weakened, l.now, "Administrative off", "category: administrative")
				l.pass(2*time.Hour, activity(l, "S1 Policy"))
				l.pass(round, activity(l, "S1 Administrative"))
			},
			want: []string{
				"Wed 01:00 weakened diag-off-and-silent critical /subscriptions/s1 + administrative",
				"Wed 00:00 weakened partial-silence high t1 + azure-activity + Administrative",
				"Wed 02:05 restored diag-off-and-silent /subscriptions/s1 + administrative",
				"Wed 02:05 restored partial-silence t1 + azure-activity + Administrative",
			},
		},
		"one category of Entra, which is a stream of its own": {
			play: func(l *listener) {
				signin := func() { l.hear(ingest.EntraSignIn, "", 1, time.Minute) }
				l.options.Silence = map[ingest.Kind]time.Duration{ingest.EntraAudit: 10 * time.Hour} // the limit here, too
				l.watch.SetOptions(l.options)
				l.pass(twoDays, func() { signin(); l.hear(ingest.EntraAudit, "", 1, time.Minute) })
				l.note("entra-diag-deleted", "to-hub", detectors.Weakened, l.now)
				l.watch.SetOptions(Options{Clock: tuned(l.t, disabling("entry:partial-silence"))})
				l.pass(2*time.Hour, signin)
			},
			want: []string{"Wed 01:00 weakened diag-off-and-silent critical t1 + entra-audit"},
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

// TestOnlyResourcesThatAreOffAreFollowed holds the watch to its costs: nothing is
// looked for, and nothing stored, but for what a setting has switched off.
func TestOnlyResourcesThatAreOffAreFollowed(t *testing.T) {
	l := listen(t, Options{})
	followed := func() string {
		t.Helper()
		n, stored := 0, 0
		for _, resources := range *l.watch.listeners.Load() {
			n += len(resources)
		}
		if err := l.tx.QueryRow(`SELECT count(*) FROM blind_lulls`).Scan(&stored); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(n, " ", stored)
	}
	both := func() {
		l.send(ingest.KeyVault, vaultA, "AuditEvent", time.Minute)
		l.send(ingest.KeyVault, vaultB, "AuditEvent", time.Minute)
	}
	for _, step := range []struct {
		do   func()
		want string
	}{
		{func() {}, "0 0"},
		{func() { l.note("azure-diag-deleted", vaultA+ofSetting, detectors.Weakened, l.now) }, "1 1"},
		{func() { l.note("azure-diag-deleted", vaultA+ofSetting, detectors.Restored, l.now) }, "0 0"},
	} {
		step.do()
		l.pass(round, both)
		if got := followed(); got != step.want {
			t.Errorf("%s are followed and stored, want %s", got, step.want)
		}
	}
}

func TestWhatSidesOfSettingsSend(t *testing.T) {
	const vault, activity = "/subscriptions/s1/resourcegroups/rg/providers/microsoft.keyvault/vaults/a/providers/microsoft.insights/diagnosticsettings/d",
		"/subscriptions/s1/providers/microsoft.insights/diagnosticsettings/d"
	for _, c := range []struct{ subject, side, want string }{
		{vault, "", "all"},
		{vault, "auditevent off", "all"},
		{vault, "category: auditevent", "all"},
		{vault, "alllogs off", "all"},
		{vault, "hub", "all"},
		{vault, "storage", "nothing"},
		{vault, "administrative off", "nothing"},
		{vault, "category: azurepolicyevaluationdetails", "nothing"},
		{activity, "category: audit", "all"},
		{activity, "security off", "security"},
		{activity, "auditevent off", "nothing"},
	} {
		category, sent := (&off{entry: "azure-diag-weakened", subject: c.subject, side: c.side}).category()
		got := "nothing"
		if sent {
			got = category
			if got == "" {
				got = "all"
			}
		}
		if got != c.want {
			t.Errorf("%s, %q: got %s, want %s", c.subject, c.side, got, c.want)
		}
	}
}
