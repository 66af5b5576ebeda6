package sigma

import (
	"fmt"
	"testing"
)

// What a detection asks beside a field's value holds where the value is not as
// the detection does where it is.
func TestGivenIsTheDetectionWhereTheFieldIsTheValue(t *testing.T) {
	fields := new(Fields)
	parse := func(detection string) *Detection {
		docs := parseAll(t, "title: t\nlogsource: {product: p}\ndetection: "+detection+"\n")
		return docs[0].(*Rule).Detection
	}
	compile := func(d *Detection) *Matcher {
		m, err := Compile(d, Options{Fields: fields})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	event := func(flag, is string) Event {
		return newJSONEvent(t, fields, fmt.Sprintf(`{"flag": %q, "is": %q}`, flag, is))
	}
	for _, text := range []string{
		"{s: {is: done, flag: x}, condition: s}",
		"{s: {is: Done}, f: {flag: x}, condition: s and f}",
		"{s: {is: done}, f: {flag: x}, condition: f and not s}",
		"{s: [{is: done, flag: x}, {flag: y}], condition: s}",
		"{sel_a: {is: done}, sel_b: {flag: x}, condition: all of sel_*}",
		"{sel_a: {is: done}, sel_b: {flag: x}, condition: 1 of sel_*}",
		"{s: {flag: x}, f: {is: done}, condition: [s and f, not f]}",
	} {
		d := parse(text)
		given, only := d.Given("IS", "done")
		if !only {
			t.Errorf("%s: asks something else of the field", text)
			continue
		}
		whole, rest := compile(d), compile(given)
		for _, of := range []string{"x", "y", "z"} {
			want := whole.Match(event(of, "done"))
			for _, other := range []string{"done", "unknown"} {
				if got := rest.Match(event(of, other)); got != want {
					t.Errorf("%s: where flag is %q and the field %q: %v, want %v", text, of, other, got, want)
				}
			}
		}
	}
	for _, text := range []string{
		"{s: {flag: x}, condition: s}",
		"{s: {is: [done, failed]}, condition: s}",
		"{s: {is: failed}, condition: s}",
		"{s: {is: done}, f: {is: failed}, condition: s and not f}",
		"{s: {is|startswith: done}, condition: s}",
		"{s: {is|neq: done}, condition: s}",
		"{s: {is: done, flag|fieldref: is}, condition: s}",
	} {
		if _, only := parse(text).Given("is", "done"); only {
			t.Errorf("%s: asks for nothing but the value", text)
		}
	}
}
