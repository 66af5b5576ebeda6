package sigma

import (
	"cmp"
	"slices"
	"sort"
)

// Sample is what a correlation keeps of one event: that one of its rules
// matched, in one group.
type Sample struct {
	At    int64  // event time, in any unit that the host and Correlation.Span agree on: microseconds
	Value uint64 // value_count: a hash of the value; other value types: math.Float64bits of the number; otherwise 0
	Event uint64 // a hash of the event's identity
	Tag   uint64 // the host's own
	Rule  uint8  // place in Correlation.Rules; 0 when the type does not tell rules apart
	Held  bool   // for the host to note that the condition was found to hold here
}

// MaxRules bounds the rules of a temporal correlation.
const MaxRules = 250

// Window holds the samples of one group in the order of their time. Samples of
// one instant stand in the order of the rules, so that a tie counts as in order.
type Window []Sample

func (s *Sample) compare(o *Sample) int {
	if s.At != o.At {
		return cmp.Compare(s.At, o.At)
	}
	if s.Rule != o.Rule {
		return cmp.Compare(s.Rule, o.Rule)
	}
	return cmp.Compare(s.Value, o.Value)
}

// Insert adds a sample in its place. It reports false, and adds nothing, when
// the same event, with the same rule, time and value, is there already.
func (w *Window) Insert(s Sample) bool {
	old := *w
	if n := len(old); n == 0 || old[n-1].At < s.At { // nearly always
		*w = append(old, s)
		return true
	}
	i := sort.Search(len(old), func(i int) bool { return old[i].compare(&s) >= 0 })
	for ; i < len(old) && old[i].compare(&s) == 0; i++ {
		if old[i].Event == s.Event {
			return false
		}
	}
	*w = slices.Insert(old, i, s)
	return true
}

// From returns the place of the first sample that is not before at.
func (w Window) From(at int64) int {
	if n := len(w); n == 0 || w[n-1].At < at {
		return n
	}
	return sort.Search(len(w), func(i int) bool { return w[i].At >= at })
}

// DropBefore removes the samples before at and returns how many there were.
func (w *Window) DropBefore(at int64) int {
	n := w.From(at)
	w.DropFirst(n)
	return n
}

// DropFirst removes the n oldest samples.
func (w *Window) DropFirst(n int) {
	switch rest := (*w)[n:]; {
	case n == 0:
	case len(rest) == 0:
		*w = nil
	case 4*len(rest) < cap(rest):
		*w = slices.Clone(rest)
	default:
		*w = rest // append leaves the dropped ones behind when it next grows
	}
}

// Span is the timespan in microseconds.
func (c *Correlation) Span() int64 { return c.Timespan.Microseconds() }

// Ranked reports whether the type tells the rules apart, so that Sample.Rule counts.
func (c *Correlation) Ranked() bool { return c.Type == Temporal || c.Type == TemporalOrdered }

// Numeric reports whether the values looked at are numbers.
func (c *Correlation) Numeric() bool {
	switch c.Type {
	case ValueSum, ValueAvg, ValuePercentile, ValueMedian:
		return true
	}
	return false
}

// Monotone reports whether a condition that holds over some samples still holds
// when more of the same span become known (for value_sum: none of them
// negative). Then it may be judged at once, whatever arrives later.
func (c *Correlation) Monotone() bool {
	for _, b := range c.Condition {
		if b.Op != "gt" && b.Op != "gte" {
			return false
		}
	}
	return c.Type != ValueAvg && c.Type != ValuePercentile && c.Type != ValueMedian
}

// Largest returns the largest number that the condition compares a count with,
// or 0: how many samples a window must be able to hold.
func (c *Correlation) Largest() float64 {
	most := 0.0
	if c.Type == EventCount || c.Type == ValueCount {
		for _, b := range c.Condition {
			most = max(most, b.Value)
		}
	}
	return most
}

// Errorf returns an error at the position of the correlation's rules.
func (c *Correlation) Errorf(format string, args ...any) *Error {
	return c.rulesAt.errorf(format, args...)
}
