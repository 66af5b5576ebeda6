package alerting

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"phiwatch/detectors"
)

// Lateness is how late a finding may be (against the newest of the same
// violation) and still take its place in the ledger. What comes later is
// counted, and its record kept as evidence.
const Lateness = 72 * time.Hour

// Observations are compacted once they span this much more than Lateness.
const slack = 24 * time.Hour

// DefaultRetention is how long evidence is kept: six years, as 45 CFR
// 164.316(b)(2)(i) wants documentation kept.
const DefaultRetention = 2190 * 24 * time.Hour

// Options configure a Ledger. The zero value keeps violations and tells nobody.
type Options struct {
	Route      *Route           // the root of the routes, validated; nil: nobody is told
	Retention  time.Duration    // of evidence; 0 is DefaultRetention
	Entries    []string         // of all rules: the values of a metric label
	Safeguards []string         // likewise: the first of each entry
	Changed    func()           // called after a commit of the ledger's own (Sweep, Acknowledge …) that owes deliveries
	Now        func() time.Time // time.Now if nil
}

// Ledger is the durable list of violations. Its methods may be called
// concurrently, as far as the database lets transactions run concurrently.
type Ledger struct {
	db        *sql.DB
	log       *slog.Logger
	route     atomic.Pointer[Route]
	names     atomic.Pointer[Names]
	retention time.Duration
	changed   func()
	now       func() time.Time
	flapping  atomic.Pointer[detectors.ClockRule]
	pruned    atomic.Int64 // when, microseconds
	idle      *idle
}

// NewLedger returns a ledger over a database that has this package's Migrations.
func NewLedger(db *sql.DB, o Options, log *slog.Logger, reg prometheus.Registerer) (*Ledger, error) {
	l := &Ledger{db: db, log: log, retention: o.Retention, changed: o.Changed, now: o.Now, idle: newIdle()}
	if l.retention == 0 {
		l.retention = DefaultRetention
	}
	if l.changed == nil {
		l.changed = func() {}
	}
	if l.now == nil {
		l.now = time.Now
	}
	if o.Route != nil {
		if err := l.SetRoute(o.Route); err != nil {
			return nil, err
		}
	}
	return l, registerLedger(reg, l, o)
}

// SetRoute replaces the routes, from the next change on. r must be validated.
func (l *Ledger) SetRoute(r *Route) error {
	if !r.compiled {
		return fmt.Errorf("routes were not validated")
	}
	l.route.Store(r)
	return nil
}

// Apply takes findings into the ledger and owes the deliveries that follow, in
// the caller's transaction. Findings may come in any order, any number of
// times, in batches of any size, up to Lateness late: the violations are the
// same. After the commit, call Dispatcher.Wake.
func (l *Ledger) Apply(ctx context.Context, tx *sql.Tx, findings []detectors.Finding) error {
	if len(findings) == 0 {
		return nil
	}
	seen := newFolded(len(findings))
	all := make([]observation, len(findings))
	for i := range findings {
		var err error
		if all[i], err = observe(&findings[i]); err != nil {
			return err
		}
		if err := seen.add(&all[i]); err != nil {
			return err
		}
	}
	_, err := l.apply(ctx, tx, seen.list)
	return err
}

// apply takes observations in, each of another folding, and returns the rows they touched.
func (l *Ledger) apply(ctx context.Context, tx *sql.Tx, obs []*observation) (map[string]*row, error) {
	now := micros(l.now())
	head, err := lockHead(ctx, tx)
	if err != nil {
		return nil, err
	}
	rows, obs, err := l.setIdleApart(ctx, tx, head, obs, now)
	if err != nil {
		return nil, err
	}
	obs, late := split(rows, obs)
	if err := countLate(ctx, tx, late); err != nil {
		return nil, err
	}
	fresh, err := insertObservations(ctx, tx, obs, now)
	if err != nil {
		return nil, err
	}
	touched, err := refold(ctx, tx, rows, fresh)
	if err != nil {
		return nil, err
	}
	for _, r := range touched {
		if err := r.compact(ctx, tx, now); err != nil {
			return nil, err
		}
	}
	if err := saveRows(ctx, tx, touched); err != nil {
		return nil, err
	}
	if err := storeEvidence(ctx, tx, append(fresh, late...), now); err != nil {
		return nil, err
	}
	if err := l.tell(ctx, tx, changes(touched, fresh), now); err != nil {
		return nil, err
	}
	return rows, l.Apply(ctx, tx, l.flappings(touched, fresh))
}

// setIdleApart stores those of the observations that restore what was never
// weak, and returns the rows of the others, the others, and with them what was
// stored so of violations that begin with them.
func (l *Ledger) setIdleApart(ctx context.Context, tx *sql.Tx, head mark, obs []*observation, now int64) (map[string]*row, []*observation, error) {
	m := l.idle
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.sync(ctx, tx, head); err != nil {
		return nil, nil, err
	}
	obs, idle, err := m.split(obs)
	if err != nil {
		return nil, nil, err
	}
	rows, err := loadRows(ctx, tx, violationIDs(obs))
	if err != nil {
		return nil, nil, err
	}
	obs, more, begun := unknown(rows, obs)
	earlier, err := m.find(ctx, tx, begun)
	if err != nil {
		return nil, nil, err
	}
	all := newFolded(len(obs) + len(earlier))
	for _, o := range slices.Concat(obs, earlier) {
		if err := errors.Join(o.encode(), all.add(o)); err != nil {
			return nil, nil, err
		}
	}
	return rows, all.list, m.append(ctx, tx, append(idle, more...), begun, now)
}

// unknown takes the observations apart that restore what has no row and gets
// none, and returns the violations that get one.
func unknown(rows map[string]*row, obs []*observation) (rest, idle []*observation, begun []string) {
	begins := make(map[string]bool)
	for _, o := range obs {
		if rows[o.violation] == nil && weakens(o) {
			begins[o.violation] = true
		}
	}
	for _, o := range obs {
		if rows[o.violation] == nil && !begins[o.violation] {
			idle = append(idle, o)
		} else {
			rest = append(rest, o)
		}
	}
	return rest, idle, slices.Sorted(maps.Keys(begins))
}

// split takes the observations apart that come too late for a violation.
func split(rows map[string]*row, obs []*observation) (inTime, late []*observation) {
	for _, o := range obs {
		if r := rows[o.violation]; r != nil && o.at < r.horizon {
			late = append(late, o)
		} else {
			inTime = append(inTime, o)
		}
	}
	return inTime, late
}

// refold brings the rows to their observations, adds those that are new to
// rows, and returns what changed, in a fixed order.
func refold(ctx context.Context, tx *sql.Tx, rows map[string]*row, fresh []*observation) ([]*row, error) {
	byViolation := make(map[string][]*observation)
	for _, o := range fresh {
		byViolation[o.violation] = append(byViolation[o.violation], o)
	}
	var touched []*row
	var rebuild []string
	for id, obs := range byViolation {
		slices.SortFunc(obs, byTime)
		r := rows[id]
		switch {
		case r == nil:
			r = &row{id: id}
			rows[id] = r
			rebuild = append(rebuild, id)
		case obs[0].key().compare(r.newest) <= 0, obs[0].event == r.newest.event:
			rebuild = append(rebuild, id)
		default: // in order, as nearly always: nothing needs to be read again
			if err := r.append(obs); err != nil {
				return nil, err
			}
		}
		touched = append(touched, r)
	}
	stored, err := loadObservations(ctx, tx, rebuild)
	if err != nil {
		return nil, err
	}
	for _, id := range rebuild {
		if err := rows[id].rebuild(stored[id]); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(touched, func(a, b *row) int { return cmp.Or(a.newest.compare(b.newest), strings.Compare(a.id, b.id)) })
	return touched, nil
}

func byTime(a, b *observation) int { return a.key().compare(b.key()) }

func weakens(o *observation) bool {
	return o.state == detectors.Weakened || o.state == detectors.Incident
}

func violationIDs(obs []*observation) []string {
	ids := make([]string, len(obs))
	for i, o := range obs {
		ids[i] = o.violation
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
