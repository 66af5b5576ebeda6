package main

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"phiwatch/detectors"
	"phiwatch/detectors/rules"
	"phiwatch/ingest"
	"phiwatch/ingest/hospital"
)

// The hubs of the demo, as diagnostic settings name them.
const (
	auditHub    = "insights-logs-auditlogs"
	signInHub   = "insights-logs-signinlogs"
	activityHub = "insights-activity-logs"
	m365Hub     = "m365-audit"
)

var hubNames = []string{auditHub, signInHub, activityHub, m365Hub}

// hubOf says where a kind of record arrives.
func hubOf(k ingest.Kind) string {
	switch k {
	case ingest.EntraSignIn, ingest.EntraNonInteractiveSignIn, ingest.EntraServicePrincipalSignIn, ingest.EntraManagedIdentitySignIn, ingest.EntraRisk:
		return signInHub
	case ingest.AzureActivity, ingest.KeyVault:
		return activityHub
	case ingest.M365Audit:
		return m365Hub
	}
	return auditHub
}

// hubOfFamily is the same for the families of package hospital.
var hubOfFamily = map[string]string{
	"signin": signInHub, "audit": auditHub, "activity": activityHub, "keyvault": activityHub, "m365": m365Hub, "intune": auditHub,
}

// day is what happens in the hospital: records with the time they arrive.
type day struct {
	start   time.Time
	items   []item
	records int64
	planted []planted
}

// item is one message of the day.
type item struct {
	at      time.Time
	hub     string
	body    []byte
	records int64
}

// planted is the violation that stands for a seed code.
type planted struct {
	code     string
	rule     *detectors.Rule
	restored bool // a restore is planted too
}

// newDay plans the day before now: harmless records all day, a violation of
// every seed code between 7:00 and 17:00, and the restore of each that has one.
func newDay(catalog []*detectors.Rule, harmless int, now time.Time) (*day, error) {
	d := &day{start: now.Truncate(24 * time.Hour).Add(-24 * time.Hour)}
	d.traffic(harmless)
	d.damaged()
	done := map[string]bool{}
	for i, seed := range detectors.Seeds() {
		code := seed.Code
		r := standsFor(catalog, code)
		if r == nil {
			return nil, fmt.Errorf("the catalog has no rule for %s", code)
		}
		at := d.start.Add(7*time.Hour + time.Duration(i)*26*time.Minute)
		restored, err := d.plant(r, at, time.Duration(20+i*7%80)*time.Minute, done[r.Entry])
		if err != nil {
			return nil, fmt.Errorf("plant %s: %w", r.Entry, err)
		}
		done[r.Entry] = true
		d.planted = append(d.planted, planted{code, r, restored})
	}
	slices.SortStableFunc(d.items, func(a, b item) int { return a.at.Compare(b.at) })
	for i := range d.items {
		d.records += d.items[i].records
	}
	return d, nil
}

// story names the entries that stand for the seed codes: what people have heard of.
var story = []string{
	"label-removed", "case-hold-removed", "litigation-hold-weakened", "irm-off", "smime-weakened", "ual-ingestion-off",
	"mfa-per-user-disabled", "security-info-deleted", "passwordless-credential-deleted", "ca-policy-disabled", "ca-app-scope-reduced",
	"device-noncompliant", "role-assigned-privileged", "customer-key-weakened", "sql-tde-off", "sql-masking-off", "storage-https-off",
	"retention-policy-off", "appproxy-certificate-removed", "outbound-connector-tls-off", "site-label-removed", "expressroute-removed", "vpn-removed",
}

// standsFor picks the rule that shows a seed code: one of the story, if it can
// be one whose first code it is; nil if the catalog has none.
func standsFor(catalog []*detectors.Rule, code string) *detectors.Rule {
	rank := func(r *detectors.Rule) int {
		told := slices.Contains(story, r.Entry)
		switch i := slices.Index(r.Safeguards, code); {
		case i < 0:
			return 4
		case i == 0 && told:
			return 0
		case told:
			return 1
		case r.Restorable:
			return 2
		}
		return 3
	}
	best := slices.MinFunc(catalog, func(a, b *detectors.Rule) int { return cmp.Compare(rank(a), rank(b)) })
	if rank(best) == 4 {
		return nil
	}
	return best
}

// traffic fills the day with harmless records, 50 to a message as the Azure
// platform sends them; unified audit records come one by one.
func (d *day) traffic(n int) {
	h := hospital.New(uint64(d.start.Unix()))
	pending := map[string][][]byte{}
	for i := range n {
		at := d.start.Add(intoDay(i, n))
		family, record := h.Next(at)
		hub := hubOfFamily[family]
		pending[hub] = append(pending[hub], record)
		if hub == m365Hub || len(pending[hub]) == 50 {
			d.message(at, hub, pending[hub])
			pending[hub] = nil
		}
	}
	for hub, records := range pending {
		d.message(d.start.Add(24*time.Hour-time.Minute), hub, records)
	}
}

// intoDay is when in the day the record i of n happens. The division comes first: a
// hundred thousand days are more than a Duration holds.
func intoDay(i, n int) time.Duration { return time.Duration(i) * (24 * time.Hour / time.Duration(n)) }

func (d *day) message(at time.Time, hub string, records [][]byte) {
	if len(records) == 0 {
		return
	}
	body := records[0]
	if hub != m365Hub {
		body = hospital.Message(records...)
	}
	d.items = append(d.items, item{at, hub, body, int64(len(records))})
}

// damaged adds what a real pipeline brings along: a record cut off, which goes
// to the quarantine, and one with single quotes, which is repaired.
func (d *day) damaged() {
	at := d.start.Add(11 * time.Hour)
	d.items = append(d.items,
		item{at, auditHub, []byte(`{"records":[{"time":"2026-09-14T11:00:00Z","category":"AuditLogs","operationName":"Update us`), 1},
		item{at, activityHub, []byte(`{"records":[{'category':'FunctionAppLogs','operationName':'Microsoft.Web/sites/functions/log','level':'Informational'}]}`), 1})
}

// plant adds a rule's hit at a time and its restore some time later, unless the
// rule stands for an earlier code already.
func (d *day) plant(r *detectors.Rule, at time.Time, after time.Duration, done bool) (restored bool, err error) {
	scenario, err := detectors.ReadScenario(rules.FS, r.File)
	if err != nil {
		return false, err
	}
	restored = scenario.Body("restore") != nil
	if done {
		return restored, nil
	}
	if err := d.addEvent(scenario.Body("hit"), at); err != nil {
		return false, err
	}
	if restored {
		err = d.addEvent(scenario.Body("restore"), at.Add(after))
	}
	return restored, err
}

// addEvent adds a payload as if it happened at a time.
func (d *day) addEvent(payload []byte, at time.Time) error {
	var kind ingest.Kind
	var when time.Time
	n := ingest.NewDecoder().Decode(ingest.Message{Body: payload}, func(ev *ingest.Event) {
		if when.IsZero() || ev.Time.Before(when) {
			kind, when = ev.Kind, ev.Time
		}
	}, func(ingest.Quarantined) {})
	if when.IsZero() {
		return errors.New("its test event has no time")
	}
	d.items = append(d.items, item{at, hubOf(kind), shift(payload, at.Sub(when.Truncate(time.Second))), int64(n)})
	return nil
}

var isoTime = regexp.MustCompile(`20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d`)

// shift moves every time in a payload by delta.
func shift(payload []byte, delta time.Duration) []byte {
	const layout = "2006-01-02T15:04:05"
	return isoTime.ReplaceAllFunc(payload, func(b []byte) []byte {
		t, err := time.Parse(layout, string(b))
		if err != nil {
			return b
		}
		return []byte(t.Add(delta).Format(layout))
	})
}
