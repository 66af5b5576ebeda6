package detectors

import (
	"reflect"
	"runtime"
	"testing"
	"time"

	"phiwatch/ingest"
	"phiwatch/ingest/hospital"
)

// BenchmarkSince is what decoding a harmless record costs, and matching it with the
// rules of the tree, for `make since`: it puts this file and the records into an
// earlier commit's tree and holds both against each other. Hence it uses only what
// that had, too. Of each message the best of many passes counts, since other work
// on the machine makes none faster.
func BenchmarkSince(b *testing.B) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	const records = 2000
	h := hospital.New(1)
	at := time.Date(2026, 9, 14, 8, 0, 0, 0, time.UTC)
	var messages []ingest.Message
	for range records {
		messages = append(messages, ingest.Message{Body: h.Record(at)})
	}
	e := loadCatalog(b)
	plain, planned := ingest.NewDecoder(), ingest.NewDecoder()
	if use := reflect.ValueOf(planned).MethodByName("Use"); use.IsValid() { // the walk that later commits have
		use.Call([]reflect.Value{reflect.ValueOf(e).MethodByName("Plan").Call(nil)[0]})
	}
	var matches []Match
	bad := func(q ingest.Quarantined) { b.Fatal(q.Detail) }
	nothing := func(*ingest.Event) {}
	match := func(ev *ingest.Event) { matches = e.Match(ev, matches[:0]) }
	decoded, matched := newBest(records), newBest(records)
	for b.Loop() {
		decoded.pass(func(i int) { plain.Decode(messages[i], nothing, bad) })
		matched.pass(func(i int) { planned.Decode(messages[i], match, bad) })
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(decoded.mean(), "decode-ns/event")
	b.ReportMetric(matched.mean(), "decode+match-ns/event")
	b.ReportMetric(matched.mean()-decoded.mean(), "match-ns/event")
}

// best has the shortest time that each of some messages took.
type best []time.Duration

func newBest(n int) best {
	b := make(best, n)
	for i := range b {
		b[i] = time.Hour
	}
	return b
}

func (b best) pass(one func(i int)) {
	for i := range b {
		began := time.Now()
		one(i)
		b[i] = min(b[i], time.Since(began))
	}
}

// mean is in nanoseconds.
func (b best) mean() float64 {
	var sum time.Duration
	for _, d := range b {
		sum += d
	}
	return float64(sum.Nanoseconds()) / float64(len(b))
}
