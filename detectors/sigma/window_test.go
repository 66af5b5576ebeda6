package sigma

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// correlationTexts are one correlation of each type, with and without a
// condition where there may be none.
var correlationTexts = map[string]string{
	"event_count":         "type: event_count, rules: [a], group-by: [u], timespan: 10s, condition: {gte: 4}",
	"event_count range":   "type: event_count, rules: [a, b], group-by: [u], timespan: 10s, condition: {gt: 2, lte: 5}",
	"value_count":         "type: value_count, rules: [a], group-by: [u], timespan: 10s, condition: {field: v, gte: 3}",
	"value_count few":     "type: value_count, rules: [a], group-by: [u], timespan: 10s, condition: {field: v, lt: 2}",
	"value_sum":           "type: value_sum, rules: [a], group-by: [u], timespan: 10s, condition: {field: v, gte: 12}",
	"value_avg":           "type: value_avg, rules: [a], group-by: [u], timespan: 10s, condition: {field: v, gt: 3.5}",
	"value_median":        "type: value_median, rules: [a], group-by: [u], timespan: 10s, condition: {field: v, gte: 4}",
	"value_percentile":    "type: value_percentile, rules: [a], group-by: [u], timespan: 10s, condition: {field: v, percentile: 90, gt: 5}",
	"temporal":            "type: temporal, rules: [a, b, c], group-by: [u], timespan: 10s",
	"temporal two":        "type: temporal, rules: [a, b, c], group-by: [u], timespan: 10s, condition: {gte: 2}",
	"temporal_ordered":    "type: temporal_ordered, rules: [a, b, c], group-by: [u], timespan: 10s",
	"temporal_ordered eq": "type: temporal_ordered, rules: [a, b, c], group-by: [u], timespan: 10s, condition: {eq: 2}",
}

func parseCorrelation(t testing.TB, text string) *Correlation {
	t.Helper()
	docs, err := Parse("c.yml", []byte("title: x\ncorrelation: {"+text+"}\n"))
	if err != nil {
		t.Fatal(err)
	}
	return docs[0].(*Correlation)
}

// randomSamples returns samples of few seconds, values and rules, so that ties
// and repeats of values abound.
func randomSamples(rng *rand.Rand, c *Correlation, n int) []Sample {
	out := make([]Sample, n)
	for i := range out {
		value := uint64(1 + rng.IntN(7))
		s := Sample{At: int64(rng.IntN(3*n)) * 1e6 / 2, Event: uint64(i + 1)}
		switch {
		case c.Ranked():
			s.Rule = uint8(rng.IntN(len(c.Rules)))
		case c.Numeric():
			s.Value = math.Float64bits(float64(value))
		case c.Type == ValueCount:
			s.Value = value
		}
		out[i] = s
	}
	return out
}

// heldBySpec is the definition, written as plainly as can be: the events at which
// the condition holds.
func heldBySpec(c *Correlation, all []Sample) []uint64 {
	var out []uint64
	for _, at := range all {
		var within []Sample
		for _, s := range all {
			if s.At > at.At-c.Span() && s.At <= at.At {
				within = append(within, s)
			}
		}
		if holdsBySpec(c, within, at) {
			out = append(out, at.Event)
		}
	}
	slices.Sort(out)
	return out
}

func holdsBySpec(c *Correlation, within []Sample, at Sample) bool {
	distinct, rules, numbers := map[uint64]bool{}, map[uint8]bool{}, []float64{}
	for _, s := range within {
		distinct[s.Value], rules[s.Rule] = true, true
		numbers = append(numbers, math.Float64frombits(s.Value))
	}
	slices.Sort(numbers)
	total := 0.0
	for _, x := range numbers {
		total += x
	}
	quantile := func(q float64) float64 {
		place := q * float64(len(numbers)-1)
		low, high := numbers[int(math.Floor(place))], numbers[int(math.Ceil(place))]
		return low + (high-low)*(place-math.Floor(place))
	}
	all := len(c.Condition) == 0
	switch c.Type {
	case EventCount:
		return c.Condition.Holds(float64(len(within)))
	case ValueCount:
		return c.Condition.Holds(float64(len(distinct)))
	case ValueSum:
		return c.Condition.Holds(total)
	case ValueAvg:
		return c.Condition.Holds(total / float64(len(numbers)))
	case ValueMedian:
		return c.Condition.Holds(quantile(0.5))
	case ValuePercentile:
		return c.Condition.Holds(quantile(c.Percent / 100))
	case Temporal:
		return all && len(rules) == len(c.Rules) || !all && c.Condition.Holds(float64(len(rules)))
	}
	longest := longestChain(within, at)
	return all && longest == len(c.Rules) || !all && c.Condition.Holds(float64(longest))
}

// longestChain is how many samples can stand in rising order of time and of
// rules, the last being one like at.
func longestChain(within []Sample, at Sample) int {
	best := 1
	for _, s := range within {
		if s.At <= at.At && s.Rule < at.Rule {
			best = max(best, 1+longestChain(within, s))
		}
	}
	return best
}

func TestConditionsHoldWhereTheSpecificationSays(t *testing.T) {
	for name, text := range correlationTexts {
		t.Run(name, func(t *testing.T) {
			c := parseCorrelation(t, text)
			j := NewJudge(c)
			rng := rand.New(rand.NewPCG(1, 2))
			for range 200 {
				samples := randomSamples(rng, c, 1+rng.IntN(24))
				want := heldBySpec(c, samples)
				rng.Shuffle(len(samples), func(a, b int) { samples[a], samples[b] = samples[b], samples[a] })
				var w Window
				for _, s := range samples {
					if !w.Insert(s) || w.Insert(s) {
						t.Fatal("a sample is added once")
					}
				}
				var got []uint64
				j.Judge(w, math.MinInt64, math.MaxInt64, func(i int) { got = append(got, w[i].Event) })
				slices.Sort(got)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("held (-specification +judge):\n%s\n%v", diff, w)
				}
			}
		})
	}
}

// A monotone condition is judged at once: only what the last sample can change.
func TestJudgingWhatIsNewIsEnoughForMonotoneConditions(t *testing.T) {
	for name, text := range correlationTexts {
		c := parseCorrelation(t, text)
		if !c.Monotone() {
			continue
		}
		t.Run(name, func(t *testing.T) {
			j := NewJudge(c)
			rng := rand.New(rand.NewPCG(3, 4))
			for range 200 {
				samples := randomSamples(rng, c, 1+rng.IntN(24))
				rng.Shuffle(len(samples), func(a, b int) { samples[a], samples[b] = samples[b], samples[a] })
				var w Window
				got := []uint64{}
				for _, s := range samples {
					w.Insert(s)
					j.Judge(w, s.At, s.At+c.Span(), func(i int) {
						if !w[i].Held {
							w[i].Held = true
							got = append(got, w[i].Event)
						}
					})
				}
				slices.Sort(got)
				if diff := cmp.Diff(append([]uint64{}, heldBySpec(c, samples)...), got); diff != "" {
					t.Fatalf("held (-specification +step by step):\n%s", diff)
				}
			}
		})
	}
}

func TestMonotone(t *testing.T) {
	for name, text := range correlationTexts {
		want := !slices.Contains([]string{"event_count range", "value_count few", "value_avg", "value_median", "value_percentile", "temporal_ordered eq"}, name)
		if got := parseCorrelation(t, text).Monotone(); got != want {
			t.Errorf("%s: monotone = %v, want %v", name, got, want)
		}
	}
}

func TestWindowDrops(t *testing.T) {
	var w Window
	for i := range 100 {
		w.Insert(Sample{At: int64(i), Event: uint64(i)})
	}
	if n := w.DropBefore(90); n != 90 || len(w) != 10 || w[0].At != 90 {
		t.Errorf("dropped %d, left %v", n, w)
	}
	w.DropFirst(9)
	if len(w) != 1 || w[0].At != 99 || cap(w) > 16 {
		t.Errorf("left %v, room for %d", w, cap(w))
	}
	if w.DropFirst(1); w != nil {
		t.Errorf("left %v", w)
	}
}

func BenchmarkJudge(b *testing.B) {
	for _, name := range []string{"event_count", "value_count", "value_sum", "temporal", "temporal_ordered"} {
		for _, size := range []int{10, 100, 1000} {
			b.Run(fmt.Sprint(name, "/", size), func(b *testing.B) {
				c := parseCorrelation(b, correlationTexts[name])
				c.Condition = Range{{"gte", 1e9}}
				c.Timespan = time.Hour
				rng := rand.New(rand.NewPCG(5, 6))
				var w Window
				for _, s := range randomSamples(rng, c, size) {
					s.Value = rng.Uint64()
					w.Insert(s)
				}
				last := w[len(w)-1].At
				j := NewJudge(c)
				for b.Loop() {
					j.Judge(w, last, last, func(int) {})
				}
			})
		}
	}
}
