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

	"phiwatch/ingest"
)

// memory is what the database knows of what Watch has seen.
type memory struct {
	ticked  time.Time
	streams map[streamKey]*stream
	alarms  map[alarmKey]*alarm
	rules   map[string]*fieldState
	offs    []off
	lulls   map[cutKey]*lull
	turns   map[switchKey][]turned
	dropped []streamKey
}

// loadMemory reads it, and keeps other processes from judging until tx ends.
func loadMemory(ctx context.Context, tx *sql.Tx) (*memory, error) {
	b := &memory{streams: map[streamKey]*stream{}, alarms: map[alarmKey]*alarm{}, rules: map[string]*fieldState{}, lulls: map[cutKey]*lull{}, turns: map[switchKey][]turned{}}
	var ticked int64
	err := tx.QueryRowContext(ctx, `UPDATE blind_head SET ticked = ticked WHERE one = 1 RETURNING ticked`).Scan(&ticked)
	if err != nil {
		return nil, fmt.Errorf("lock the state of the watch: %w", err)
	}
	b.ticked = fromMicros(ticked)
	for _, load := range []func(context.Context, *sql.Tx) error{b.loadStreams, b.loadAlarms, b.loadRules, b.loadOffs, b.loadLulls, b.loadSwitches} {
		if err := load(ctx, tx); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func (b *memory) loadStreams(ctx context.Context, tx *sql.Tx) error {
	return each(ctx, tx, "streams", `SELECT tenant, kind, workload, started, heard, happened, records, spells, attended, quiet, hour, hubs, usual FROM blind_streams`,
		func(rows *sql.Rows) error {
			s := &stream{}
			var kind, hubs string
			var started, heard, happened, attended, quiet int64
			var usual []byte
			err := rows.Scan(&s.tenant, &kind, &s.workload, &started, &heard, &happened, &s.records, &s.spells, &attended, &quiet, &s.hour, &hubs, &usual)
			if err != nil {
				return err
			}
			var ok bool
			if s.kind, ok = ingest.KindOf(kind); !ok {
				return nil // of a later version
			}
			s.started, s.heard, s.happened = fromMicros(started), fromMicros(heard), fromMicros(happened)
			s.attended, s.quiet = time.Duration(attended)*time.Microsecond, time.Duration(quiet)*time.Microsecond
			s.hubs, s.usual = strings.Fields(hubs), readUsual(usual)
			b.streams[s.streamKey] = s
			return nil
		})
}

func (b *memory) loadAlarms(ctx context.Context, tx *sql.Tx) error {
	return each(ctx, tx, "alarms", `SELECT entry, tenant, subject, is_open, since, well, told FROM blind_alarms`, func(rows *sql.Rows) error {
		a := &alarm{}
		var since, well, told int64
		if err := rows.Scan(&a.entry, &a.tenant, &a.subject, &a.open, &since, &well, &told); err != nil {
			return err
		}
		a.since, a.well, a.told = fromMicros(since), fromMicros(well), fromMicros(told)
		b.alarms[a.alarmKey] = a
		return nil
	})
}

func (b *memory) loadRules(ctx context.Context, tx *sql.Tx) error {
	return each(ctx, tx, "rules", `SELECT entry, fields, since, records, seen FROM blind_rules`, func(rows *sql.Rows) error {
		r := &fieldState{}
		if err := rows.Scan(&r.entry, &r.fields, &r.since, &r.records, &r.seen); err != nil {
			return err
		}
		b.rules[r.entry] = r
		return nil
	})
}

// each reads the rows of a query.
func each(ctx context.Context, tx *sql.Tx, what, query string, scan func(*sql.Rows) error) error {
	rows, err := tx.QueryContext(ctx, query)
	if err != nil {
		return fmt.Errorf("load %s of the watch: %w", what, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return fmt.Errorf("read %s of the watch: %w", what, err)
		}
	}
	return rows.Err()
}

// save writes what changed.
func (b *memory) save(ctx context.Context, tx *sql.Tx, now time.Time) error {
	if _, err := tx.ExecContext(ctx, `UPDATE blind_head SET ticked = $1 WHERE one = 1`, now.UnixMicro()); err != nil {
		return fmt.Errorf("note that the watch has judged: %w", err)
	}
	for _, key := range b.dropped {
		_, err := tx.ExecContext(ctx, `DELETE FROM blind_streams WHERE tenant = $1 AND kind = $2 AND workload = $3`, key.tenant, key.kind.String(), key.workload)
		if err != nil {
			return fmt.Errorf("drop stream %s: %w", key.subject(), err)
		}
	}
	for _, s := range b.inOrder() {
		if err := s.save(ctx, tx); err != nil {
			return fmt.Errorf("save stream %s: %w", s.subject(), err)
		}
	}
	for _, a := range b.alarmsInOrder() {
		if err := a.save(ctx, tx); err != nil {
			return fmt.Errorf("save alarm %s of %s: %w", a.entry, a.subject, err)
		}
	}
	for _, entry := range slices.Sorted(maps.Keys(b.rules)) {
		if err := b.rules[entry].save(ctx, tx); err != nil {
			return fmt.Errorf("save what is seen of rule %s: %w", entry, err)
		}
	}
	if err := b.saveLulls(ctx, tx); err != nil {
		return err
	}
	return b.saveSwitches(ctx, tx)
}

func (s *stream) save(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO blind_streams
		(tenant, kind, workload, started, heard, happened, records, spells, attended, quiet, hour, hubs, usual)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
		ON CONFLICT (tenant, kind, workload) DO UPDATE SET heard = excluded.heard, happened = excluded.happened,
			records = excluded.records, spells = excluded.spells, attended = excluded.attended, quiet = excluded.quiet,
			hour = excluded.hour, hubs = excluded.hubs, usual = excluded.usual`,
		s.tenant, s.kind.String(), s.workload, micros(s.started), micros(s.heard), micros(s.happened), s.records, s.spells,
		s.attended.Microseconds(), s.quiet.Microseconds(), s.hour, strings.Join(s.hubs, "\n"), s.usual.bytes())
	return err
}

func (a *alarm) save(ctx context.Context, tx *sql.Tx) error {
	if !a.dirty {
		return nil
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO blind_alarms (entry, tenant, subject, is_open, since, well, told)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (entry, tenant, subject) DO UPDATE SET is_open = excluded.is_open, since = excluded.since,
			well = excluded.well, told = excluded.told`,
		a.entry, a.tenant, a.subject, a.open, micros(a.since), micros(a.well), micros(a.told))
	return err
}

func (r *fieldState) save(ctx context.Context, tx *sql.Tx) error {
	if !r.dirty {
		return nil
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO blind_rules (entry, fields, since, records, seen) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (entry) DO UPDATE SET fields = excluded.fields, since = excluded.since, records = excluded.records, seen = excluded.seen`,
		r.entry, r.fields, r.since, r.records, r.seen)
	return err
}

// inOrder returns the streams in an order that does not change.
func (b *memory) inOrder() []*stream {
	return slices.SortedFunc(maps.Values(b.streams), func(x, y *stream) int { return compareKeys(x.streamKey, y.streamKey) })
}

func compareKeys(a, b streamKey) int {
	return cmp.Or(strings.Compare(a.tenant, b.tenant), cmp.Compare(a.kind, b.kind), strings.Compare(a.workload, b.workload))
}

func (b *memory) alarmsInOrder() []*alarm {
	return slices.SortedFunc(maps.Values(b.alarms), func(x, y *alarm) int {
		return cmp.Or(strings.Compare(x.entry, y.entry), strings.Compare(x.tenant, y.tenant), strings.Compare(x.subject, y.subject))
	})
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}
