package ingest

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"phiwatch/ingest/document"
)

// told is what a message came to, one line a record:
// "event <index> <kind> <raw record>" or "bad <index> <reason> <bytes>".
func told(t testing.TB, d *Decoder, body []byte) []string {
	t.Helper()
	out := []string{}
	n := d.Decode(Message{Body: body}, func(e *Event) {
		line := fmt.Sprintf("event %d %s %s", e.Index, e.Kind, e.Doc.Raw())
		if e.Repaired != 0 {
			line += " repaired " + e.Repaired.String()
		}
		out = append(out, line)
	}, func(q Quarantined) {
		out = append(out, fmt.Sprintf("bad %d %s %s", q.Index, q.Reason, q.Bytes))
	})
	if n != len(out) {
		t.Errorf("Decode returned %d for %d records", n, len(out))
	}
	return out
}

func zipped(t testing.TB, s string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(s)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// What is known of a hub fills in what its records do not tell, and nothing else.
func TestTenantOfRecordsThatNameNone(t *testing.T) {
	const (
		vault = `{"time":"2026-01-05T09:00:00Z","category":"AuditEvent","operationName":"SecretGet","resourceId":"/SUBSCRIPTIONS/S/RESOURCEGROUPS/G/PROVIDERS/MICROSOFT.KEYVAULT/VAULTS/KV-A","correlationId":"c1","identity":{"claim":{"appid":"a1"}},"properties":{"id":"https://kv-a.vault.azure.net/secrets/s","httpStatusCode":200}}`
		audit = `{"time":"2026-01-05T09:00:00Z","category":"AuditLogs","operationName":"Add user","tenantId":"T2","properties":{"id":"x1","result":"success"}}`
	)
	var got []string
	NewDecoder().Decode(Message{Body: []byte(vault + audit), Tenant: "t1"}, func(e *Event) { got = append(got, e.Kind.String()+" "+e.Tenant) }, func(q Quarantined) { t.Error(q.Detail) })
	if diff := cmp.Diff([]string{"key-vault t1", "entra-audit t2"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestBodyShapes(t *testing.T) {
	const a, b = `{"time":"2026-01-05T09:00:00Z","n":1}`, `{"time":"2026-01-05T09:00:01Z","n":2}`
	two := []string{"event 0 unknown " + a, "event 1 unknown " + b}
	one := two[:1]
	tests := []struct {
		name, body string
		want       []string
	}{
		{"bare record", a, one},
		{"records", `{"records":[` + a + `,` + b + `]}`, two},
		{"records in other case, with white space", "\n {\t\"Records\" : [ " + a + " ,\r\n" + b + "\n] }\n", two},
		{"records and other members", `{"records":[` + a + `],"count":2,"records":[` + b + `],"x":{"y":[1]}}`, two},
		{"records behind other members", `{"count":2,"x":"}","records":[` + a + `,` + b + `]}`, two},
		{"array", `[` + a + `,` + b + `]`, two},
		{"array of arrays", `[[` + a + `],[],[[` + b + `]]]`, two},
		{"batched messages", `[{"records":[` + a + `]},{"records":[` + b + `]}]`, two},
		{"lines", a + "\n" + b + "\n", two},
		{"lines of messages", `{"records":[` + a + `]}` + "\r\n" + `{"records":[` + b + `]}`, two},
		{"concatenated", a + b, two},
		{"byte order mark", "\ufeff" + a, one},
		{"gzip", zipped(t, `{"records":[`+a+`,`+b+`]}`), two},
		{"gzip of two members", zipped(t, a) + zipped(t, b), two},
		{"no record", `{"records":[]}`, []string{}},
		{"empty array", ` [ ] `, []string{}},
		{"empty object", `{}`, []string{"event 0 unknown {}"}},
		{"records that are no objects", `{"records":[null,7,"x",true]}`, []string{
			"event 0 unknown null", "event 1 unknown 7", `event 2 unknown "x"`, "event 3 unknown true"}},
		{"number", ` 42 `, []string{"event 0 unknown 42"}},
		{"string", `"{\"a\":1}"`, []string{`event 0 unknown "{\"a\":1}"`}},
		{"null", `null`, []string{"event 0 unknown null"}},
		{"a record with a member records that is no array", `{"records":3}`, []string{`event 0 unknown {"records":3}`}},
		{"a record that holds records of its own", `{"operationName":"x","records":[1]}`, []string{`event 0 unknown {"operationName":"x","records":[1]}`}},
	}
	d := NewDecoder()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, told(t, d, []byte(tt.body))); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestDamageIsRepairedOrPutAside(t *testing.T) {
	const a, b, c = `{"time":"1","n":1}`, `{"time":"2","n":2}`, `{"time":"3","n":3}`
	tests := []struct {
		name, body string
		want       []string
	}{
		{"empty", "", []string{"bad -1 empty "}},
		{"blank", " \n", []string{"bad -1 empty  \n"}},
		{"text", "not json at all", []string{"bad -1 not-json not json at all"}},
		{"truncated record", `{"time":"1","n`, []string{`bad -1 truncated {"time":"1","n`}},
		{"truncated message", `{"records":[` + a + `,{"time":"2","n":`, []string{"event 0 unknown " + a, `bad 1 truncated {"time":"2","n":`}},
		{"array not closed", `{"records":[` + a + `,`, []string{"event 0 unknown " + a, "bad 1 truncated "}},
		{"cut gzip", zipped(t, a)[:20], []string{"bad -1 bad-gzip " + zipped(t, a)[:20]}},
		{"not gzip", "\x1f\x8bx", []string{"bad -1 bad-gzip \x1f\x8bx"}},

		{"siblings of a broken record go on", `{"records":[` + a + `,{"time":"2","n":nope},` + c + `]}`, []string{
			"event 0 unknown " + a, `bad 1 not-json {"time":"2","n":nope}`, "event 2 unknown " + c}},
		{"siblings of a record that was cut", `{"records":[` + a + `,{"time":"2","n":"abc,` + c + `]}`, []string{
			"event 0 unknown " + a, `bad 1 not-json {"time":"2","n":"abc`, "event 2 unknown " + c}},
		{"siblings of text", `[` + a + `,oops,` + c + `]`, []string{
			"event 0 unknown " + a, "bad 1 not-json oops", "event 2 unknown " + c}},
		{"text before lines", "<14>host app: " + a + "\n" + b, []string{
			"bad 0 not-json <14>host app:", "event 1 unknown " + a, "event 2 unknown " + b}},

		{"joined without a comma", `{"records":[` + a + b + `]}`, []string{
			"event 0 unknown " + a + " repaired joined", "event 1 unknown " + b}},
		{"joined outside an array", a + `,` + b + `]}`, []string{
			"event 0 unknown " + a + " repaired joined", "event 1 unknown " + b + " repaired joined"}},
		{"single quotes", `{"time":"1","properties": {'a':'it\'s "x"','b': None,'c':[True,1.5,'d'], 'e':{}}}`, []string{
			`event 0 unknown {"time":"1","properties": {"a":"it's \"x\"","b": null,"c":[true,1.5,"d"], "e":{}}} repaired quotes`}},
		{"a whole message in single quotes", `{'records': [{'time': '1', 'n': 1}, {'time': "2", 'n': 2}]}`, []string{
			`event 0 unknown {"time": "1", "n": 1} repaired quotes`, `event 1 unknown {"time": "2", "n": 2} repaired quotes`}},
		{"single quotes in a string", `{"time":"1","category":"FunctionAppLogs","properties":"{'a':'b','n': 2}","z":1}`, []string{
			`event 0 unknown {"time":"1","category":"FunctionAppLogs","properties":{"a":"b","n": 2},"z":1} repaired quotes`}},
		{"line break in a string", "{\"time\":\"1\",\"m\":\"a\nb\tc\"}", []string{
			`event 0 unknown {"time":"1","m":"a\u000ab\u0009c"} repaired line-breaks`}},
		{"backslashes of a path", `[` + a + `,{"time":"2","p":"share\new\Data8\_x (7)\","q":"\\srv\c","r":"ok\n"},` + c + `]`, []string{
			"event 0 unknown " + a, `event 1 unknown {"time":"2","p":"share\\new\\Data8\\_x (7)\\","q":"\\\\srv\\c","r":"ok\n"} repaired escapes`, "event 2 unknown " + c}},
		{"quotes of a command line", `{"records":[` + a + `,{"time":"2","Parameters":"-Name "a b" -Types ("x","y") -Q "(c:c)"","Id":"i"},` + c + `]}`, []string{
			"event 0 unknown " + a, `event 1 unknown {"time":"2","Parameters":"-Name \"a b\" -Types (\"x\",\"y\") -Q \"(c:c)\"","Id":"i"} repaired inner-quotes`, "event 2 unknown " + c}},
		{"two damages in one record", "{\"time\":\"1\",\"a\":\"x\ny\",\"b\":\"c:\\dir\"}", []string{
			`event 0 unknown {"time":"1","a":"x\u000ay","b":"c:\\dir"} repaired line-breaks,escapes`}},
	}
	d := NewDecoder()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, told(t, d, []byte(tt.body))); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestBodiesAreBounded(t *testing.T) {
	deep := func(n int) string { return strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n) }
	tests := []struct {
		name, body string
		want       []string // reasons, "" for an event
	}{
		{"as large as allowed", `["` + strings.Repeat("x", MaxBody-4) + `"]`, []string{""}},
		{"a byte larger", `["` + strings.Repeat("x", MaxBody-3) + `"]`, []string{"too-large"}},
		{"too large unpacked", zipped(t, strings.Repeat(" ", MaxBody+1)), []string{"too-large"}},
		{"as deep as allowed", deep(document.MaxDepth), []string{""}},
		{"too deep", deep(document.MaxDepth + 1), []string{"too-deep"}},
		{"too deep beside others", `[{"n":1},` + deep(300) + `,{"n":2}]`, []string{"", "too-deep", ""}},
		{"arrays in arrays", strings.Repeat("[", 300) + strings.Repeat("]", 300), []string{"too-deep"}},
		{"arrays in arrays, never closed", strings.Repeat("[", 1<<20), []string{"too-deep"}},
	}
	d := NewDecoder()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			d.Decode(Message{Body: []byte(tt.body)}, func(*Event) { got = append(got, "") }, func(q Quarantined) {
				got = append(got, string(q.Reason))
			})
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// A body of nothing but damage must not take more than a small multiple of its
// size. When it took the square, each of these took many times the limit.
func TestHostileBodiesTakeLinearTime(t *testing.T) {
	const size = 512 << 10
	tests := map[string]string{
		"braces":          "{",
		"open records":    `{"time":`,
		"unique names":    `{"aa":x},{"ab":x},{"ac":x},`,
		"open strings":    `{"time":"x,`,
		"inner quotes":    `{"time":"a "b" c","d":"e""},`,
		"quotes":          `"`,
		"single quotes":   `{'time':'a','b':'`,
		"backslashes":     `{"time":"\q`,
		"brackets":        `[{`,
		"wrappers":        `{"records":[`,
		"commas":          `,`,
		"closing":         `{}]}`,
		"spaces in quote": `{"time":"a"     `,
		"records inside":  `{"x":1,"records":[{"x":1,"records":[{"time":1}`,
	}
	for name, part := range tests {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			d := NewDecoder()
			d.Decode(Message{Body: []byte(strings.Repeat(part, size/len(part)))}, func(*Event) {}, func(Quarantined) {})
			t.Log(time.Since(start))
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("took %s", took)
			}
		})
	}
}
