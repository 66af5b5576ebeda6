// Package hospital makes up the audit traffic of a hospital's tenant: harmless
// records of every kind, in the shapes and sizes in which Microsoft delivers
// them. The demo plays it, benchmarks measure with it, and a day of it must
// raise no alarm. Every name, address and id is invented.
//
// A record is a template (templates/<weight>-<kind>-<what>.json) with
// placeholders: {{guid}} a fresh id, {{user}} … {{user.id}} a member of staff
// that stays the same within the record, and so on; see fields.go. Most kinds
// of administration are rare, so a weight may be a fraction; many are chosen as
// the nearest harmless neighbour of what the catalog watches. With a weight of 0
// are those that are harmless only to whoever has set Lists: RecordOf makes them.
package hospital

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path"
	"strconv"
	"strings"
	"time"
)

//go:embed templates/*.json
var files embed.FS

// Hospital makes records. It is deterministic: the same seed gives the same
// records. Not safe for concurrent use.
type Hospital struct {
	rng       *rand.Rand
	templates []template
	total     float64 // sum of the weights
	cast      cast
}

// template is a record with holes.
type template struct {
	name   string
	weight float64
	text   [][]byte // literal text around the fields: one more than fields
	fields []string
}

// New returns a hospital whose records follow from seed.
func New(seed uint64) *Hospital {
	h := &Hospital{rng: rand.New(rand.NewPCG(seed, 0x5eed))}
	entries, err := files.ReadDir("templates")
	if err != nil {
		panic(err) // embedded above
	}
	for _, e := range entries {
		t, err := parseTemplate(e.Name())
		if err != nil {
			panic(err) // a template of this package is wrong; its test says so first
		}
		h.templates = append(h.templates, t)
		h.total += t.weight
	}
	return h
}

// parseTemplate reads one embedded template and takes its white space out.
func parseTemplate(file string) (template, error) {
	data, err := files.ReadFile(path.Join("templates", file))
	if err != nil {
		return template{}, err
	}
	weight, name, _ := strings.Cut(strings.TrimSuffix(file, ".json"), "-")
	t := template{name: name}
	if t.weight, err = strconv.ParseFloat(weight, 64); err != nil {
		return t, fmt.Errorf("template %s: the name begins with its weight: %w", file, err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, data); err != nil {
		return t, fmt.Errorf("template %s: %w", file, err)
	}
	rest := compact.Bytes()
	for {
		before, after, found := bytes.Cut(rest, []byte("{{"))
		t.text = append(t.text, before)
		if !found {
			return t, nil
		}
		field, after, found := bytes.Cut(after, []byte("}}"))
		if !found {
			return t, fmt.Errorf("template %s: {{ without }}", file)
		}
		t.fields = append(t.fields, string(field))
		rest = after
	}
}

// Record returns one harmless record that happens at the given time.
func (h *Hospital) Record(at time.Time) []byte {
	_, record := h.Next(at)
	return record
}

// Next returns one harmless record and its family: signin, audit, activity,
// keyvault, intune or m365.
func (h *Hospital) Next(at time.Time) (family string, record []byte) {
	n, last := h.rng.Float64()*h.total, len(h.templates)-1
	for i := range h.templates {
		if n -= h.templates[i].weight; n < 0 || i == last { // sums of fractions are not exact
			family, _, _ = strings.Cut(h.templates[i].name, "-")
			return family, h.fill(&h.templates[i], at)
		}
	}
	panic("unreachable: there are templates")
}

// Names returns the names of the kinds of record, for tests.
func (h *Hospital) Names() []string {
	var names []string
	for _, t := range h.templates {
		names = append(names, t.name)
	}
	return names
}

// RecordOf returns a record made from the named template.
func (h *Hospital) RecordOf(name string, at time.Time) []byte {
	for i := range h.templates {
		if h.templates[i].name == name {
			return h.fill(&h.templates[i], at)
		}
	}
	return nil
}

func (h *Hospital) fill(t *template, at time.Time) []byte {
	h.cast.choose(h.rng, at)
	out := make([]byte, 0, 6<<10)
	for i, text := range t.text {
		out = append(out, text...)
		if i < len(t.fields) {
			out = h.cast.append(out, h.rng, t.fields[i])
		}
	}
	return out
}

// Message wraps records as a diagnostic setting does: {"records":[…]}.
func Message(records ...[]byte) []byte {
	out := []byte(`{"records":[`)
	for i, r := range records {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, r...)
	}
	return append(out, "]}"...)
}
