package blindness

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"phiwatch/detectors/fields"
	"phiwatch/ingest"
	"phiwatch/ingest/document"
)

// lull is a row of blind_lulls: how long a resource, or a category of one, has
// been quiet since its setting was off. Other resources are not followed.
type lull struct {
	heard   time.Time
	quiet   time.Duration
	longest time.Duration
	fresh   bool // not stored yet
	over    bool // to be removed
}

// follow brings the lulls of resources to what was heard since the last round.
func (t *tick) follow(cuts []*cut) {
	wanted := map[cutKey]bool{}
	for _, c := range cuts {
		if c.resource == "" {
			continue // its stream is followed anyway
		}
		wanted[c.cutKey] = true
		l := t.lulls[c.cutKey]
		if l == nil {
			l = &lull{fresh: true}
			t.lulls[c.cutKey] = l
		}
		t.pass(l, c)
		t.watched = append(t.watched, c)
	}
	for key, l := range t.lulls {
		l.over = !wanted[key]
	}
}

// pass takes a round in.
func (t *tick) pass(l *lull, c *cut) {
	if attended, _ := t.listening(c.streams); attended {
		step := t.step
		if l.fresh {
			step = min(step, max(0, t.now.Sub(c.since)))
		}
		l.quiet += step
	}
	if !t.met[c.cutKey] {
		return
	}
	own := l.quiet
	if limit := c.limit(t, l); limit > 0 {
		own = min(own, limit) // a silence is not to become usual at once
	}
	l.longest = max(l.longest, own)
	l.heard, l.quiet = t.now, 0
}

func (b *memory) loadLulls(ctx context.Context, tx *sql.Tx) error {
	return each(ctx, tx, "lulls", `SELECT tenant, subject, heard, quiet, longest FROM blind_lulls`, func(rows *sql.Rows) error {
		var key cutKey
		var heard, quiet, longest int64
		if err := rows.Scan(&key.tenant, &key.subject, &heard, &quiet, &longest); err != nil {
			return err
		}
		b.lulls[key] = &lull{heard: fromMicros(heard), quiet: time.Duration(quiet) * time.Microsecond, longest: time.Duration(longest) * time.Microsecond}
		return nil
	})
}

func (b *memory) saveLulls(ctx context.Context, tx *sql.Tx) error {
	for key, l := range b.lulls {
		query, args := `INSERT INTO blind_lulls (tenant, subject, heard, quiet, longest) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (tenant, subject) DO UPDATE SET heard = excluded.heard, quiet = excluded.quiet, longest = excluded.longest`,
			[]any{key.tenant, key.subject, micros(l.heard), l.quiet.Microseconds(), l.longest.Microseconds()}
		if l.over {
			query, args = `DELETE FROM blind_lulls WHERE tenant = $1 AND subject = $2`, args[:2]
		}
		if _, err := tx.ExecContext(ctx, query, args...); err != nil {
			return fmt.Errorf("save how quiet %s is: %w", key.subject, err)
		}
	}
	return nil
}

// listened is a resource, or a category of one, that glimpses look for.
type listened struct {
	cutKey
	category string
	since    time.Time
}

// listeners holds them by kind and by the resource's id in lower case; a kind
// without any has a nil map.
type listeners []map[string][]listened

func listenFor(cuts []*cut) *listeners {
	by := make(listeners, len(ingest.Kinds()))
	for _, c := range cuts {
		if by[c.kind] == nil {
			by[c.kind] = map[string][]listened{}
		}
		by[c.kind][c.resource] = append(by[c.kind][c.resource], listened{c.cutKey, c.category, c.since})
	}
	return &by
}

var (
	categoryPath = document.MustCompile("category")
	resourcePath = document.MustCompile("resourceId")
)

// meet notes whether an event comes from one of the resources that are listened
// for, and happened after its setting was off: what was under way still arrives.
func (g *Glimpse) meet(ev *ingest.Event, resources map[string][]listened) {
	if ev.Doc == nil {
		return
	}
	id := ev.Doc.Text(resourcePath)
	if ev.Kind == ingest.AzureActivity {
		if id == "" {
			id = ev.Target.ID // which is the resource, in whatever form the record is
		}
		id = subscriptionOf(id)
	}
	g.id = fields.AppendLower(g.id[:0], id)
	for i := range resources[string(g.id)] {
		c := &resources[string(g.id)][i]
		if ev.Time.After(c.since) && !slices.Contains(g.met, c.cutKey) &&
			(c.category == "" || strings.EqualFold(c.category, ev.Doc.Text(categoryPath))) {
			g.met = append(g.met, c.cutKey)
		}
	}
}

// subscriptionOf cuts a resource id behind the subscription.
func subscriptionOf(id string) string {
	const before = len("/subscriptions/")
	if len(id) <= before {
		return id
	}
	if i := strings.IndexByte(id[before:], '/'); i >= 0 {
		return id[:before+i]
	}
	return id
}
