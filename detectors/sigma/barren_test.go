package sigma

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What a Scratch remembers of other events, and what the filter of keys leaves
// out, never changes a result: texts come again, whole and nearly.
func TestRememberedTextsDoNotChangeMatches(t *testing.T) {
	fields := &Fields{}
	var matchers []*Matcher
	for _, rule := range []string{
		"s: {a|contains: [needle, straße, '-7-']}", "s: {a: [Haystack 7, 'STRASSE', ſtraße, '7']}", "s: {a|endswith: [xyz, needle-99]}", "s: {a|startswith: text}",
	} {
		d, err := parseText(rule)
		if err != nil {
			t.Fatal(err)
		}
		m, err := Compile(d, Options{Fields: fields})
		if err != nil {
			t.Fatal(err)
		}
		matchers = append(matchers, m)
	}
	set, sc := NewSet(matchers), NewScratch()
	rng := rand.New(rand.NewPCG(11, 12))
	words := []string{"haystack", "Haystack", "needle", "straße", "ſtraße", "STRASSE", "text", "xyz", "7", "-7-", "\u212aelvin", ""}
	found := 0
	for range 20_000 {
		text := words[rng.IntN(len(words))] + [...]string{"", " 7", "-99"}[rng.IntN(3)] + words[rng.IntN(len(words))]
		ev := newJSONEvent(t, fields, fmt.Sprintf(`{"a": %q}`, text))
		var want []int
		for i, m := range matchers {
			if m.Match(ev) {
				want = append(want, i)
			}
		}
		got := set.Match(ev, sc, nil)
		if found += len(got); !cmp.Equal(want, got) {
			t.Fatalf("%q: rules %v match, the set says %v", text, want, got)
		}
	}
	if found == 0 {
		t.Error("nothing matched")
	}
}

// Operators' lists may be long, and several fields be held against one.
func TestLongListsAreFound(t *testing.T) {
	list := make([]string, 20_000)
	for i := range list {
		list[i] = fmt.Sprintf("Account %d", i)
	}
	fields := &Fields{}
	var matchers []*Matcher
	for _, field := range []string{"a", "b", "c", "d"} {
		d, err := parseText("s: {" + field + "|expand: '%accounts%'}")
		if err != nil {
			t.Fatal(err)
		}
		m, err := Compile(d, Options{Fields: fields, Placeholders: map[string][]string{"accounts": list}})
		if err != nil {
			t.Fatal(err)
		}
		matchers = append(matchers, m)
	}
	set, sc := NewSet(matchers), NewScratch()
	for record, want := range map[string][]int{
		`{"a": "account 0", "d": "ACCOUNT 19999"}`: {0, 3}, `{"b": "account 1", "c": "account 20000"}`: {1}, `{"a": "bccount 5", "c": "account 5\u017f"}`: nil,
	} {
		if got := set.Match(newJSONEvent(t, fields, record), sc, nil); !cmp.Equal(want, got) {
			t.Errorf("%s: rules %v match, want %v", record, got, want)
		}
	}
}

// An index that prefers other fields finds the same.
func TestEffortChangesTheIndexOnly(t *testing.T) {
	m := compileText(t, "s: {a: x, b|contains: y, c: '*'}")
	a := m.Fields().Slot("a")
	set := NewSetBy([]*Matcher{m}, Advice{Effort: func(r Requirement) float64 {
		if r.Slot == a {
			return 2
		}
		return 0
	}})
	if diff := cmp.Diff([]int{m.Fields().Slot("b")}, set.Slots()); diff != "" {
		t.Errorf("index (-want +got):\n%s", diff)
	}
	for text, want := range map[string]int{`{"a":"x","b":"xyz","c":1}`: 1, `{"a":"y","b":"xyz","c":1}`: 0} {
		if got := set.Match(newJSONEvent(t, m.Fields(), text), NewScratch(), nil); len(got) != want {
			t.Errorf("%s: %d matches, want %d", text, len(got), want)
		}
	}
}
