package sigma

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/txtar"
)

// Whatever a file holds, Parse does not panic, each error is an *Error at a
// position of the file, and what it returns compiles.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/errors/*.txtar", "testdata/documents/*.txtar"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			a, err := txtar.ParseFile(file)
			if err != nil {
				f.Fatal(err)
			}
			for _, section := range a.Files {
				f.Add(section.Data)
			}
		}
	}
	g := newGenerator(1, 3)
	for range 20 {
		f.Add([]byte(ruleText(g.detection())))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		docs, err := Parse("fuzz.yml", data)
		checkPositions(t, err, strings.Count(string(data), "\n")+strings.Count(string(data), "\r")+
			strings.Count(string(data), "\u0085")+strings.Count(string(data), "\u2028")+strings.Count(string(data), "\u2029")+1)
		for _, d := range docs {
			if r, ok := d.(*Rule); ok {
				m, err := Compile(r.Detection, Options{Placeholders: testLists})
				checkPositions(t, err, 1<<30)
				if err == nil {
					ev := newJSONEvent(t, m.Fields(), `{"a": ["x", 1, null]}`)
					if m.Match(ev) != m.Explain(ev).Held {
						t.Errorf("explained otherwise than matched")
					}
				}
			}
		}
	})
}

func checkPositions(t *testing.T, err error, lines int) {
	t.Helper()
	if err == nil {
		return
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("not a joined error: %T %v", err, err)
	}
	for _, e := range joined.Unwrap() {
		e, ok := e.(*Error) //nolint:errorlint // that one itself, not one that wraps it
		if !ok {
			t.Fatalf("not an *Error: %T", e)
		}
		if e.Line < 1 || e.Line > lines+1 || e.Column < 1 || e.Msg == "" || e.File == "" {
			t.Errorf("no position in a file of %d lines: %#v", lines, e)
		}
	}
}

// A pattern agrees with the regular expression that it stands for, alone, in a
// set of equals and in an automaton.
func FuzzMatch(f *testing.F) {
	for _, w := range genWords {
		f.Add(w, "contains", false, "x"+w+"y")
		f.Add("*"+w+"?", "", false, w+w)
		f.Add(w, "endswith", true, w)
	}
	f.Fuzz(func(t *testing.T, pattern, place string, cased bool, text string) {
		if !utf8.ValidString(pattern) || !utf8.ValidString(text) || len(pattern) > 200 || len(text) > 2000 {
			return
		}
		if place != "contains" && place != "startswith" && place != "endswith" {
			place = ""
		}
		ref := &reference{cache: make(map[string]*regexp.Regexp)}
		tokens := placed(parsePattern(pattern), place)
		want := ref.pattern(parsePattern(pattern), &modifiers{place: place, cased: cased}).MatchString(text)
		one, needed := patternTester(tokens, cased)
		if got := one.test(Value{String, text}); got != want {
			t.Fatalf("%q %s cased %v on %q: %v, want %v (%T)", pattern, place, cased, text, got, want, one)
		}
		if want && !passes(requirement(0, []need{needed}), &jsonEvent{bySlot: [][]Value{{{String, text}}}}) {
			t.Fatalf("%q %s matches %q without its requirement %+v", pattern, place, text, needed)
		}
		others := []tester{}
		for _, s := range []string{"\x00one", "\x00two", "\x00three", "\x00four", "\x00five", "\x00six", "\x00seven"} {
			o, _ := patternTester(placed([]token{{tokenText, s}}, place), false)
			if o.test(Value{String, text}) {
				return
			}
			others = append(others, o)
		}
		if got := anyMatches(merge(append(others, one)), []Value{{String, text}}); got != want {
			t.Fatalf("%q %s cased %v on %q among others: %v, want %v", pattern, place, cased, text, got, want)
		}
	})
}
