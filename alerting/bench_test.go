package alerting

import (
	"fmt"
	"testing"
	"time"

	"phiwatch/detectors"
)

// What a batch of 1,000 findings costs, with its commit.
func BenchmarkApply(b *testing.B) {
	record := make([]byte, 0, 3000)
	for i := 0; len(record) < 2900; i++ {
		record = fmt.Appendf(record, `{"displayName":"property %d","newValue":"%x"}`, i, i*7919)
	}
	for _, bb := range []struct {
		name string
		make func(i int) detectors.Finding
	}{
		{"new violations", func(i int) detectors.Finding {
			return weak(fmt.Sprint(i), benchEvent(i), time.Duration(i)*time.Second)
		}},
		{"repeats of one violation", func(i int) detectors.Finding { return weak("p", benchEvent(i), time.Duration(i)*time.Second) }},
		{"restores of nothing", func(i int) detectors.Finding {
			return back(fmt.Sprint(i), benchEvent(i), time.Duration(i)*time.Second)
		}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			r := &Route{Receiver: "chat"}
			if err := r.Validate([]string{"chat"}); err != nil {
				b.Fatal(err)
			}
			l := newLedger(b, sqlite(b).open(b), Options{Route: r})
			n := 0
			batch := make([]detectors.Finding, 1000)
			for b.Loop() {
				b.StopTimer()
				for i := range batch {
					batch[i] = bb.make(n)
					batch[i].Evidence.Record = record
					n++
				}
				b.StartTimer()
				apply(b, l, batch...)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/finding")
		})
	}
}

// One finding out of order, of a violation with many observations: all are read.
func BenchmarkApplyOutOfOrder(b *testing.B) {
	for _, n := range []int{100, 10000} {
		b.Run(fmt.Sprint(n, " observations"), func(b *testing.B) {
			l := newLedger(b, sqlite(b).open(b), Options{})
			batch := make([]detectors.Finding, n)
			for i := range batch {
				batch[i] = weak("p", benchEvent(i), time.Duration(i)*time.Second)
			}
			apply(b, l, batch...)
			i := 0
			for b.Loop() {
				i++
				apply(b, l, weak("p", fmt.Sprint("late", i), time.Duration(i)*time.Millisecond))
			}
		})
	}
}

// benchEvent is an event id as long and as hard to compress as real ones.
func benchEvent(i int) string {
	return "entra-audit/" + digest(fmt.Append(nil, i))[len("sha256:"):]
}
