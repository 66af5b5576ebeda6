package alerting

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
)

// owed is a group and what a transaction adds to it.
type owed struct {
	base       string // of receiver, route and labels: all generations
	generation int64  // 0: none yet
	receiver   string
	route      string
	labels     string // JSON
	wait       time.Duration
	interval   time.Duration

	changes  int64
	enqueued int64
	members  map[string]bool // to be added
}

// id is the group's key. Bases and generations are never used twice, so
// neither is the key: a receiver may keep it for ever.
func (g *owed) id() string { return groupKey(g.base, g.generation) }

func groupKey(base string, generation int64) string {
	return "pw-" + base + "-" + strconv.FormatInt(generation, 10)
}

func (g *owed) add(c *change) {
	g.changes++
	if c.enqueued > 0 && (g.enqueued == 0 || c.enqueued < g.enqueued) {
		g.enqueued = c.enqueued
	}
	if g.members == nil {
		g.members = make(map[string]bool)
	}
	g.members[c.after.ID] = true
}

// newGroup is the group of a route for a violation's labels.
func newGroup(r *Route, labels map[string]string) (*owed, error) {
	by := make(map[string]string, len(r.GroupBy))
	for _, name := range r.GroupBy {
		by[name] = labels[name]
	}
	text, err := json.Marshal(by)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %s", r.Receiver, r.id, text))
	return &owed{
		base: hex.EncodeToString(sum[:12]), receiver: r.Receiver, route: r.id,
		labels: string(text), wait: r.wait, interval: r.interval,
	}, nil
}

// tell owes each change to the unfinished groups that already show the
// violation, whatever the routes say now (who was told that a safeguard is
// weak hears that it is back), and to those that its routes name.
func (l *Ledger) tell(ctx context.Context, tx *sql.Tx, changed []change, now int64) error {
	if err := countOpened(ctx, tx, changed); err != nil {
		return err
	}
	root := l.route.Load()
	if root == nil || len(changed) == 0 {
		return nil
	}
	showing, err := showing(ctx, tx, changed)
	if err != nil {
		return err
	}
	p := newPlan(root)
	for i := range changed {
		if err := p.route(root, &changed[i], showing[changed[i].after.ID]); err != nil {
			return err
		}
	}
	return p.commit(ctx, tx, now)
}

// live returns the receiver and route of every route there is.
func (r *Route) live() map[[2]string]*Route {
	out := make(map[[2]string]*Route)
	r.all(func(r *Route) { out[[2]string{r.Receiver, r.id}] = r })
	return out
}

// showing returns the unfinished groups that show the violations.
func showing(ctx context.Context, tx *sql.Tx, changed []change) (map[string][]*owed, error) {
	ids := make([]string, len(changed))
	for i := range changed {
		ids[i] = changed[i].after.ID
	}
	out := make(map[string][]*owed)
	err := eachIn(ctx, tx, ids, func(rows *sql.Rows) error {
		g, violation := new(owed), ""
		err := rows.Scan(&violation, &g.base, &g.generation, &g.receiver, &g.route, &g.labels)
		out[violation] = append(out[violation], g)
		return err
	}, `SELECT m.violation, d.base, d.generation, d.receiver, d.route, d.labels
		FROM delivery_members m JOIN deliveries d ON d.id = m.delivery
		WHERE NOT d.finished AND m.violation IN `, "")
	if err != nil {
		return nil, fmt.Errorf("load groups of violations: %w", err)
	}
	return out, nil
}

// plan is what one transaction owes.
type plan struct {
	live       map[[2]string]*Route
	groups     map[string]*owed // by base
	suppressed map[string]int64 // by receiver
}

func newPlan(root *Route) *plan {
	return &plan{live: root.live(), groups: make(map[string]*owed), suppressed: make(map[string]int64)}
}

func (p *plan) route(root *Route, c *change, showing []*owed) error {
	told := make(map[string]bool)
	for _, g := range showing {
		if r := p.live[[2]string{g.receiver, g.route}]; r != nil {
			g.interval = r.interval
		}
		p.group(g).add(c)
		told[g.base] = true
	}
	routes := root.match(c.matched())
	for _, r := range routes {
		if r.Receiver == NoReceiver {
			p.suppressed[NoReceiver]++
		}
	}
	return p.join(routes, c, showing, told)
}

// join owes a change to the groups of routes that do not show the violation yet.
func (p *plan) join(routes []*Route, c *change, showing []*owed, told map[string]bool) error {
	labels := c.labels()
	for _, r := range routes {
		if r.Receiver == NoReceiver {
			continue
		}
		g, err := newGroup(r, labels)
		if err != nil {
			return err
		}
		if told[g.base] || slices.ContainsFunc(showing, func(s *owed) bool { return p.covers(s, r) }) {
			continue
		}
		told[g.base] = true
		p.group(g).add(c)
	}
	return nil
}

// covers reports whether the receiver of a route already has the violation in
// a group: of this route, from before a label changed, or of a route that a
// reload took away. One violation is one page.
func (p *plan) covers(g *owed, r *Route) bool {
	return g.receiver == r.Receiver && (g.route == r.id || p.live[[2]string{g.receiver, g.route}] == nil)
}

func (p *plan) group(g *owed) *owed {
	if have := p.groups[g.base]; have != nil {
		return have
	}
	p.groups[g.base] = g
	return g
}

// commit writes the plan, in a fixed order.
func (p *plan) commit(ctx context.Context, tx *sql.Tx, now int64) error {
	groups := slices.SortedFunc(maps.Values(p.groups), func(a, b *owed) int { return cmp.Compare(a.base, b.base) })
	if err := findGenerations(ctx, tx, groups); err != nil {
		return err
	}
	matched := make(map[string]int64)
	for _, g := range groups {
		if err := g.owe(ctx, tx, now); err != nil {
			return fmt.Errorf("owe group %s to %s: %w", g.id(), g.receiver, err)
		}
		matched[g.receiver] += g.changes
	}
	for _, receiver := range slices.Sorted(maps.Keys(matched)) {
		if err := account(ctx, tx, receiver, Account{Matched: matched[receiver]}); err != nil {
			return err
		}
	}
	if n := p.suppressed[NoReceiver]; n > 0 {
		return account(ctx, tx, NoReceiver, Account{Matched: n, Suppressed: n})
	}
	return nil
}

// findGenerations gives the groups that are new to a violation the newest
// generation there is of them.
func findGenerations(ctx context.Context, tx *sql.Tx, groups []*owed) error {
	byBase := make(map[string]*owed)
	for _, g := range groups {
		if g.generation == 0 {
			byBase[g.base] = g
		}
	}
	err := eachIn(ctx, tx, slices.Sorted(maps.Keys(byBase)), func(rows *sql.Rows) error {
		var base string
		var generation int64
		err := rows.Scan(&base, &generation)
		byBase[base].generation = generation
		return err
	}, `SELECT base, max(generation) FROM deliveries WHERE base IN `, ` GROUP BY base`)
	if err != nil {
		return fmt.Errorf("load generations of groups: %w", err)
	}
	return nil
}

// A group that is being worked off, or backs off, keeps its due time; a parked
// one gets another try.
const raiseWanted = `UPDATE deliveries SET wanted = wanted + $2,
	since = CASE WHEN wanted > achieved THEN since ELSE $3 END,
	enqueued = CASE WHEN enqueued > 0 THEN enqueued ELSE $4 END,
	pause = $5,
	due = CASE WHEN wanted > achieved AND NOT parked THEN due WHEN sent + $5 > $3 THEN sent + $5 ELSE $3 END,
	failures = CASE WHEN parked THEN 0 ELSE failures END,
	parked = FALSE
	WHERE id = $1 AND NOT finished`

const insertDelivery = `INSERT INTO deliveries (id, base, generation, receiver, route, labels, wanted, achieved,
	due, since, enqueued, pause, sent, failures, attempting, uncertain, parked, finished, error)
	VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $9, $10, $11, 0, 0, FALSE, FALSE, FALSE, FALSE, '')`

// owe raises the wanted version of the group, or of its next generation when
// this one is finished.
func (g *owed) owe(ctx context.Context, tx *sql.Tx, now int64) error {
	var raised int64
	if g.generation > 0 {
		res, err := tx.ExecContext(ctx, raiseWanted, g.id(), g.changes, now, g.enqueued, g.interval.Microseconds())
		if err != nil {
			return err
		}
		if raised, err = res.RowsAffected(); err != nil {
			return err
		}
	}
	if raised == 0 {
		g.generation++
		_, err := tx.ExecContext(ctx, insertDelivery, g.id(), g.base, g.generation, g.receiver, g.route, g.labels,
			g.changes, now+g.wait.Microseconds(), now, g.enqueued, g.interval.Microseconds())
		if err != nil {
			return err
		}
	}
	return g.addMembers(ctx, tx)
}

func (g *owed) addMembers(ctx context.Context, tx *sql.Tx) error {
	for part := range slices.Chunk(slices.Sorted(maps.Keys(g.members)), chunk) {
		args := make([]any, 0, 2*len(part))
		for _, violation := range part {
			args = append(args, g.id(), violation)
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO delivery_members (delivery, violation) VALUES `+
			tuples(len(part), 2)+` ON CONFLICT DO NOTHING`, args...)
		if err != nil {
			return err
		}
	}
	return nil
}
