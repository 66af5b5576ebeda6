package document

import (
	"encoding/json"
	"maps"
	"testing"
)

func TestMembersAreThoseOfEncodingJSON(t *testing.T) {
	for _, text := range []string{
		`{}`, ` { } `, `[]`, `"x"`, `null`, ``, `{`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`, `{"a":1,}`, `{a:1}`,
		`{"a":1}`, `{ "a" : [1, {"b": "}"}] , "b":{"c":null} ,"d" : "x\"y" }`, `{"\u0041\"b":true,"":-1.5e3}`, `{"a":1,"a":2}`, `{"\u":1}`, `{"\u00":1}`, `{"\x":1}`, `,"a":1`,
	} {
		var want map[string]json.RawMessage
		sound := json.Unmarshal([]byte(text), &want) == nil
		got := map[string]json.RawMessage{}
		for name, value := range Members(text) {
			got[name] = json.RawMessage(value)
		}
		if sound && !maps.EqualFunc(got, want, func(a, b json.RawMessage) bool { return string(a) == string(b) }) {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

func FuzzMembers(f *testing.F) {
	f.Add(`{"a":[{}],"b\n":"}"}`)
	f.Add(`{"\u":1}`)
	f.Fuzz(func(t *testing.T, text string) {
		n := 0
		for range Members(text) {
			n++
		}
		if n > len(text)/4 {
			t.Errorf("%d members of %q", n, text)
		}
	})
}
