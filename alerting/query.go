package alerting

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"phiwatch/detectors"
)

// Filter selects violations. Zero fields select all.
type Filter struct {
	State     []Status
	Entry     []string
	Safeguard []string // seed codes: the entry has one of them, first or not
	Severity  []detectors.Severity
	Tenant    []string
	Limit     int    // 0 is DefaultLimit; at most MaxLimit
	Cursor    string // next of the page before
}

// The sizes of a page of violations.
const (
	DefaultLimit = 100
	MaxLimit     = 1000
)

// ErrCursor is returned for a cursor that did not come from an earlier page.
var ErrCursor = errors.New("cursor is not one that an earlier answer gave as next")

// Violations returns those that the filter selects, the newest episodes first,
// and the cursor of the next page, empty after the last.
func (l *Ledger) Violations(ctx context.Context, f Filter) ([]Violation, string, error) {
	return violations(ctx, l.db, f)
}

// ViolationsIn is Violations as a transaction sees them that is not committed.
func ViolationsIn(ctx context.Context, tx *sql.Tx, f Filter) ([]Violation, string, error) {
	return violations(ctx, tx, f)
}

func violations(ctx context.Context, q querier, f Filter) ([]Violation, string, error) {
	limit := DefaultLimit
	if f.Limit > 0 {
		limit = min(f.Limit, MaxLimit)
	}
	w, err := f.where()
	if err != nil {
		return nil, "", err
	}
	var out []Violation
	err = each(ctx, q, func(rows *sql.Rows) error {
		r, err := scanRow(rows)
		if err == nil {
			out = append(out, r.before)
		}
		return err
	}, selectRows+w.String()+` ORDER BY opened DESC, id DESC LIMIT `+strconv.Itoa(limit+1), w.args...)
	if err != nil {
		return nil, "", fmt.Errorf("list violations: %w", err)
	}
	if len(out) <= limit {
		return out, "", nil
	}
	out = out[:limit]
	return out, cursorOf(&out[limit-1]), nil
}

// conditions are the terms of a WHERE clause.
type conditions struct {
	terms []string
	args  []any
}

func (w *conditions) String() string {
	if len(w.terms) == 0 {
		return "TRUE"
	}
	return strings.Join(w.terms, " AND ")
}

func (w *conditions) arg(v any) string {
	w.args = append(w.args, v)
	return "$" + strconv.Itoa(len(w.args))
}

func in[T any](w *conditions, column string, values []T, arg func(T) any) {
	if len(values) == 0 {
		return
	}
	var marks []string
	for _, v := range values {
		marks = append(marks, w.arg(arg(v)))
	}
	w.terms = append(w.terms, column+" IN ("+strings.Join(marks, ", ")+")")
}

// safeguards selects by each code that a violation has. Rows from before they
// were stored are found by their first one until prune has filled them in.
func (w *conditions) safeguards(codes []string) {
	var terms []string
	for _, code := range codes {
		// LIKE minds case in one database and not in the other.
		terms = append(terms, fmt.Sprintf("safeguard = %s OR replace(safeguards, %s, '') <> safeguards", w.arg(code), w.arg(","+code+",")))
	}
	if len(terms) > 0 {
		w.terms = append(w.terms, "("+strings.Join(terms, " OR ")+")")
	}
}

func (f *Filter) where() (*conditions, error) {
	w := new(conditions)
	text := func(s string) any { return s }
	in(w, "state", f.State, func(s Status) any { return string(s) })
	in(w, "entry", f.Entry, text)
	w.safeguards(f.Safeguard)
	in(w, "severity", f.Severity, func(s detectors.Severity) any { return int64(s) })
	in(w, "tenant", f.Tenant, func(s string) any { return strings.ToLower(s) })
	if f.Cursor == "" {
		return w, nil
	}
	opened, id, err := parseCursor(f.Cursor)
	if err != nil {
		return nil, err
	}
	at := w.arg(opened)
	w.terms = append(w.terms, fmt.Sprintf("(opened < %s OR opened = %s AND id < %s)", at, at, w.arg(id)))
	return w, nil
}

func cursorOf(v *Violation) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d %s", micros(v.Opened), v.ID))
}

func parseCursor(s string) (int64, string, error) {
	text, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return 0, "", ErrCursor
	}
	at, id, ok := strings.Cut(string(text), " ")
	opened, err := strconv.ParseInt(at, 10, 64)
	if !ok || err != nil {
		return 0, "", ErrCursor
	}
	return opened, id, nil
}

// Detail is everything there is to say of one violation.
type Detail struct {
	Violation    Violation     `json:"violation"`
	Observations []Observation `json:"observations"` // of the last 72 hours before the newest, oldest first
	Deliveries   []Delivery    `json:"deliveries"`   // newest group first
}

// Observation is what one event, or a person, said.
type Observation struct {
	Event    string    `json:"event"` // id in the evidence; begins with person/ for what a person said
	State    string    `json:"state"`
	Time     time.Time `json:"time"`               // when it happened, or when the person said it
	Severity string    `json:"severity,omitempty"` // of a weakening
	Action   string    `json:"action,omitempty"`
	Actor    string    `json:"actor,omitempty"`
	ActorIP  string    `json:"actor_ip,omitempty"`
	Note     string    `json:"note,omitempty"`
}

// Delivery is where a receiver stands with one group.
type Delivery struct {
	Group    string            `json:"group"`
	Receiver string            `json:"receiver"`
	Labels   map[string]string `json:"labels"`
	Wanted   int64             `json:"wanted"`
	Achieved int64             `json:"achieved"`
	Sent     time.Time         `json:"sent,omitzero"` // last success
	Next     time.Time         `json:"next,omitzero"` // attempt, while something is pending
	Failures int               `json:"failures,omitempty"`
	Parked   bool              `json:"parked,omitempty"` // refused: tried again seldom, until something changes
	Finished bool              `json:"finished,omitempty"`
	Error    string            `json:"error,omitempty"`
}

// Violation returns one violation with its observations and deliveries. The
// error is ErrNotFound when there is none of that id.
func (l *Ledger) Violation(ctx context.Context, id string) (Detail, error) {
	tx, err := l.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return Detail{}, err
	}
	defer tx.Rollback()
	rows, err := loadRows(ctx, tx, []string{id})
	if err != nil {
		return Detail{}, err
	}
	r := rows[id]
	if r == nil {
		return Detail{}, fmt.Errorf("violation %q: %w", id, ErrNotFound)
	}
	d := Detail{Violation: r.before, Observations: []Observation{}, Deliveries: []Delivery{}}
	if err := d.loadObservations(ctx, tx, id); err != nil {
		return Detail{}, err
	}
	return d, d.loadDeliveries(ctx, tx, id)
}

func (d *Detail) loadDeliveries(ctx context.Context, q querier, id string) error {
	err := each(ctx, q, func(rows *sql.Rows) error {
		var g Delivery
		var labels []byte
		var sent, due int64
		if err := rows.Scan(&g.Group, &g.Receiver, &labels, &g.Wanted, &g.Achieved, &sent, &due,
			&g.Failures, &g.Parked, &g.Finished, &g.Error); err != nil {
			return err
		}
		if g.Sent = fromMicros(sent); g.Wanted > g.Achieved && !g.Parked {
			g.Next = fromMicros(due)
		}
		d.Deliveries = append(d.Deliveries, g)
		return json.Unmarshal(labels, &d.Deliveries[len(d.Deliveries)-1].Labels)
	}, `SELECT d.id, d.receiver, d.labels, d.wanted, d.achieved, d.sent, d.due, d.failures, d.parked, d.finished, d.error
		FROM delivery_members m JOIN deliveries d ON d.id = m.delivery WHERE m.violation = $1
		ORDER BY d.since DESC, d.id`, id)
	if err != nil {
		return fmt.Errorf("load deliveries of violation %s: %w", id, err)
	}
	return nil
}

// MaxObservations is how many observations a Detail holds at most, the newest.
const MaxObservations = 1000

func (d *Detail) loadObservations(ctx context.Context, q querier, id string) error {
	var obs []*observation
	err := each(ctx, q, func(rows *sql.Rows) error {
		o, err := scanObservation(rows)
		obs = append(obs, o)
		return err
	}, selectObservations+`($1) ORDER BY at DESC LIMIT $2`, id, MaxObservations)
	if err != nil {
		return fmt.Errorf("load observations of violation %s: %w", id, err)
	}
	slices.SortFunc(obs, byTime)
	for _, o := range obs {
		shown, err := o.show()
		if err != nil {
			return err
		}
		d.Observations = append(d.Observations, shown)
	}
	slices.SortStableFunc(d.Observations, func(a, b Observation) int { return a.Time.Compare(b.Time) })
	return nil
}

func (o *observation) show() (Observation, error) {
	var w observed
	if err := json.Unmarshal(o.body, &w); err != nil {
		return Observation{}, fmt.Errorf("decode observation %s of %s: %w", o.event, o.violation, err)
	}
	shown := Observation{
		Event: o.event, State: string(o.state), Time: fromMicros(o.at), Action: w.Action,
		Actor: w.Actor, ActorIP: w.ActorIP, Note: w.Note,
	}
	if w.Said > 0 { // o.at is its place among the events: see said
		shown.Time = fromMicros(w.Said)
	}
	if weakens(o) {
		shown.Severity = o.severity.String()
	}
	return shown, nil
}
