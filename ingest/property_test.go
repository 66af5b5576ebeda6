package ingest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// rounds is how often a property is tried; 30,000 were, once.
const rounds = 300

// However records are packed into messages, the same events come out in the
// same order.
func TestPackingDoesNotChangeEvents(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for round := range rounds {
		var records []string
		for range 1 + r.IntN(12) {
			records = append(records, randomRecord(r))
		}
		var got []string
		d := NewDecoder()
		for _, body := range pack(r, records) {
			d.Decode(Message{Body: []byte(body)}, func(e *Event) {
				got = append(got, string(e.Doc.Raw())+" "+brief(e))
			}, func(q Quarantined) { t.Fatalf("round %d: %s: %s in %s", round, q.Reason, q.Detail, body) })
		}
		var want []string
		for _, record := range records {
			e := only(t, record, Message{})
			want = append(want, record+" "+brief(&e))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("round %d: -want +got\n%s", round, diff)
		}
	}
}

// pack splits records over messages of random shapes.
func pack(r *rand.Rand, records []string) (bodies []string) {
	for len(records) > 0 {
		n := 1 + r.IntN(len(records))
		bodies = append(bodies, message(r, records[:n]))
		records = records[n:]
	}
	return bodies
}

func message(r *rand.Rand, records []string) string {
	space := func() string { return strings.Repeat(" ", r.IntN(3)) + strings.Repeat("\n", r.IntN(2)) }
	comma := space() + "," + space()
	list := "[" + space() + strings.Join(records, comma) + space() + "]"
	body := ""
	switch r.IntN(7) {
	case 0:
		body = `{"records":` + list + `}`
	case 1:
		body = `{ "RECORDS" :` + list + `,"n":{"a":"}]"}}`
	case 2:
		body = `{"n":[1,2],"x":"","records":` + list + `}`
	case 3:
		body = list
	case 4:
		body = strings.Join(records, "\n")
	case 5:
		body = strings.Join(records, "")
	case 6:
		half := r.IntN(len(records) + 1)
		body = `[{"records":[` + strings.Join(records[:half], ",") + `]},[` + strings.Join(records[half:], ",") + `]]`
	}
	return strings.Repeat("\ufeff", r.IntN(2)) + space() + body + space()
}

// randomRecord makes up a record whose text is full of what ends records.
func randomRecord(r *rand.Rand) string {
	texts := []string{"x", "}]", `\"},{\"time\":\"`, "[{", `\\`, "'", "é", `\u0041`, ",", strings.Repeat("long ", r.IntN(2000))}
	text := func() string { return texts[r.IntN(len(texts))] + texts[r.IntN(len(texts))] }
	body := fmt.Sprintf(`"properties":{"id":"%d","createdDateTime":"2026-01-05T09:00:%02dZ","userId":"%s","list":[{"time":"%s"},{"time":null}],"deep":{"a":[[],{}]}}`,
		r.IntN(1e6), r.IntN(60), text(), text())
	category := []string{"AuditLogs", "SignInLogs", "Administrative", "AuditEvent", "Nothing"}[r.IntN(5)]
	return fmt.Sprintf(`{"time":"2026-01-05T09:01:00Z","category":"%s","operationName":"%s",%s,"n":%d}`, category, text(), body, r.IntN(9))
}

// A damaged record does not touch the records around it.
func TestDamageStaysWhereItIs(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for round := range rounds {
		records := []string{randomRecord(r), randomRecord(r), randomRecord(r)}
		broken := damage(r, records[1])
		body := []byte(`{"records":[` + records[0] + `,` + broken + `,` + records[2] + `]}`)
		var got []string
		NewDecoder().Decode(Message{Body: body}, func(e *Event) { got = append(got, string(e.Doc.Raw())) }, func(q Quarantined) {
			if !bytes.Contains(body, q.Bytes) {
				t.Fatalf("round %d: quarantined bytes are not of the body", round)
			}
		})
		if len(got) < 2 || got[0] != records[0] || got[len(got)-1] != records[2] {
			t.Fatalf("round %d: damaged\n%s\nkept %d:\n%s", round, broken, len(got), strings.Join(got, "\n"))
		}
	}
}

// damage spoils a record at a random place, in a random way.
func damage(r *rand.Rand, record string) string {
	at := 1 + r.IntN(len(record)-2)
	switch r.IntN(4) {
	case 0:
		return record[:at]
	case 1:
		return record[:at] + "\n\x01" + record[at:]
	case 2:
		return record[:at] + `"` + record[at:]
	}
	return record[:at] + record[at+1:]
}
