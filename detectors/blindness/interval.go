package blindness

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"phiwatch/detectors"
)

// switchKey names what was switched: an entry of one of those in streamSwitches
// and its subject.
type switchKey struct{ entry, tenant, subject string }

// turned is a row of blind_switches: when it was switched off or on.
type turned struct {
	at    time.Time
	off   bool
	told  time.Time // of what is on: since when it was told to have been off
	dirty bool
	gone  bool // to be removed
}

// streamSwitches are the entries that tell that a whole stream was switched off
// or on. A mailbox's own audit is none, nor is a setting that was weakened, which
// goes on sending.
var streamSwitches = []string{"azure-diag-deleted", "entra-diag-deleted", "ual-ingestion-off"}

// maxTurns bounds what is kept of one switch: what is older than so many turns is
// taken for settled.
const maxTurns = 128

// noteSwitch takes in that a stream was switched off or on. When it was is all
// that counts: a repeat, or the same by another way, changes nothing.
func noteSwitch(ctx context.Context, tx *sql.Tx, f *detectors.Finding) error {
	if !slices.Contains(streamSwitches, f.Rule.Entry) || f.Rule.Entry == "azure-diag-deleted" && !sendsStream(f) {
		return nil
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO blind_switches (entry, tenant, subject, at, is_off, told) VALUES ($1, $2, $3, $4, $5, 0)
		ON CONFLICT (entry, tenant, subject, at, is_off) DO NOTHING`,
		f.Rule.Entry, f.Tenant, strings.ToLower(f.Subject), micros(f.Time), f.State == detectors.Weakened)
	return err
}

// sendsStream reports whether a diagnostic setting sends records that are read.
func sendsStream(f *detectors.Finding) bool {
	return len((&off{entry: f.Rule.Entry, subject: strings.ToLower(f.Subject)}).kinds()) > 0
}

// source is the stream as the ledger knows it.
func (k switchKey) source() string {
	switch k.entry {
	case "ual-ingestion-off":
		return cmp.Or(k.tenant, k.subject) + joiner + "m365-audit"
	case "entra-diag-deleted":
		return strings.TrimPrefix(k.tenant+joiner, joiner) + "entra" + joiner + k.subject
	}
	return cmp.Or((&off{entry: k.entry, subject: k.subject}).resource(), k.subject)
}

// intervals tells of the times in which a stream was switched off, once they are
// over. What turns up late, and makes such a time another one, is told anew.
func (t *tick) intervals() {
	for _, key := range slices.SortedFunc(maps.Keys(t.turns), compareSwitches) {
		turns := t.turns[key]
		since := time.Time{}
		for i := range turns {
			r := &turns[i]
			switch {
			case r.off && since.IsZero():
				since = r.at
			case !r.off && !since.IsZero():
				if !r.told.Equal(since) {
					t.unrecorded(key, since, r.at, i)
					r.told, r.dirty = since, true
				}
				since = time.Time{}
			}
		}
		forgetTurns(turns)
	}
}

// unrecorded tells that nothing of a stream was recorded for a time, which rests
// on a number of turns known before its end: of two tellings the ledger shows
// that which knows more. An entry that a pack switches off leaves it untold, also
// later.
func (t *tick) unrecorded(k switchKey, from, to time.Time, known int) {
	if t.options.off(evidenceGap) {
		return
	}
	words := fmt.Sprintf("switched off from %s to %s, for %s", stamp(from), stamp(to), brief(to.Sub(from)))
	f := watchFinding(evidenceGap, detectors.Incident, k.tenant, k.source(), to, "setting", words,
		map[string]any{"entry": k.entry, "setting": k.subject, "from": stamp(from), "to": stamp(to)})
	end := digestOf(evidenceGap.Entry, k.entry, k.tenant, k.subject, fmt.Sprint(to.UnixMicro()))
	f.Evidence.EventID = fmt.Sprintf("phiwatch/%s/%04d", end, known)
	f.Severity = t.options.level(evidenceGap, f.Severity)
	t.findings = append(t.findings, f)
}

// forgetTurns marks the oldest of too many, but for what still is off.
func forgetTurns(turns []turned) {
	off := -1 // the first of those that are off, of what is marked
	for i := range max(0, len(turns)-maxTurns) {
		r := &turns[i]
		r.gone = off >= 0 || !r.off
		switch {
		case !r.off && off >= 0:
			turns[off].gone, off = true, -1
		case r.off && off < 0:
			off = i
		}
	}
}

func compareSwitches(a, b switchKey) int {
	return cmp.Or(strings.Compare(a.entry, b.entry), strings.Compare(a.tenant, b.tenant), strings.Compare(a.subject, b.subject))
}

// loadSwitches reads them by time. Of an instant what is on comes first, as in
// the ledger.
func (b *memory) loadSwitches(ctx context.Context, tx *sql.Tx) error {
	return each(ctx, tx, "switches", `SELECT entry, tenant, subject, at, is_off, told FROM blind_switches ORDER BY at, is_off`, func(rows *sql.Rows) error {
		var key switchKey
		var r turned
		var at, told int64
		if err := rows.Scan(&key.entry, &key.tenant, &key.subject, &at, &r.off, &told); err != nil {
			return err
		}
		r.at, r.told = fromMicros(at), fromMicros(told)
		b.turns[key] = append(b.turns[key], r)
		return nil
	})
}

func (b *memory) saveSwitches(ctx context.Context, tx *sql.Tx) error {
	for key, turns := range b.turns {
		for _, r := range turns {
			row := []any{key.entry, key.tenant, key.subject, micros(r.at), r.off}
			const where = ` WHERE entry = $1 AND tenant = $2 AND subject = $3 AND at = $4 AND is_off = $5`
			var err error
			switch {
			case r.gone:
				_, err = tx.ExecContext(ctx, `DELETE FROM blind_switches`+where, row...)
			case r.dirty:
				_, err = tx.ExecContext(ctx, `UPDATE blind_switches SET told = $6`+where, append(row, micros(r.told))...)
			}
			if err != nil {
				return fmt.Errorf("save when %s was switched: %w", key.subject, err)
			}
		}
	}
	return nil
}
