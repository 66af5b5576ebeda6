package alerting

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"syscall"
	"time"
)

// attempt is one delivery of a group as it stood when it began.
type attempt struct {
	group    Group
	have     Receipt
	achieved int64
	failures int64
	enqueued int64
	began    time.Time
}

// MaxGroup is how many violations a Group holds at most, the open and the
// worst first: no message shows more.
const MaxGroup = 1000

// attempt brings a receiver to the present state of a group, once. That it
// begins is committed before anything is sent, and how it ended after that: a
// process that dies in between leaves a row that says so.
func (d *Dispatcher) attempt(ctx context.Context, w *worker, id string) outcome {
	log := w.log.With("group", id)
	a, err := d.begin(ctx, id)
	if err != nil {
		if ctx.Err() == nil {
			log.Error("cannot begin a delivery, trying again", "err", err)
			return outcome{id, d.o.Now().Add(time.Second)}
		}
		return outcome{id: id}
	}
	if a == nil {
		return outcome{id: id}
	}
	send, cancel := context.WithTimeout(ctx, d.o.Timeout)
	receipt, err := w.receiver.Deliver(send, a.group, a.have)
	cancel()
	e := d.judge(a, err)
	if err == nil {
		d.metrics.observe(w.name, a)
	} else {
		e.report(w, a, err)
	}
	d.record(ctx, w, a, receipt, e)
	return outcome{id, e.quiet}
}

const beginAttempt = `UPDATE deliveries SET uncertain = (uncertain OR attempting), attempting = TRUE, parked = FALSE
	WHERE id = $1 AND wanted > achieved
	RETURNING uncertain, wanted, achieved, labels, receipt, failures, enqueued`

const selectMembers = `SELECT v.swept, v.episode FROM delivery_members m JOIN violations v ON v.id = m.violation
	WHERE m.delivery = $1 ORDER BY CASE WHEN v.state IN ('open', 'acknowledged') THEN 0 ELSE 1 END,
	v.severity DESC, v.opened DESC, v.id LIMIT $2`

// begin marks the attempt and reads the group; nil if there is nothing to do.
func (d *Dispatcher) begin(ctx context.Context, id string) (*attempt, error) {
	a := &attempt{began: d.o.Now(), group: Group{Key: id}}
	err := inTx(ctx, d.db, func(tx *sql.Tx) error {
		var uncertain bool
		var labels, receipt []byte
		err := tx.QueryRowContext(ctx, beginAttempt, id).Scan(
			&uncertain, &a.group.Version, &a.achieved, &labels, &receipt, &a.failures, &a.enqueued)
		if err != nil {
			return err
		}
		a.have = receipt
		a.group.Repeat = uncertain && a.achieved == 0
		if err := json.Unmarshal(labels, &a.group.Labels); err != nil {
			return fmt.Errorf("decode labels: %w", err)
		}
		// What is owed from here on has its own delay.
		if _, err := tx.ExecContext(ctx, `UPDATE deliveries SET enqueued = 0 WHERE id = $1`, id); err != nil {
			return err
		}
		a.group.Violations, err = members(ctx, tx, id)
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return a, err
}

func members(ctx context.Context, q querier, id string) ([]Violation, error) {
	var out []Violation
	err := each(ctx, q, func(rows *sql.Rows) error {
		var swept int64
		var text []byte
		if err := rows.Scan(&swept, &text); err != nil {
			return err
		}
		var e episode
		err := json.Unmarshal(text, &e)
		out = append(out, e.view(swept))
		return err
	}, selectMembers, id, MaxGroup)
	if err != nil {
		return nil, fmt.Errorf("load violations of group: %w", err)
	}
	return out, nil
}

// ending is what an attempt leaves behind.
type ending struct {
	ok, park  bool
	uncertain bool      // it may have arrived all the same
	due       time.Time // of the next attempt
	quiet     time.Time // of the whole receiver
	problem   string
}

func (d *Dispatcher) judge(a *attempt, err error) ending {
	if err == nil {
		return ending{ok: true}
	}
	e := ending{problem: clip(err.Error(), maxText), uncertain: ambiguous(err), park: IsPermanent(err)}
	delay := backoff(a.failures, d.o.MaxBackoff)
	if after, ok := RetryDelay(err); e.park {
		delay = d.o.Parked // a secret may be replaced and a bot invited, which tells nobody
	} else if ok {
		delay = max(after, 0)
		e.quiet = d.o.Now().Add(delay)
	}
	e.due = d.o.Now().Add(delay)
	return e
}

// backoff is 1 s doubled for each failure before, up to the most, of which a
// random half is taken off so that many groups do not come back at once.
func backoff(failures int64, most time.Duration) time.Duration {
	d := min(most, time.Second<<min(failures, 20))
	return d/2 + rand.N(d/2+1)
}

// ambiguous reports whether the request may have been carried out although it
// failed: it ended while the answer was awaited.
func ambiguous(err error) bool {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return false
	}
	var timeout interface{ Timeout() bool }
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) ||
		errors.As(err, &timeout) && timeout.Timeout()
}

func (e *ending) report(w *worker, a *attempt, err error) {
	log := w.log.With("group", a.group.Key, "failures", a.failures+1, "err", err)
	if e.park {
		log.Error("delivery refused; it stays pending, and is tried again now and then, and at once after a reload", "at", e.due.UTC())
		return
	}
	log.Warn("delivery failed, trying again", "at", e.due.UTC())
}

// record commits how the attempt ended. A request that has left must not be
// forgotten because the process stops or the database is busy, so this tries
// for as long as Drain; after that, the next attempt says that it may be a
// repeat.
func (d *Dispatcher) record(ctx context.Context, w *worker, a *attempt, receipt Receipt, e ending) {
	ctx = context.WithoutCancel(ctx)
	for until := time.Now().Add(d.o.Drain - time.Second); ; pause(ctx, time.Second) {
		try, cancel := context.WithTimeout(ctx, d.o.Timeout)
		err := inTx(try, d.db, func(tx *sql.Tx) error { return a.record(try, tx, w.name, receipt, e, micros(d.o.Now())) })
		cancel()
		if err == nil {
			return
		}
		w.log.Error("cannot record a delivery", "group", a.group.Key, "err", err)
		if time.Now().After(until) {
			return
		}
	}
}

const recordSuccess = `UPDATE deliveries SET achieved = $2, receipt = $3, sent = $4, due = $4 + pause, since = $5,
	failures = 0, attempting = FALSE, uncertain = FALSE, error = '',
	finished = CASE WHEN wanted = $2 THEN $6 ELSE FALSE END WHERE id = $1`

const recordFailure = `UPDATE deliveries SET due = $2, parked = $3, error = $4, attempting = FALSE,
	uncertain = (uncertain OR $5), failures = failures + 1,
	enqueued = CASE WHEN CAST($6 AS BIGINT) > 0 THEN CAST($6 AS BIGINT) ELSE enqueued END WHERE id = $1`

func (a *attempt) record(ctx context.Context, tx *sql.Tx, receiver string, receipt Receipt, e ending, now int64) error {
	id := a.group.Key
	if e.ok {
		_, err := tx.ExecContext(ctx, recordSuccess, id, a.group.Version, []byte(receipt), now, micros(a.began), !a.group.Open())
		if err != nil {
			return err
		}
		return account(ctx, tx, receiver, Account{Delivered: 1, Merged: a.group.Version - a.achieved - 1})
	}
	_, err := tx.ExecContext(ctx, recordFailure, id, micros(e.due), e.park, e.problem, e.uncertain, a.enqueued)
	if err != nil {
		return err
	}
	if e.park {
		return account(ctx, tx, receiver, Account{Failed: 1})
	}
	return account(ctx, tx, receiver, Account{Retried: 1})
}
