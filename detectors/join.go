package detectors

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"phiwatch/detectors/fields"
	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
	"phiwatch/ingest/document"
)

// Azure Activity tells one operation in several records: Start, which usually
// holds the request, then Success or Failure, which may not (safeguards of
// Azure are judged by the request, and stand or fall with the outcome). The
// two are joined by correlation id, operation and resource, in any order.

// role says what a match is good for.
type role uint8

const (
	stands  role = iota // a finding by itself
	request             // a finding once its operation is known to have succeeded, an attempt once it failed
	result              // the outcome of an operation
)

// joins knows the operations whose requests rules read.
type joins struct {
	operations map[string]bool // case-folded, as in ingest.Event.Op; nil: none
	parts      []string        // of the names of others
}

// wants reports whether requests may wait for the outcome of an operation.
func (j *joins) wants(op string) bool {
	return j.operations[op] || slices.ContainsFunc(j.parts, func(part string) bool { return strings.Contains(op, part) })
}

// newJoins finds the operations that the joined halves require.
func newJoins(halves []half, fields *sigma.Fields) *joins {
	j := &joins{operations: map[string]bool{}}
	slot := fields.Slot("operationName")
	for i := range halves {
		if !halves[i].joined || !halves[i].reads(ingest.AzureActivity) {
			continue
		}
		for _, r := range halves[i].match.Required() {
			switch {
			case r.Slot != slot:
			case r.Kind == sigma.Exact:
				for _, v := range r.Values {
					j.operations[v] = true
				}
			case r.Kind == sigma.Substring:
				j.parts = append(j.parts, r.Values...)
			}
		}
	}
	slices.Sort(j.parts)
	j.parts = slices.Compact(j.parts)
	return j
}

// The names of the operation's correlation id: the hub's and Log Analytics', which
// differ in case, and the Python SDK's.
var (
	correlationPath      = document.MustCompile("correlationId")
	snakeCorrelationPath = document.MustCompile("correlation_id")
)

// operationOf identifies the operation that an Activity record belongs to.
func operationOf(s *scope) string {
	ev := s.ev
	correlation := ev.Doc.Text(correlationPath)
	if correlation == "" {
		correlation = ev.Doc.Text(snakeCorrelationPath)
	}
	parts := [...]string{ev.Tenant, correlation, ev.Op, ev.Target.ID}
	b := s.feed.buf[:0]
	for i, part := range parts {
		if i > 0 {
			b = append(b, ' ')
		}
		b = fields.AppendLower(b, part)
	}
	s.feed.buf = b
	return s.keep.take(append(s.keep.room(len(b)), b...))
}

// result appends the outcome of an operation that a request may wait for.
func (j *joins) result(s *scope, out []Match) []Match {
	ev := s.ev
	if ev.Outcome == ingest.OutcomeUnknown || !j.wants(ev.Op) {
		return out
	}
	out, m := appendMatch(out)
	m.role, m.operation, m.outcome = result, operationOf(s), ev.Outcome
	m.Finding.Time, m.Finding.Evidence = ev.Time, *s.evidence()
	m.Finding.Evidence.Record = nil // the request's record is the evidence
	return out
}

// join returns what of a batch's matches is certain: those that stand, and
// requests whose operation ended, in this batch or another.
func (e *Engine) join(ctx context.Context, tx *sql.Tx, matches []Match) ([]*Match, error) {
	certain := make([]*Match, 0, len(matches))
	var outdated int64
	for i := range matches {
		m := &matches[i]
		var joined []*Match
		var err error
		switch m.role {
		case stands:
			certain = append(certain, m)
			continue
		case request:
			joined, err = e.joinRequest(ctx, tx, m)
		case result:
			joined, err = e.joinResult(ctx, tx, m)
		}
		if err != nil {
			return nil, fmt.Errorf("join records of an operation: %w", err)
		}
		outdated = max(outdated, m.Finding.outdated())
		certain = append(certain, joined...)
	}
	if outdated == 0 {
		return certain, nil
	}
	_, err := tx.ExecContext(ctx, `DELETE FROM activity_joins WHERE happened < $1`, outdated)
	return certain, err
}

// joinRequest stores a request and returns what it is, if results of its
// operation are known.
func (e *Engine) joinRequest(ctx context.Context, tx *sql.Tx, m *Match) ([]*Match, error) {
	f := &m.Finding
	stored, err := storeMatch(m)
	if err != nil {
		return nil, err
	}
	// Each record by itself: the answer on an Accept record may say more than the request.
	part := strings.Join([]string{f.Rule.Entry, string(f.State), strings.ToLower(f.Subject), strings.ToLower(f.Evidence.EventID)}, " ")
	_, err = tx.ExecContext(ctx, `INSERT INTO activity_joins (operation, part, happened, outcome, finding) VALUES ($1, $2, $3, '', $4)
		ON CONFLICT (operation, part) DO UPDATE SET happened = excluded.happened, finding = excluded.finding
		WHERE excluded.happened < activity_joins.happened`, m.operation, part, f.Time.UnixMicro(), stored)
	if err != nil {
		return nil, err
	}
	rows, err := tx.QueryContext(ctx, `SELECT outcome, finding FROM activity_joins WHERE operation = $1 AND outcome <> '' ORDER BY part`, m.operation)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []*Match
	for rows.Next() {
		var outcome string
		var how []byte
		if err := rows.Scan(&outcome, &how); err != nil {
			return nil, err
		}
		result, err := e.readMatch(how)
		if err != nil {
			return nil, err
		}
		out = m.ended(out, outcome, result.Finding)
	}
	return out, rows.Err()
}

// joinResult stores an outcome and returns the requests that it makes true, or
// attempts. An operation may have several: one that failed is tried again. Builds
// before stored one only, as the part "result".
func (e *Engine) joinResult(ctx context.Context, tx *sql.Tx, m *Match) ([]*Match, error) {
	stored, err := storeMatch(m)
	if err != nil {
		return nil, err
	}
	outcome := m.outcome.String()
	part := strings.Join([]string{"result", outcome, strings.ToLower(m.Finding.Evidence.EventID)}, "/")
	_, err = tx.ExecContext(ctx, `INSERT INTO activity_joins (operation, part, happened, outcome, finding) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (operation, part) DO UPDATE SET happened = excluded.happened, finding = excluded.finding
		WHERE excluded.happened < activity_joins.happened`, m.operation, part, m.Finding.Time.UnixMicro(), outcome, stored)
	if err != nil {
		return nil, err
	}
	rows, err := tx.QueryContext(ctx, `SELECT finding FROM activity_joins WHERE operation = $1 AND outcome = '' ORDER BY part`, m.operation)
	if err != nil {
		return nil, err
	}
	requests, err := e.scanMatches(rows)
	if err != nil {
		return nil, err
	}
	out := make([]*Match, 0, len(requests))
	for i := range requests {
		out = requests[i].ended(out, outcome, m.Finding)
	}
	return out, nil
}

// ended appends what a request is once its operation ended: itself, or what it
// fed as an attempt.
func (m *Match) ended(out []*Match, outcome string, done Finding) []*Match {
	switch {
	case outcome == ingest.Success.String():
		return append(out, happenedAs(m, done))
	case outcome == ingest.Failure.String() && len(m.failed) > 0:
		return append(out, happenedAs(&Match{silent: true, feeds: m.failed, Finding: Finding{Evidence: m.Finding.Evidence}}, done))
	}
	return out
}

// happenedAs makes a request certain: it happened when it was done, and the
// record that says so is what repeats fold by.
func happenedAs(m *Match, done Finding) *Match {
	out := *m
	f := &out.Finding
	f.Time = done.Time
	f.Evidence.Time, f.Evidence.EventID, f.Evidence.Enqueued = done.Time, done.Evidence.EventID, done.Evidence.Enqueued
	if len(m.feeds) > 0 {
		out.feeds, out.seen = redated(m.feeds, f), seen(f.Time.UnixMicro(), f.Evidence.Enqueued)
	}
	return &out
}
