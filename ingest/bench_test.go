package ingest_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"phiwatch/ingest"
	"phiwatch/ingest/document"
	"phiwatch/ingest/hospital"
)

// traffic returns messages of n records each, and how many records and bytes
// there are in all.
func traffic(perMessage int) (bodies [][]byte, records, size int) {
	h := hospital.New(1)
	for range 2000 / perMessage {
		var batch [][]byte
		for range perMessage {
			batch = append(batch, h.Record(time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)))
			records++
		}
		bodies = append(bodies, hospital.Message(batch...))
		size += len(bodies[len(bodies)-1])
	}
	return bodies, records, size
}

// BenchmarkDecode decodes and classifies a tenant's traffic; the other two are
// what it is compared with, in the same run: its own parser alone, and
// encoding/json decoding each record into a map.
func BenchmarkDecode(b *testing.B) {
	for _, n := range []int{1, 50} {
		bodies, records, size := traffic(n)
		b.Run(fmt.Sprintf("events/%d", n), func(b *testing.B) {
			d := ingest.NewDecoder()
			bad := func(ingest.Quarantined) { b.Fatal("quarantined") }
			perEvent(b, records, size, func() {
				for _, body := range bodies {
					d.Decode(ingest.Message{Body: body}, func(*ingest.Event) {}, bad)
				}
			})
		})
	}
	bodies, records, size := traffic(1)
	b.Run("parse", func(b *testing.B) {
		var d document.Document
		perEvent(b, records, size, func() {
			for _, body := range bodies {
				if err := d.Parse(body); err != nil {
					b.Fatal(err)
				}
			}
		})
	})
	b.Run("encoding-json", func(b *testing.B) {
		perEvent(b, records, size, func() {
			for _, body := range bodies {
				var m map[string]any
				if err := json.Unmarshal(body, &m); err != nil {
					b.Fatal(err)
				}
			}
		})
	})
}

func perEvent(b *testing.B, records, size int, pass func()) {
	b.ReportAllocs()
	b.SetBytes(int64(size))
	pass()
	for b.Loop() {
		pass()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*records), "ns/event")
}

// An event that nobody wants must cost no memory; ids that are composed share
// a chunk, one in some hundred events.
func TestDecodingAllocatesNothing(t *testing.T) {
	bodies, records, _ := traffic(50)
	d := ingest.NewDecoder()
	bad := func(ingest.Quarantined) { t.Fatal("quarantined") }
	pass := func() {
		for _, body := range bodies {
			d.Decode(ingest.Message{Body: body}, func(*ingest.Event) {}, bad)
		}
	}
	pass()
	if per := testing.AllocsPerRun(5, pass) / float64(records); per > 0.01 {
		t.Errorf("%.3f allocations per event", per)
	}
}
