// Package console writes violations for a person at a terminal: one line per
// change, oldest column first, so that a day reads from top to bottom.
package console

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"phiwatch/alerting"
	"phiwatch/alerting/untrusted"
)

// maxLines bounds what one delivery prints; the rest is counted.
const maxLines = 100

// Options says how lines look.
type Options struct {
	// Color marks states and severities with ANSI colours. The caller decides:
	// a terminal, NO_COLOR unset.
	Color bool
}

// Receiver writes to one writer. It is safe for concurrent use, and each
// delivery is one Write, so that groups do not interleave.
type Receiver struct {
	options Options
	writing chan struct{} // holds one during a Write
	out     io.Writer
}

var _ alerting.Receiver = (*Receiver)(nil)

// New returns a Receiver that writes to out.
func New(out io.Writer, o Options) *Receiver {
	return &Receiver{options: o, writing: make(chan struct{}, 1), out: out}
}

// receipt is what has been printed of each violation, by its id.
type receipt map[string]string

// Deliver implements alerting.Receiver. It prints the violations that changed
// since have.
func (r *Receiver) Deliver(ctx context.Context, g alerting.Group, have alerting.Receipt) (alerting.Receipt, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	last := receipt{}
	if have != nil {
		if err := json.Unmarshal(have, &last); err != nil {
			last = receipt{} // unreadable: print all again
		}
	}
	text, next := r.changes(g, last)
	if err := r.write(ctx, text); err != nil {
		return nil, fmt.Errorf("write to console: %w", err)
	}
	return json.Marshal(next)
}

// write gives up when ctx is done: a pipe that nobody empties blocks a Write for
// as long as it likes, and nothing else may wait for that. The Write itself cannot
// be taken back; until it ends there is no other.
func (r *Receiver) write(ctx context.Context, text string) error {
	if text == "" {
		return nil
	}
	select {
	case r.writing <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("an earlier line is still being written; is there a reader at the other end? %w", ctx.Err())
	}
	done := make(chan error, 1)
	go func() { // outlives ctx only in a Write that nobody can end
		_, err := io.WriteString(r.out, text)
		<-r.writing
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// changes renders what is new in g. It is pure.
func (r *Receiver) changes(g alerting.Group, last receipt) (string, receipt) {
	var b strings.Builder
	next := make(receipt, len(g.Violations))
	lines, more := 0, 0
	for _, v := range g.Violations {
		mark := fmt.Sprintf("%s %s %d", v.State, v.Severity, v.Repeats)
		next[v.ID] = mark
		if last[v.ID] == mark {
			continue
		}
		if lines++; lines > maxLines {
			more++
			continue
		}
		b.WriteString(r.line(v, g.Repeat))
	}
	if more > 0 {
		fmt.Fprintf(&b, "%s and %d more\n", strings.Repeat(" ", 20), more)
	}
	return b.String(), next
}

// line is one violation:
//
//	2026-03-02 09:14:05Z OPEN     high     MFA        mfa-per-user-disabled: Ada Example (ada@example.org) · by admin@example.org from 203.0.113.7 · 164.312(d) · tenant 6f2b7c1e… · id 0d1e…
func (r *Receiver) line(v alerting.Violation, repeat bool) string {
	at := v.Changed
	if v.State == alerting.StatusRestored && !v.Restored.IsZero() {
		at = v.Restored
	} else if v.State == alerting.StatusAcknowledged && !v.AckedAt.IsZero() {
		at = v.AckedAt
	} else if v.State == alerting.StatusClosed && !v.ClosedAt.IsZero() {
		at = v.ClosedAt
	} else if at.IsZero() {
		at = v.Opened
	}
	when := "time not stated     "
	if !at.IsZero() {
		when = at.UTC().Format("2006-01-02 15:04:05Z")
	}
	return fmt.Sprintf("%s %s %s %s %s\n", r.dim(when), r.state(v.State), r.severity(v),
		pad(text(v.Safeguard, 16), 10), strings.Join(r.parts(v, repeat), r.dim(" · ")))
}

// parts are always in this order: what of whom, what somebody did about it, the
// citation, and at the end the names for machines. The id is whole: it is what
// acknowledging takes.
func (r *Receiver) parts(v alerting.Violation, repeat bool) []string {
	what := cmp.Or(text(v.Entry, 80), text(v.Title, 80), "violation")
	if s := r.subject(v); s != "" {
		what += ": " + s
	}
	parts := []string{what}
	switch v.State {
	case alerting.StatusRestored:
		parts = appendIf(parts, "by ", text(v.RestoredBy, 80))
		if !v.Opened.IsZero() && v.Restored.After(v.Opened) {
			parts = append(parts, "open for "+alerting.InWords(v.Restored.Sub(v.Opened).Round(time.Second)))
		}
	case alerting.StatusAcknowledged:
		parts = appendIf(parts, "by ", text(v.AckedBy, 80))
	case alerting.StatusClosed:
		parts = appendIf(parts, "by ", cmp.Or(text(v.ClosedBy, 80), "itself"))
	default:
		who := text(v.Actor, 80)
		if ip := text(v.ActorIP, 45); ip != "" {
			who = strings.TrimSpace(who + " from " + ip)
		}
		parts = appendIf(parts, "by ", who)
		if v.Repeats > 0 {
			parts = append(parts, fmt.Sprintf("%d more times", v.Repeats))
		}
	}
	parts = appendIf(parts, "", text(strings.Join(v.HIPAA, ", "), 60))
	if repeat {
		parts = append(parts, "may repeat an earlier line")
	}
	parts = appendIf(parts, "tenant ", brief(text(v.Tenant, 40)))
	return appendIf(parts, "id ", text(v.ID, 64))
}

func appendIf(parts []string, prefix, s string) []string {
	if s == "" {
		return parts
	}
	return append(parts, prefix+s)
}

func text(s string, max int) string { return untrusted.Line(s, max) }

// pad fills s to n characters; wide characters are not worth a table here.
func pad(s string, n int) string {
	return s + strings.Repeat(" ", max(0, n-len([]rune(s))))
}
