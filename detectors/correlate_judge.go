package detectors

import (
	"container/heap"
	"fmt"

	"phiwatch/detectors/sigma"
)

// judge judges what the batch touched, inner correlations first, and makes
// the findings.
func (c *correlator) judge(j journal, seq int64) ([]Finding, error) {
	var findings []Finding
	for _, n := range c.nodes {
		n.judgeTouched(c.newest)
		for _, f := range n.fired {
			found, err := c.fire(j, n, f, seq)
			if err != nil {
				return nil, fmt.Errorf("correlation %s: %w", n.rule.Entry, err)
			}
			findings = append(findings, found...)
		}
		n.fired = n.fired[:0]
		if err := n.writeTallies(j, c.newest); err != nil {
			return nil, fmt.Errorf("count for the baseline of %s: %w", n.rule.Entry, err)
		}
	}
	return c.restoreParts(j, findings)
}

// judgeTouched notes in fired where the condition holds and did not before.
func (n *node) judgeTouched(newest int64) {
	for _, w := range n.touched {
		w.touched = false
		if n.firing = w; !n.waits {
			n.judge.Judge(w.Window, w.from, w.to+n.span, n.onHeld)
		}
	}
	for len(n.pending) > 0 && n.pending[0].at+n.lateness <= newest {
		p := heap.Pop(&n.pending).(judgement)
		n.firing = p.w
		n.judge.Judge(p.w.Window, p.at, p.at, n.onHeld)
	}
}

// held notes that the condition holds at a place of the window being judged. An
// event that stands there several times, with several values or as several rules,
// is one finding.
func (n *node) held(i int) {
	w := n.firing.Window
	if w[i].Held {
		n.again(i)
		return
	}
	w[i].Held = true
	if n.doc.Type == sigma.EventCount { // which has it once
		n.fired = append(n.fired, firing{n.firing, i})
		return
	}
	same := func(k int) bool { return w[k].At == w[i].At }
	reported := func(k int) bool { return w[k].Event == w[i].Event && w[k].Held }
	for k := i - 1; k >= 0 && same(k); k-- {
		if reported(k) {
			return
		}
	}
	for k := i + 1; k < len(w) && same(k); k++ {
		if reported(k) {
			return
		}
	}
	n.fired = append(n.fired, firing{n.firing, i})
}

// fire makes a finding of a sample at which the condition holds, and feeds the
// correlations that name this one.
func (c *correlator) fire(j journal, n *node, f firing, seq int64) ([]Finding, error) {
	if n.parted() {
		return c.fireParts(j, n, f, seq)
	}
	if usual, err := n.usual(j, f); err != nil || usual {
		return nil, err
	}
	s := f.w.Window[f.at]
	rec, err := c.record(j, n, s.Tag, seq)
	if err != nil {
		return nil, err
	}
	var out []Finding
	if n.reports {
		found, err := c.finding(j, n, f, rec, seq)
		if err != nil {
			return nil, err
		}
		out = []Finding{found}
	}
	_, _, _, parents := rec.entry.about()
	if len(parents.b) == 0 {
		return out, nil
	}
	outer := sigma.Sample{At: s.At, Event: s.Event}
	return out, c.entries(&parents, rec.metaBytes, outer, rec.meta.seen, rec.match, seq)
}

// judgement is a sample that waits until events as old as it are no more expected.
type judgement struct {
	at int64
	w  *groupWindow
}

// pending is a heap, the earliest first.
type pending []judgement

func (p pending) Len() int           { return len(p) }
func (p pending) Less(i, j int) bool { return p[i].at < p[j].at }
func (p pending) Swap(i, j int)      { p[i], p[j] = p[j], p[i] }
func (p *pending) Push(x any)        { *p = append(*p, x.(judgement)) }
func (p *pending) Pop() any {
	old := *p
	last := old[len(old)-1]
	old[len(old)-1] = judgement{}
	*p = old[:len(old)-1]
	return last
}
