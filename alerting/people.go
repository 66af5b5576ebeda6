package alerting

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"phiwatch/detectors"
)

// ErrSettled is returned when a person speaks of a violation that is neither
// open nor settled by such a word: there is nothing to say of it.
var ErrSettled = errors.New("the violation is no longer open")

// Acknowledge records that somebody has taken a violation on. What no event
// can restore (an incident, a rule without a restore) is closed by it. Saying
// it again changes nothing. It returns the violation as it is then.
//
// It holds for the episode: a weakening after the next restore opens anew.
func (l *Ledger) Acknowledge(ctx context.Context, id, by, note string) (Violation, error) {
	return l.hear(ctx, id, acknowledged, by, note)
}

// Close records that a violation is over although no event says so: the
// policy that was disabled is gone, say. A further weakening opens it anew.
func (l *Ledger) Close(ctx context.Context, id, by, note string) (Violation, error) {
	return l.hear(ctx, id, closed, by, note)
}

func (l *Ledger) hear(ctx context.Context, id string, state detectors.State, by, note string) (Violation, error) {
	var v Violation
	err := inTx(ctx, l.db, func(tx *sql.Tx) error {
		if err := lock(ctx, tx); err != nil {
			return err
		}
		rows, err := loadRows(ctx, tx, []string{id})
		if err != nil {
			return err
		}
		r := rows[id]
		if r == nil {
			return fmt.Errorf("violation %q: %w", id, ErrNotFound)
		}
		if v = r.before; !v.State.Open() || v.State == StatusAcknowledged && state == acknowledged {
			return settled(&v, state)
		}
		o, err := l.said(r, state, by, note)
		if err != nil {
			return err
		}
		if rows, err = l.apply(ctx, tx, []*observation{o}); err != nil {
			return err
		}
		v = rows[id].episode.view(r.swept)
		return nil
	})
	if err != nil {
		return Violation{}, err
	}
	l.changed()
	return v, nil
}

// settled is nil for what a person has already settled: by the same word, or by
// a close, after which there is nothing to take on.
func settled(v *Violation, state detectors.State) error {
	if v.ClosedBy != "" || v.AckedBy != "" && state == acknowledged {
		return nil
	}
	return fmt.Errorf("violation %s is %s: %w", v.ID, v.State, ErrSettled)
}

// said is an observation by a person. It takes its place right after the
// newest weakening, which is what the person knew: a later one is another.
func (l *Ledger) said(r *row, state detectors.State, by, note string) (*observation, error) {
	takes := r.episode.Final && state == acknowledged
	if takes {
		state = closed
	}
	now := micros(l.now())
	body, err := json.Marshal(observed{Actor: clip(by, maxText), Note: note, Said: now, Takes: takes})
	if err != nil {
		return nil, err
	}
	return &observation{
		violation: r.id, event: "person/" + strconv.FormatInt(now, 10), state: state,
		at: r.episode.WeakAt, body: body,
	}, nil
}
