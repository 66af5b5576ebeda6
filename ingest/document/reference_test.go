package document

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
)

// ref is a value as encoding/json reads it: the other way to know what a
// record holds. It is written from the doc comments alone.
type ref struct {
	kind  Kind
	text  string
	names []string
	elems []*ref
}

// readRef reads the one JSON value that text is, or returns nil.
func readRef(text string) *ref {
	var raw json.RawMessage
	dec := json.NewDecoder(strings.NewReader(text))
	if dec.Decode(&raw) != nil || len(strings.TrimSpace(text[dec.InputOffset():])) > 0 {
		return nil
	}
	switch raw[0] {
	case '{', '[':
		return readContainer(raw)
	case '"':
		r := &ref{kind: String}
		_ = json.Unmarshal(raw, &r.text)
		return r
	case 't':
		return &ref{kind: True, text: "true"}
	case 'f':
		return &ref{kind: False, text: "false"}
	case 'n':
		return &ref{kind: Null}
	}
	return &ref{kind: Number, text: string(raw)}
}

func readContainer(raw []byte) *ref {
	r := &ref{kind: Array, text: string(raw)}
	if raw[0] == '{' {
		r.kind = Object
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	_, _ = dec.Token()
	for dec.More() {
		if r.kind == Object {
			name, _ := dec.Token()
			r.names = append(r.names, name.(string))
		}
		var elem json.RawMessage
		_ = dec.Decode(&elem)
		r.elems = append(r.elems, readRef(string(elem)))
	}
	return r
}

func (r *ref) member(name string) *ref {
	for i, n := range r.names {
		if strings.EqualFold(n, name) {
			return r.elems[i]
		}
	}
	return nil
}

func (r *ref) values(segs []segment, out []Value) []Value {
	switch {
	case r.kind == Array && len(r.elems) > 0:
		for _, e := range r.elems {
			out = e.values(segs, out)
		}
	case len(segs) == 0:
		if v, l := r.member("value"), r.member("localizedValue"); r.kind == Object && len(r.elems) == 2 && v != nil && l != nil {
			return v.values(nil, out)
		}
		out = append(out, Value{r.kind, r.text})
	case r.kind == String:
		if in := readRef(r.text); in != nil && in.kind >= String {
			out = in.values(segs, out)
		}
	case r.kind == Object:
		for i, e := range r.elems {
			if segs[0].star || strings.EqualFold(r.names[i], segs[0].name) {
				for _, e := range e.passing(segs[0].filters) {
					out = e.values(segs[1:], out)
				}
			}
		}
	}
	return out
}

// passing returns r, or with filters the objects in it that pass.
func (r *ref) passing(filters []filter) []*ref {
	if len(filters) == 0 {
		return []*ref{r}
	}
	var out []*ref
	switch r.kind {
	case Array:
		for _, e := range r.elems {
			out = append(out, e.passing(filters)...)
		}
	case String:
		if in := readRef(r.text); in != nil {
			out = in.passing(filters)
		}
	case Object:
		for _, f := range filters {
			if !r.passes(f) {
				return nil
			}
		}
		out = append(out, r)
	}
	return out
}

func (r *ref) passes(f filter) bool {
	for i, n := range r.names {
		if strings.EqualFold(n, f.key) && r.elems[i].says(f.value) {
			return true
		}
	}
	return false
}

func (r *ref) says(text string) bool {
	for _, e := range r.elems {
		if r.kind == Array && e.says(text) {
			return true
		}
	}
	return r.kind >= False && r.kind <= String && strings.EqualFold(r.text, text)
}

func TestValuesAgreesWithTheReference(t *testing.T) {
	var paths []*Path
	for _, p := range compileAll(append(viewPaths, samplePaths...)) {
		if p.view == plain {
			paths = append(paths, p)
		}
	}
	check := func(raw []byte) {
		d, r := parse(t, string(raw)), readRef(string(raw))
		for _, p := range paths {
			want := render(r.values(p.segs, nil))
			if got := render(d.Values(p, nil)); got != want {
				t.Fatalf("%s of %.2000s\ngot  %s\nwant %s", p, raw, got, want)
			}
		}
	}
	r := rand.New(rand.NewPCG(7, 8))
	for range 1500 {
		check([]byte(randomJSON(r, 0, 0)))
	}
	for _, raw := range samples(40) {
		check(raw)
	}
}
