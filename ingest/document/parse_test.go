package document

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestParseErrorsTellPositionAndProblem(t *testing.T) {
	tests := []struct {
		name, in string
		offset   int
		problem  Problem
	}{
		{"nothing", ``, 0, Truncated},
		{"white space only", " \n", 2, Truncated},
		{"object cut after brace", `{`, 1, Truncated},
		{"object cut in name", `{"a`, 3, Truncated},
		{"object cut after name", `{"a"`, 4, Truncated},
		{"object cut after colon", `{"a":`, 5, Truncated},
		{"object cut after value", `{"a":1`, 6, Truncated},
		{"object cut after comma", `{"a":1,`, 7, Truncated},
		{"string cut in escape", `"a\`, 3, Truncated},
		{"string cut in unicode escape", `"a\u00`, 6, Truncated},
		{"long string cut", `"` + strings.Repeat("x", 40), 41, Truncated},
		{"literal cut", `[tru`, 4, Truncated},
		{"number cut", `-`, 1, Truncated},
		{"exponent cut", `[1e`, 3, Truncated},
		{"array cut", `[1,2`, 4, Truncated},
		{"single quotes", `{'a':1}`, 1, SingleQuote},
		{"single quotes in value", `{"a":'b'}`, 5, SingleQuote},
		{"single quotes at the start", `'a'`, 0, SingleQuote},
		{"raw line break in a string", "{\"a\":\"b\nc\"}", 7, ControlChar},
		{"raw line break in a long string", "\"" + strings.Repeat("x", 21) + "\n\"", 22, ControlChar},
		{"raw tab in a name", "{\"a\t\":1}", 3, ControlChar},
		{"zero byte in a string", "\"a\x00b\"", 2, ControlChar},
		{"backslash of a file path", `{"a":"C:\Users"}`, 8, BadEscape},
		{"bad hex digit", `"\u12g4"`, 1, BadEscape},
		{"quotes inside a value", `{"a":"-Name "x" -B"}`, 13, InnerQuote},
		{"quotes inside a name", `{"a"b":1}`, 4, InnerQuote},
		{"trailing data", `{} {}`, 3, TrailingData},
		{"trailing comma in array", `[1,]`, 3, UnexpectedByte},
		{"trailing comma in object", `{"a":1,}`, 7, UnexpectedByte},
		{"name without quotes", `{a:1}`, 1, UnexpectedByte},
		{"wrong bracket", `[1}`, 2, UnexpectedByte},
		{"no comma", `[1 2]`, 3, UnexpectedByte},
		{"leading zero", `[01]`, 2, UnexpectedByte},
		{"number ending in a dot", `[1.]`, 3, BadNumber},
		{"lone minus", `[-]`, 2, BadNumber},
		{"exponent without digits", `[1e+]`, 4, BadNumber},
		{"plus sign", `[+1]`, 1, UnexpectedByte},
		{"Python's None", `[None]`, 1, UnexpectedByte},
		{"misspelt literal", `[trve]`, 1, BadLiteral},
		{"NaN", `[nan]`, 1, BadLiteral},
		{"too deep", strings.Repeat("[", 257), 256, TooDeep},
		{"byte order mark", "\ufeff{}", 0, UnexpectedByte},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var d Document
			err := d.Parse([]byte(tt.in))
			var se *SyntaxError
			if !errors.As(err, &se) {
				t.Fatalf("Parse(%q) = %v, want a *SyntaxError", tt.in, err)
			}
			if se.Offset != tt.offset || se.Problem != tt.problem {
				t.Errorf("Parse(%q) = offset %d, %s; want offset %d, %s", tt.in, se.Offset, se.Problem, tt.offset, tt.problem)
			}
			if got := errors.Is(err, ErrTruncated); got != (tt.problem == Truncated) {
				t.Errorf("is ErrTruncated: %t", got)
			}
			if got := errors.Is(err, ErrTooDeep); got != (tt.problem == TooDeep) {
				t.Errorf("is ErrTooDeep: %t", got)
			}
			if d.Kind() != Missing || len(d.Raw()) != 0 {
				t.Errorf("after an error the document is not empty")
			}
		})
	}
}

func TestParseAcceptsWhatAzureSends(t *testing.T) {
	for _, in := range []string{
		`{}`, `[]`, `""`, `0`, `-0.5e+10`, ` null `, "\r\n\t{\"a\" : [ 1 , 2 ] }\n", `{"":""}`,
		"\"\xff\xfe\"", `"\ud800"`, `"` + "\u007f" + `"`, strings.Repeat("[", 256) + strings.Repeat("]", 256),
	} {
		var d Document
		if err := d.Parse([]byte(in)); err != nil {
			t.Errorf("Parse(%q): %v", in, err)
		}
		if string(d.Raw()) != in {
			t.Errorf("Raw() = %q, want %q", d.Raw(), in)
		}
	}
}

func TestParsePrefixStopsAfterTheFirstValue(t *testing.T) {
	var d Document
	rest := []byte(` {"a":1}{"a":"2"} "x" 3,[4]`)
	var got []string
	for len(rest) > 0 {
		n, err := d.ParsePrefix(rest)
		if err != nil {
			break
		}
		got = append(got, string(d.Raw()))
		rest = rest[n:]
	}
	if want := `{"a":1}|{"a":"2"}|"x"|3`; strings.Join(got, "|") != want {
		t.Errorf("values %q, want %s", got, want)
	}
	if string(rest) != ",[4]" {
		t.Errorf("rest %q", rest)
	}
}

func TestSkip(t *testing.T) {
	for in, want := range map[string]int{
		` {"a":"}\"]"} x`: 13, `[[],{}],`: 7, `"a\\"b`: 5, `12.5e3,`: 6, `true}`: 4, `null`: 4, `{"a" "b"}`: 9,
	} {
		if n, err := Skip([]byte(in)); n != want || err != nil {
			t.Errorf("Skip(%q) = %d, %v; want %d", in, n, err, want)
		}
	}
	for in, want := range map[string]error{
		``: ErrTruncated, `{"a":"b`: ErrTruncated, `[`: ErrTruncated, `"a\`: ErrTruncated, strings.Repeat("[", 257): ErrTooDeep,
	} {
		if _, err := Skip([]byte(in)); !errors.Is(err, want) {
			t.Errorf("Skip(%.20q) = %v, want %v", in, err, want)
		}
	}
	if _, err := Skip([]byte(`}`)); err == nil {
		t.Error("Skip(}) is no error")
	}
}

// FuzzParse holds Parse against encoding/json, and ParsePrefix and Skip against Parse.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`{"a":[1,-2.5e3,true,false,null,"x\n\u00e9\ud83d\ude00"],"b":{"c":{}}}`, `"a`, `[01]`, `{"a":1,}`, "\"\x01\"", `{"a" 1}`, `[1}`, `"\u12"`, ` [] `,
		`{"records":[{"time":"2026-01-05T09:00:10Z","properties":{"id":"1"}}]}`,
	} {
		f.Add([]byte(s))
	}
	var d Document
	f.Fuzz(func(t *testing.T, in []byte) {
		err := d.Parse(in)
		if valid := json.Valid(in); valid != (err == nil) && !errors.Is(err, ErrTooDeep) {
			t.Fatalf("Parse(%q) = %v, encoding/json says valid = %t", in, err, valid)
		}
		var se *SyntaxError
		if err != nil && (!errors.As(err, &se) || se.Offset < 0 || se.Offset > len(in)) {
			t.Fatalf("Parse(%q) = %#v", in, err)
		}
		n, prefixErr := d.ParsePrefix(in)
		if err == nil && prefixErr != nil {
			t.Fatalf("ParsePrefix(%q) = %v", in, prefixErr)
		}
		if prefixErr != nil {
			return
		}
		if m, err := Skip(in); d.Kind() >= String && m != n || err != nil {
			t.Fatalf("Skip(%q) = %d, %v; ParsePrefix = %d", in, m, err, n)
		}
		checkTape(t, &d.main)
		if !json.Valid(d.Raw()) {
			t.Fatalf("Raw %q of %q", d.Raw(), in)
		}
	})
}

// checkTape verifies that subtrees nest and that strings read as encoding/json reads them.
func checkTape(t *testing.T, tp *tape) {
	t.Helper()
	for i := range tp.nodes {
		n := tp.nodes[i]
		if int(n.next) <= i || int(n.next) > len(tp.nodes) {
			t.Fatalf("node %d: next %d of %d", i, n.next, len(tp.nodes))
		}
		v := tp.value(uint32(i))
		if v.Kind == String {
			var want string
			if err := json.Unmarshal(tp.raw[n.start-1:n.end+1], &want); err != nil {
				t.Fatalf("string %q: %v", tp.raw[n.start-1:n.end+1], err)
			}
			if got := string([]rune(v.Text)); got != want { // encoding/json replaces each invalid byte
				t.Fatalf("string %q reads as %q", want, got)
			}
		}
	}
}
