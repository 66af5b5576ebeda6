package detectors

import (
	"encoding/json"
	"testing"
	"time"

	"phiwatch/ingest"
	"phiwatch/ingest/hospital"
)

// hospitalDay returns n harmless records and their total size.
func hospitalDay(n int) (records [][]byte, size int64) {
	h := hospital.New(1)
	at := time.Date(2026, 9, 14, 8, 0, 0, 0, time.UTC)
	for range n {
		r := h.Record(at)
		records = append(records, r)
		size += int64(len(r))
	}
	return records, size
}

// BenchmarkDecodeAndMatch is the cost of a harmless event: decode and the whole
// catalog. Hold it against BenchmarkEncodingJSON of the same run.
func BenchmarkDecodeAndMatch(b *testing.B) {
	records, size := hospitalDay(2000)
	e := loadCatalog(b)
	dec := ingest.NewDecoder()
	var matches []Match
	bad := func(q ingest.Quarantined) { b.Fatal(q.Detail) }
	one := func(ev *ingest.Event) { matches = e.Match(ev, matches[:0]) }
	b.SetBytes(size / int64(len(records)))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		dec.Decode(ingest.Message{Body: records[i%len(records)]}, one, bad)
	}
	perEvent(b)
}

// BenchmarkDecode is the decoder's part of it.
func BenchmarkDecode(b *testing.B) {
	records, size := hospitalDay(2000)
	dec := ingest.NewDecoder()
	bad := func(q ingest.Quarantined) { b.Fatal(q.Detail) }
	b.SetBytes(size / int64(len(records)))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		dec.Decode(ingest.Message{Body: records[i%len(records)]}, func(*ingest.Event) {}, bad)
	}
	perEvent(b)
}

// BenchmarkEncodingJSON is the floor everybody knows: the standard library's
// decode of the same records to a map, and nothing else.
func BenchmarkEncodingJSON(b *testing.B) {
	records, size := hospitalDay(2000)
	b.SetBytes(size / int64(len(records)))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		var m map[string]any
		if err := json.Unmarshal(records[i%len(records)], &m); err != nil {
			b.Fatal(err)
		}
	}
	perEvent(b)
}

func perEvent(b *testing.B) {
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
