package ingest

import (
	"bytes"
	"encoding/json"
	"regexp"
	"testing"
)

// left is all that may stand between records.
var left = regexp.MustCompile(`(?i)^(\x{feff})?([\s\[\]{},]|"records"\s*:)*$`)

// FuzzDecode holds that every byte of a body belongs to a record, which is
// told once, as an event or as quarantined; and that JSON is never quarantined.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"records":[{"time":"2026-01-05T09:00:00Z","category":"AuditLogs","properties":{"id":"x"}},{"time":"2"}],"n":{"a":[1]}}`,
		`[{"RecordType":1,"Operation":"New-X","Parameters":"-A "b" -C ("d","e")"},null,7,"x"]`,
		"{\"time\":\"1\"}\n{\"time\":\"2\"}{'time':'3','a':None}", `{"a":1},{"a":2}]}`,
		`{"time":"1","properties":"{'a':'b'}"}`, `{"x":1,"records":[{"a":1},[{"b":2}]]}`,
		`{"time":"1","p":"c:\dir\new\"},{"time":"2"}`, `{"records":[{"time":"1"},{"time":"2","a`, "\ufeff 42 ", `text {"time":1} more`,
		"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff", `[[[[[[[[[[[1]]]]]]]]]]]`, `{"a":"x` + "\n" + `y"}`, `{"records":[]`, `{}]}{}`,
		`{"category":"AdvancedHunting-CloudAppEvents","properties":{"RawEventData":"{\"Workload\":\"x\",\"RecordType\":1}"}}`,
	} {
		f.Add([]byte(seed))
	}
	d := NewDecoder()
	f.Fuzz(func(t *testing.T, body []byte) {
		var rest []byte
		at := 0
		d.span = func(start, end int) {
			if start < at || end < start || end > len(body) {
				t.Fatalf("record at %d to %d, after one that ended at %d", start, end, at)
			}
			rest = append(rest, body[at:start]...)
			at = end
		}
		records, rejected := 0, map[Reason]int{}
		n := d.Decode(Message{Body: body}, func(e *Event) {
			if e.Index != records {
				t.Fatalf("event has index %d, want %d", e.Index, records)
			}
			records++
		}, func(q Quarantined) {
			if q.Index != records && q.Index != -1 {
				t.Fatalf("quarantined record has index %d, want %d", q.Index, records)
			}
			records++
			rejected[q.Reason]++
		})
		if n != records {
			t.Fatalf("Decode returned %d for %d records", n, records)
		}
		if rejected[Empty]+rejected[TooLarge]+rejected[BadGzip] > 0 || bytes.HasPrefix(body, []byte{0x1f, 0x8b}) {
			return
		}
		if rest = append(rest, body[at:]...); !left.Match(rest) {
			t.Errorf("of %q is nowhere: %q", body, rest)
		}
		if json.Valid(bytes.TrimPrefix(body, byteOrderMark)) && len(rejected) > rejected[TooDeep] {
			t.Errorf("valid JSON was quarantined: %v", rejected)
		}
	})
}

// FuzzMend holds that what mend calls sound keeps its promise often enough to
// be worth parsing: it never panics, never reads beyond its input, and never
// changes what is sound already.
func FuzzMend(f *testing.F) {
	for _, seed := range []string{`{"a":"b"c"}`, `{'a':None}`, `{"p":"c:\x"}`, "{\"a\":\"\n\"}", `[{"a":[1,-2.5e3,true]}]`, `{'a':'\x41\'"'}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		out, n, did := mend(in, nil)
		if n > len(in) {
			t.Fatalf("read %d of %d bytes", n, len(in))
		}
		if out != nil && json.Valid(in[:n]) && (did != 0 || !bytes.Equal(out, in[:n])) {
			t.Errorf("sound %q became %q (%s)", in[:n], out, did)
		}
	})
}
