package detectors

import (
	"context"
	"database/sql"
	"slices"
)

// A number that was lowered and a text that was changed stay weak until they are
// what they were, however often and long the weak value is told: what people have
// come to accept is not told for ever, but it restores nothing.

// loses reports whether v is such a number or text.
func (v *remembered) loses() bool { return v.weak == "lowered" || v.weak == "changed" }

// compareLost is compare for the last event of a history, where what was lost once
// stays weak until it is back.
func (v *remembered) compareLost(history []Finding) (weak, strong []string) {
	var lost []string // what is to come back; nil: nothing
	for n := range history {
		now, says := history[n].Told[v.name]
		if !says {
			continue
		}
		before := v.before(history[:n], history[n])
		if weak, strong = nil, nil; len(before) == 0 {
			continue
		}
		weak, strong = v.compare(now, before)
		switch {
		case lost != nil && v.regains(now, lost):
			weak, strong, lost = nil, []string{v.name}, nil
		case lost != nil:
			strong = nil
		case len(weak) > 0:
			lost = v.best(before)
		}
	}
	return weak, strong
}

// best is what of some values, the newest first, must come back.
func (v *remembered) best(before [][]string) []string {
	best := before[len(before)-1]
	if v.weak != "lowered" {
		return best
	}
	for _, texts := range before {
		if n, ok := v.number(texts); ok {
			if most, known := v.number(best); !known || n > most {
				best = texts
			}
		}
	}
	return best
}

// regains reports whether a value makes up for one that was lost.
func (v *remembered) regains(now, lost []string) bool {
	if v.weak == "lowered" {
		n, ok := v.number(now)
		was, known := v.number(lost)
		return ok && known && n >= was
	}
	weak, _ := v.changed(members(now), members(lost))
	return len(weak) == 0
}

// lasting reports whether a memory goes back beyond what may still come.
func (m *memory) lasting() bool {
	return slices.ContainsFunc(m.values, func(v remembered) bool {
		return v.weak == replaced || v.loses() || len(v.whole) > 0 && v.only == nil
	})
}

// forgetDull makes room in a history that is full and goes back far: of what was
// told again and again the first and the last stay. Where each event tells something
// else, the oldest goes.
func forgetDull(ctx context.Context, tx *sql.Tx, f Finding, subject string, history []Finding) error {
	for _, d := range dull(history) {
		_, err := tx.ExecContext(ctx, `DELETE FROM remembered WHERE entry = $1 AND tenant = $2 AND subject = $3 AND event = $4`,
			f.Rule.Entry, f.Tenant, subject, d.Evidence.EventID)
		if err != nil {
			return err
		}
	}
	return nil
}

// dull returns the events that tell what those before and after them tell: those that
// nothing which may still come is held against, or else the oldest of them, or else
// the oldest event.
func dull(history []Finding) []Finding {
	cut := history[len(history)-1].Time.Add(-2 * lateness)
	var out []Finding
	for i := 1; i+1 < len(history) && (len(out) == 0 || history[i+1].Time.Before(cut)); i++ {
		if sameTold(history[i-1].Told, history[i].Told) && sameTold(history[i].Told, history[i+1].Told) {
			out = append(out, history[i])
		}
	}
	if len(out) == 0 {
		return history[:1]
	}
	return out
}
