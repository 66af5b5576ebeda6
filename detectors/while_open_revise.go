package detectors

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
)

// What was found may turn out not to have passed while the thing was open, and
// that it was after all: each record that comes late may tell. People have heard of
// it, so the same event is reported again with the next revision: as one that gives no
// side back, which the ledger takes for never having been.

// foundByEvent returns what is kept of what was found.
func foundByEvent(history []moment) map[string]*moment {
	out := map[string]*moment{}
	for i := range history {
		if h := &history[i]; h.role == roleFound {
			out[h.event] = h
		}
	}
	return out
}

// stands reports whether it was found, and not taken back. m may be nil.
func (m *moment) stands() bool { return m != nil && m.Revision%2 == 0 }

// next is the revision of what is reported of it next. m may be nil.
func (m *moment) next() int {
	if m == nil {
		return 0
	}
	return m.Revision + 1
}

// keepFound keeps that f was found of h, as it is reported.
func (w *whileOpen) keepFound(ctx context.Context, tx *sql.Tx, thing string, h *moment, f *Finding) (*moment, error) {
	row := &moment{role: roleFound, event: h.momentData.Event, at: h.at, momentData: h.momentData}
	row.Tenant, row.Subject, row.Name, row.Revision = f.Tenant, f.Subject, f.Name, f.Revision
	return row, w.revise(ctx, tx, thing, row)
}

// takeBack tells that what was found was nothing, as m shows.
func (w *whileOpen) takeBack(ctx context.Context, tx *sql.Tx, thing string, was, m *moment) ([]Finding, error) {
	row := *was
	row.Revision = was.next()
	if err := w.revise(ctx, tx, thing, &row); err != nil {
		return nil, err
	}
	f := w.finding(thing, &row, &row, Restored, nil)
	f.Revision, f.Strong = row.Revision, []string{NoSide}
	f.Evidence.Action, f.Evidence.Actor, f.Evidence.ActorIP = m.Action, m.Actor, m.ActorIP
	f.Evidence.Record, _ = json.Marshal(map[string]any{ // texts and times only
		"correlation": w.rule.Entry, "subject": f.Subject, "event": proveMoment(&row), "taken_back_by": proveMoment(m),
	})
	return []Finding{f}, nil
}

// revise stores what is reported of what was found in place of what was before.
func (w *whileOpen) revise(ctx context.Context, tx *sql.Tx, thing string, m *moment) error {
	row, err := w.row(thing, m)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, insertMoments+` ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (correlation, thing, role, event) DO UPDATE SET happened = excluded.happened, data = excluded.data`, row...)
	if err != nil {
		return fmt.Errorf("keep what was told: %w", err)
	}
	return nil
}
