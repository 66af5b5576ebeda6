package alerting

import (
	"context"
	"crypto/rand"
	"database/sql"
	"slices"
	"strconv"
	"sync"
)

// idle remembers which violations are known, and where the restores are that
// are idle: of subjects that were never weak, as most harmless changes make. A
// batch's idle restores are one row of a table, which is read again only when a
// weakening of such a subject turns up, within Lateness.
//
// What it remembers is in Bloom filters, 2 bytes for each violation and idle
// restore, and may be too much: of rows that were rolled back or removed. It
// must not be too little, so it is compared with the last row's mark, under the
// lock of the ledger, before it is used.
type idle struct {
	mu       sync.Mutex // the database serialises already, which Go does not know
	process  string
	rows     int
	loaded   bool
	at       mark // up to here all rows are remembered
	before   mark // where it was before the last batch of its own
	known    blooms
	segments []*segment // in the order of seq
}

// mark identifies a row of idle_restores.
type mark struct {
	seq    int64
	writer string
}

// segment remembers rows that are next to each other.
type segment struct {
	first, last int64
	arrived     int64 // latest
	keys        *bloom
}

// segmentSize is for how many idle restores a segment is made: what is read
// when one of them is wanted.
const segmentSize = 4096

func newIdle() *idle { return &idle{process: rand.Text()} }

// sync brings it up to the rows as a transaction that holds the lock sees them.
func (m *idle) sync(ctx context.Context, tx *sql.Tx, head mark) error {
	switch {
	case m.loaded && head == m.at:
		return nil
	case m.loaded && head == m.before: // our last batch was rolled back
		m.at = head
		return nil
	}
	from, err := m.confirmed(ctx, tx)
	if err != nil {
		return err
	}
	if from < 0 {
		m.loaded, m.known, m.segments, from = false, nil, nil, 0
		if err := loadKnown(ctx, tx, m.known.add); err != nil {
			return err
		}
	}
	if err := loadIdle(ctx, tx, from, m.remember); err != nil {
		return err
	}
	m.loaded, m.at, m.before = true, head, head
	return nil
}

// confirmed returns a row up to which everything is remembered for sure,
// -1 if there is none.
func (m *idle) confirmed(ctx context.Context, tx *sql.Tx) (int64, error) {
	if !m.loaded {
		return -1, nil
	}
	for _, at := range []mark{m.at, m.before} {
		if ok, err := hasIdle(ctx, tx, at); err != nil || ok {
			return at.seq, err
		}
	}
	return -1, nil
}

// remember takes in a row.
func (m *idle) remember(seq, arrived int64, ids, begun []violationKey) {
	for _, k := range begun {
		m.known.add(k)
	}
	if len(ids) == 0 {
		return
	}
	s := m.segment(seq, len(ids))
	s.last, s.arrived = seq, max(s.arrived, arrived)
	for _, k := range ids {
		s.keys.add(k)
	}
}

// segment returns one that has room for n more.
func (m *idle) segment(seq int64, n int) *segment {
	if len(m.segments) > 0 {
		if s := m.segments[len(m.segments)-1]; s.keys.count+n <= s.keys.size {
			return s
		}
	}
	s := &segment{first: seq, keys: newBloom(max(n, segmentSize))}
	m.segments = append(m.segments, s)
	return s
}

// split takes the observations apart that are idle for sure.
func (m *idle) split(obs []*observation) (rest, idle []*observation, err error) {
	weak := make(map[string]bool)
	for _, o := range obs {
		if weakens(o) {
			weak[o.violation] = true
		}
	}
	for _, o := range obs {
		k, err := keyOf(o.violation)
		if err != nil {
			return nil, nil, err
		}
		if weakens(o) || weak[o.violation] || m.known.has(k) {
			rest = append(rest, o)
		} else {
			idle = append(idle, o)
		}
	}
	return rest, idle, nil
}

// find returns the idle restores of violations.
func (m *idle) find(ctx context.Context, tx *sql.Tx, violations []string) ([]*observation, error) {
	want := make(map[violationKey]string, len(violations))
	for _, id := range violations {
		k, err := keyOf(id)
		if err != nil {
			return nil, err
		}
		want[k] = id
	}
	var out []*observation
	for _, s := range m.segments {
		if !s.hasAny(want) {
			continue
		}
		found, err := readIdle(ctx, tx, s.first, s.last, want)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}

func (s *segment) hasAny(want map[violationKey]string) bool {
	for k := range want {
		if s.keys.has(k) {
			return true
		}
	}
	return false
}

// append stores idle restores, and which violations have begun.
func (m *idle) append(ctx context.Context, tx *sql.Tx, obs []*observation, begun []string, now int64) error {
	if len(obs) == 0 && len(begun) == 0 {
		return nil
	}
	ids := make([]string, len(obs))
	for i, o := range obs {
		ids[i] = o.violation
	}
	idKeys, err := keysOf(ids)
	if err != nil {
		return err
	}
	begunKeys, err := keysOf(begun)
	if err != nil {
		return err
	}
	m.rows++
	next := mark{m.at.seq + 1, m.process + "-" + strconv.Itoa(m.rows)}
	if err := insertIdle(ctx, tx, next, now, idKeys, begunKeys, encodeIdle(obs)); err != nil {
		return err
	}
	m.remember(next.seq, now, idKeys, begunKeys)
	m.before, m.at = m.at, next
	return nil
}

func keysOf(ids []string) ([]violationKey, error) {
	out := make([]violationKey, len(ids))
	for i, id := range ids {
		k, err := keyOf(id)
		if err != nil {
			return nil, err
		}
		out[i] = k
	}
	return out, nil
}

// forget drops what arrived before a time, as prune does in the table.
func (m *idle) forget(before int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.segments = slices.DeleteFunc(m.segments, func(s *segment) bool { return s.arrived < before })
}
