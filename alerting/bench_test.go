package alerting

import (
	"fmt"
	"syscall"
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
			n, used := 0, time.Duration(0)
			batch := make([]detectors.Finding, 1000)
			for b.Loop() {
				b.StopTimer()
				for i := range batch {
					batch[i] = bb.make(n)
					batch[i].Evidence.Record = record
					n++
				}
				before := processorTime(b)
				b.StartTimer()
				apply(b, l, batch...)
				used += processorTime(b) - before
			}
			b.ReportMetric(float64(used.Nanoseconds())/float64(n), "cpu-ns/finding")
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

// processorTime returns what the process has used of all processors: what a
// commit waits for the disk is not in it.
func processorTime(tb testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkIdleRestores measures what a million restores of nothing take up,
// what a start reads of them, and what a late weakening of one does.
func BenchmarkIdleRestores(b *testing.B) {
	conn := sqlite(b).open(b)
	l := newLedger(b, conn, Options{})
	const batches, size = 1000, 1000
	batch := make([]detectors.Finding, size)
	for i := range batches * size {
		batch[i%size] = back(fmt.Sprint(i), benchEvent(i), time.Duration(i)*time.Second)
		if i%size == size-1 {
			apply(b, l, batch...)
		}
	}
	n := 0
	b.Run("start", func(b *testing.B) {
		for b.Loop() {
			l = newLedger(b, conn, Options{})
			apply(b, l, weak("x", "w", 0))
		}
		var pages float64
		if err := conn.QueryRow(`SELECT page_count * page_size FROM pragma_page_count, pragma_page_size`).Scan(&pages); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(pages/batches/size, "bytes/restore")
	})
	b.Run("late weakening", func(b *testing.B) {
		for b.Loop() {
			n += 997
			apply(b, l, weak(fmt.Sprint(n%(batches*size)), benchEvent(-n), 0))
		}
	})
	b.Run("new weakening", func(b *testing.B) {
		for b.Loop() {
			n++
			apply(b, l, weak(fmt.Sprint("new", n), benchEvent(-n), 0))
		}
	})
}

// benchEvent is an event id as long and as hard to compress as real ones.
func benchEvent(i int) string {
	return "entra-audit/" + digest(fmt.Append(nil, i))[len("sha256:"):]
}
