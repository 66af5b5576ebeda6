package blindness

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"phiwatch/detectors"
)

// alarmKey names what may be wrong.
type alarmKey struct{ entry, tenant, subject string }

// alarm is a row of blind_alarms.
type alarm struct {
	alarmKey
	meta  *detectors.Meta
	open  bool
	since time.Time
	well  time.Time
	told  time.Time
	dirty bool
}

// forget drops the beginning of what was not told yet: this process was not
// there to see whether it went on.
func (a *alarm) forget() {
	if !a.open && !a.since.IsZero() {
		a.since, a.dirty = time.Time{}, true
	}
}

// notAfter brings what is not told yet back to now, should the clock have been
// ahead: else it would wait for as long.
func (a *alarm) notAfter(now time.Time) {
	if a.since.After(now) && !a.open {
		a.since, a.dirty = now, true
	}
	if a.well.After(now) {
		a.well, a.dirty = now, true
	}
}

// pause drops what was not told yet, of the one or the other: nobody judges
// whether it goes on.
func (a *alarm) pause() {
	a.forget()
	if !a.well.IsZero() {
		a.well, a.dirty = time.Time{}, true
	}
}

// alarm returns the state of an alarm, good if there is none.
func (t *tick) alarm(m *detectors.Meta, tenant, subject string) *alarm {
	key := alarmKey{m.Entry, tenant, subject}
	a := t.alarms[key]
	if a == nil {
		a = &alarm{alarmKey: key}
		t.alarms[key] = a
	}
	a.meta = m
	return a
}

// standing is how something is now. Neither bad nor good leaves it as it was:
// the space between the two keeps an alarm from flapping.
type standing struct {
	bad, good bool
	after     time.Duration // bad for so long is told
	clear     time.Duration // good for so long is told
	words     string
	kind      string
	details   map[string]any
}

// told reports whether an alarm is open and its entry in force.
func (t *tick) told(m *detectors.Meta, tenant, subject string) bool {
	return t.alarm(m, tenant, subject).open && !t.options.off(m)
}

// hold brings an alarm to how things stand.
func (t *tick) hold(a *alarm, severity detectors.Severity, s standing) {
	if t.options.off(a.meta) {
		a.pause()
		return
	}
	before := *a
	switch {
	case s.bad:
		a.well = time.Time{}
		if a.since.IsZero() {
			a.since = t.now
		}
		if !a.open && t.now.Sub(a.since) >= s.after {
			t.weaken(a, severity, a.since, s.kind, s.words, s.details)
		}
	case s.good && !a.open:
		a.since = time.Time{}
	case s.good:
		if a.well.IsZero() {
			a.well = t.now
		}
		if t.now.Sub(a.well) >= s.clear {
			t.restore(a, a.well, s.kind, s.words)
		}
	case !a.open:
		a.since = time.Time{}
	}
	a.dirty = a.dirty || *a != before
}

// weaken tells that something is wrong since a time.
func (t *tick) weaken(a *alarm, severity detectors.Severity, since time.Time, kind, words string, details map[string]any) {
	if t.options.off(a.meta) {
		return
	}
	at := later(since, a.told)
	a.open, a.since, a.well, a.told, a.dirty = true, since, time.Time{}, at, true
	f := watchFinding(a.meta, detectors.Weakened, a.tenant, a.subject, at, kind, words, details)
	f.Severity = t.options.level(a.meta, severity)
	t.findings = append(t.findings, f)
}

// restore tells that something is well since a time.
func (t *tick) restore(a *alarm, since time.Time, kind, words string) {
	if t.options.off(a.meta) {
		return
	}
	// The ledger puts a restore before a weakening of the same instant.
	at := later(since, a.told.Add(time.Microsecond))
	a.open, a.since, a.well, a.told, a.dirty = false, time.Time{}, time.Time{}, at, true
	f := watchFinding(a.meta, detectors.Restored, a.tenant, a.subject, at, kind, words, nil)
	f.Severity = t.options.level(a.meta, f.Severity)
	t.findings = append(t.findings, f)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// watchFinding makes a finding that rests on no record: its evidence is what Watch saw.
func watchFinding(m *detectors.Meta, state detectors.State, tenant, subject string, at time.Time, kind, words string, details map[string]any) detectors.Finding {
	at = at.UTC()
	record, err := json.Marshal(map[string]any{
		"detector": m.Entry, "state": state, "tenant": tenant, "subject": subject, "time": at.Format(time.RFC3339Nano), "said": words, "details": details,
	})
	if err != nil {
		record = fmt.Append(nil, words) // details are strings and numbers: does not happen
	}
	name := strings.TrimPrefix(subject, tenant+joiner) // the tenant stands beside it, and says nobody anything
	if name == subject {
		name = ""
	}
	return detectors.Finding{
		Rule: m, State: state, Tenant: tenant, Subject: subject, Name: name, Severity: m.Severity, Time: at,
		Evidence: detectors.Evidence{
			EventID: "phiwatch/" + digestOf(m.Entry, string(state), tenant, subject, fmt.Sprint(at.UnixMicro())),
			Kind:    kind, Action: words, Time: at, Record: record,
		},
	}
}

// joiner stands between the parts of a subject, as in package detectors.
const joiner = " + "

// digestOf is a short name for a list of texts.
func digestOf(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), strings.ToLower(p))
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
