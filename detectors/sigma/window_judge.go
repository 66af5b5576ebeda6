package sigma

import (
	"math"
	"slices"
)

// Judge evaluates a correlation over windows. The condition is judged at each
// sample, over the samples of the timespan that ends with it: (At-span, At].
// Samples of the same instant are all within each other's span.
//
//   - event_count counts samples; value_count distinct values; value_sum,
//     value_avg, value_median and value_percentile look at the numbers, the
//     latter two by linear interpolation between neighbours (percentile 50 if
//     the document does not say).
//   - temporal counts how many of the rules are among the samples; without a
//     condition, all must be.
//   - temporal_ordered looks for the longest chain of samples in rising order
//     of time and of rules, ending with the sample judged; without a condition,
//     every rule must have its place in it. So it holds at the event that
//     completes the order, not at those after it.
//
// The result depends on the samples only, not on how they came. A Judge is one
// goroutine's.
type Judge struct {
	c      *Correlation
	span   int64
	least  float64 // samples without which the condition cannot hold
	values tally
	rules  []int32 // temporal: samples of each rule within the span
	seen   int     // temporal: rules with any
	chain  []int32 // temporal_ordered: the longest chain ending with each rule
	sorted []float64
}

// NewJudge returns a judge for a correlation.
func NewJudge(c *Correlation) *Judge {
	return &Judge{c: c, span: c.Span(), least: c.least(), rules: make([]int32, len(c.Rules)), chain: make([]int32, len(c.Rules))}
}

// least returns how many samples a counting condition needs, at the least.
func (c *Correlation) least() float64 {
	if c.Numeric() {
		return 0
	}
	least := 0.0
	for _, b := range c.Condition {
		if b.Op == "gt" || b.Op == "gte" || b.Op == "eq" {
			least = max(least, b.Value)
		}
	}
	return least
}

// Judge calls held with the place of each sample whose time is in [from, to] and
// at which the condition holds. held must not change w's order.
func (j *Judge) Judge(w Window, from, to int64, held func(i int)) {
	i := w.From(from)
	if i == len(w) {
		return
	}
	lo := w.From(w[i].At - j.span + 1)
	if j.least > 0 && float64(w.From(max(to, to+1))-lo) < j.least { // as nearly always
		return
	}
	hi := lo
	j.reset()
	for i < len(w) && w[i].At <= to {
		at, end := w[i].At, i+1
		for end < len(w) && w[end].At == at {
			end++
		}
		if j.c.Type == ValueCount || j.c.Type == Temporal {
			for ; hi < end; hi++ {
				j.add(&w[hi])
			}
			for ; w[lo].At <= at-j.span; lo++ {
				j.remove(&w[lo])
			}
		} else {
			for ; w[lo].At <= at-j.span; lo++ {
			}
		}
		j.instant(w[lo:end], lo, i, held)
		i = end
	}
}

// instant judges the samples of one instant: those of span from place i on;
// lo is the place of span's first.
func (j *Judge) instant(span Window, lo, i int, held func(int)) {
	if j.c.Type == TemporalOrdered {
		j.chains(span, i-lo, func(k int) { held(lo + k) })
		return
	}
	if !j.holds(span) {
		return
	}
	for ; i < lo+len(span); i++ {
		held(i)
	}
}

func (j *Judge) holds(span Window) bool {
	var x float64
	switch j.c.Type {
	case EventCount:
		x = float64(len(span))
	case ValueCount:
		x = float64(j.values.distinct)
	case Temporal:
		if len(j.c.Condition) == 0 {
			return j.seen == len(j.rules)
		}
		x = float64(j.seen)
	case ValueSum:
		x = sum(span)
	case ValueAvg:
		x = sum(span) / float64(len(span))
	default:
		x = j.percentile(span)
	}
	return j.c.Condition.Holds(x)
}

func (j *Judge) reset() {
	j.values.reset()
	clear(j.rules)
	j.seen = 0
}

func (j *Judge) add(s *Sample) {
	if j.c.Type == ValueCount {
		j.values.add(s.Value)
		return
	}
	if j.rules[s.Rule]++; j.rules[s.Rule] == 1 {
		j.seen++
	}
}

func (j *Judge) remove(s *Sample) {
	if j.c.Type == ValueCount {
		j.values.remove(s.Value)
		return
	}
	if j.rules[s.Rule]--; j.rules[s.Rule] == 0 {
		j.seen--
	}
}

// chains calls held with the places, from i on, of the samples of span that end
// a chain which is long enough.
func (j *Judge) chains(span Window, i int, held func(int)) {
	last := uint8(len(j.rules) - 1)
	whole := len(j.c.Condition) == 0
	if whole && !slices.ContainsFunc(span[i:], func(s Sample) bool { return s.Rule == last }) {
		return
	}
	clear(j.chain)
	for k := range span {
		rule := span[k].Rule
		length := int32(1)
		for r := range rule {
			length = max(length, j.chain[r]+1)
		}
		j.chain[rule] = max(j.chain[rule], length)
		switch {
		case k < i:
		case whole && int(length) == len(j.rules), !whole && j.c.Condition.Holds(float64(length)):
			held(k)
		}
	}
}

// sum adds in the window's order, which does not depend on the order of
// arrival, so neither does the rounding.
func sum(span Window) float64 {
	total := 0.0
	for i := range span {
		total += math.Float64frombits(span[i].Value)
	}
	return total
}

func (j *Judge) percentile(span Window) float64 {
	p := j.c.Percent
	if j.c.Type == ValueMedian || p == 0 {
		p = 50
	}
	j.sorted = j.sorted[:0]
	for i := range span {
		j.sorted = append(j.sorted, math.Float64frombits(span[i].Value))
	}
	slices.Sort(j.sorted)
	place := p / 100 * float64(len(j.sorted)-1)
	below := int(place)
	above := min(below+1, len(j.sorted)-1)
	return j.sorted[below] + (place-float64(below))*(j.sorted[above]-j.sorted[below])
}
