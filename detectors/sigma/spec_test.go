package sigma

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "rewrite the golden parts of testdata/*.txtar")

// jsonEvent is an event made from a JSON object: fields are addressed by path,
// arrays are transparent.
type jsonEvent struct {
	fields *Fields
	bySlot [][]Value
	texts  []string
}

func newJSONEvent(t testing.TB, fields *Fields, raw string) *jsonEvent {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("event %s: %v", raw, err)
	}
	e := &jsonEvent{fields: fields}
	for _, name := range fields.Names() {
		e.bySlot = append(e.bySlot, jsonValues(v, strings.Split(name, "."), nil))
	}
	e.collect(v)
	return e
}

func (e *jsonEvent) Values(slot int) []Value { return e.bySlot[slot] }

func (e *jsonEvent) Keywords(yield func(string) bool) {
	for _, s := range e.texts {
		if !yield(s) {
			return
		}
	}
}

func (e *jsonEvent) collect(v any) {
	switch v := v.(type) {
	case string:
		e.texts = append(e.texts, v)
	case []any:
		for _, x := range v {
			e.collect(x)
		}
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		for _, k := range keys {
			e.collect(v[k])
		}
	}
}

func jsonValues(v any, path []string, out []Value) []Value {
	if list, ok := v.([]any); ok {
		if len(list) == 0 && len(path) == 0 {
			return append(out, Value{Array, "[]"})
		}
		for _, x := range list {
			out = jsonValues(x, path, out)
		}
		return out
	}
	if len(path) > 0 {
		if m, ok := v.(map[string]any); ok {
			if x, ok := m[path[0]]; ok {
				return jsonValues(x, path[1:], out)
			}
		}
		return out
	}
	switch v := v.(type) {
	case nil:
		return append(out, Value{Kind: Null})
	case bool:
		if v {
			return append(out, Value{True, "true"})
		}
		return append(out, Value{False, "false"})
	case json.Number:
		return append(out, Value{Number, v.String()})
	case string:
		return append(out, Value{String, v})
	}
	raw, _ := json.Marshal(v)
	return append(out, Value{Object, string(raw)})
}

// The files testdata/match/*.txtar are the specification by example: a
// detection, and events, one a line, under matches and misses.
func TestDetectionsMatchAsSpecified(t *testing.T) {
	files, _ := filepath.Glob("testdata/match/*.txtar")
	if len(files) == 0 {
		t.Fatal("no testdata/match/*.txtar")
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			runMatchArchive(t, a)
		})
	}
}

// runMatchArchive takes sections in threes: "rule: what it shows", "matches",
// "misses"; the last two may be absent.
func runMatchArchive(t *testing.T, a *txtar.Archive) {
	var m *Matcher
	var name string
	for _, f := range a.Files {
		if rule, ok := strings.CutPrefix(f.Name, "rule: "); ok {
			name, m = rule, compileText(t, string(f.Data))
			continue
		}
		want := f.Name == "matches"
		if !want && f.Name != "misses" {
			t.Fatalf("section %q is not rule:, matches or misses", f.Name)
		}
		for line := range strings.SplitSeq(strings.TrimSpace(string(f.Data)), "\n") {
			ev := newJSONEvent(t, m.Fields(), line)
			checkMatch(t, name+"/"+line, m, ev, want)
		}
	}
}

func checkMatch(t *testing.T, name string, m *Matcher, ev Event, want bool) {
	t.Helper()
	if got := m.Match(ev); got != want {
		t.Errorf("%s: matched %v, want %v\n%s", name, got, want, m.Explain(ev))
	}
	if got := m.Explain(ev).Held; got != want {
		t.Errorf("%s: explained as %v, want %v", name, got, want)
	}
	if got := len(NewSet([]*Matcher{m}).Match(ev, NewScratch(), nil)) == 1; got != want {
		t.Errorf("%s: as a set matched %v, want %v; it requires %+v", name, got, want, m.Required())
	}
}

// testLists are the placeholders of all tests.
var testLists = map[string][]string{
	"admins": {"adm_*", "root"},
	"sites":  {"example.org", "example.net"},
	"none":   {},
	"days":   {"2190"},
}

// compileText compiles a detection block. A block without a condition gets one.
func compileText(t testing.TB, detection string) *Matcher {
	t.Helper()
	d, err := parseText(detection)
	if err != nil {
		t.Fatalf("%v\n%s", err, detection)
	}
	m, err := Compile(d, Options{Fields: &Fields{}, Placeholders: testLists})
	if err != nil {
		t.Fatalf("%v\n%s", err, detection)
	}
	return m
}

func parseText(detection string) (*Detection, error) {
	if !strings.Contains(detection, "condition:") {
		detection += "\ncondition: 1 of them\n"
	}
	docs, err := Parse("test.yml", []byte(ruleText(detection)))
	if err != nil {
		return nil, err
	}
	return docs[0].(*Rule).Detection, nil
}

// ruleText makes a rule of a detection block, which begins at line 4.
func ruleText(detection string) string {
	body := strings.ReplaceAll(strings.TrimSpace(detection), "\n", "\n  ")
	return fmt.Sprintf("title: test\nlogsource: {product: azure}\ndetection:\n  %s\n", body)
}

// The files testdata/errors/*.txtar hold documents and what Parse says of them:
// errors, then warnings.
func TestMistakesArePositionedAndCarryARemedy(t *testing.T) {
	files, _ := filepath.Glob("testdata/errors/*.txtar")
	if len(files) == 0 {
		t.Fatal("no testdata/errors/*.txtar")
	}
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i+1 < len(a.Files); i += 2 {
			rule, want := a.Files[i], &a.Files[i+1]
			t.Run(strings.TrimSuffix(rule.Name, ".yml"), func(t *testing.T) {
				got := mistakes(rule.Name, rule.Data)
				if *update {
					want.Data = []byte(got)
				} else if got != string(want.Data) {
					t.Errorf("got:\n%s\nwant:\n%s", got, want.Data)
				}
			})
		}
		if *update {
			if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func mistakes(name string, data []byte) string {
	var b strings.Builder
	docs, err := Parse(name, data)
	if err != nil {
		fmt.Fprintln(&b, err)
	}
	for _, d := range docs {
		for _, w := range d.Head().Warnings {
			fmt.Fprintln(&b, "warning:", w)
		}
	}
	return b.String()
}
