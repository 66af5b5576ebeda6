package sigma

import (
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestRequiredIsWhatAMatchCannotDoWithout(t *testing.T) {
	exact := func(slot int, v ...string) Requirement { return Requirement{Slot: slot, Kind: Exact, Values: v} }
	texts := func(slot int, v ...string) Requirement { return Requirement{Slot: slot, Kind: Substring, Values: v} }
	present := func(slot int) Requirement { return Requirement{Slot: slot, Kind: Present} }
	for _, tt := range []struct {
		rule string // fields are a, b, c in slots 0, 1, 2
		want []Requirement
	}{
		{"s: {a: [Y, x], b: '*'}", []Requirement{exact(0, "x", "y"), present(1)}},
		{"s: {a: [17, 1.70e1, x]}", []Requirement{exact(0, "1.70e1", "17", "x")}},
		{"s: {a: [x, 'pre*']}", []Requirement{texts(0, "pre", "x")}},
		{"s: {a|contains: [x, 'p?longer*q']}", []Requirement{texts(0, "longer", "x")}},
		{"s: {a|all: [x, 'y*']}", []Requirement{exact(0, "x"), texts(0, "y")}},
		{"s: {a|re|i: '^Pre[0-9]+Post(x|y)'}", []Requirement{texts(0, "post")}},
		{"s: {a|re: 'x?|y'}", []Requirement{present(0)}},
		{"s: {a|gt: 5}", []Requirement{present(0)}},
		{"s: {a|cased: ABC}", []Requirement{exact(0, "abc")}},
		{"s: {a|neq: x, b: y}", []Requirement{exact(1, "y")}},
		{"s: {a: null}", nil},
		{"s: {a|exists: false}", nil},
		{"s: {a|exists: true}", []Requirement{present(0)}},
		{"s: {a|fieldref: b}", []Requirement{present(0), present(1)}},
		{"s: [one, two]", []Requirement{texts(KeywordSlot, "one", "two")}},
		{"s: {'|all': [one, two]}", []Requirement{texts(KeywordSlot, "one"), texts(KeywordSlot, "two")}},
		{"s: {a: x}\nt: {b: y}\ncondition: s and not t", []Requirement{exact(0, "x")}},
		{"s: {a: x, c: 1}\nt: {a: y, b: z}\ncondition: s or t", []Requirement{exact(0, "x", "y")}},
		{"s: {a: x}\nt: {a|contains: y}\ncondition: s or t", []Requirement{texts(0, "x", "y")}},
		{"s: {a: 1}\nt: {a|contains: y}\ncondition: s or t", []Requirement{present(0)}},
		{"s: {a: x}\nt: {b: y}\ncondition: s or t", nil},
		{"s: {a: x}\nt: {a|expand: '%none%', b: y}\ncondition: s or t", []Requirement{exact(0, "x")}},
		{"s: {a: x}\ncondition: not s", nil},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			d, err := parseText(tt.rule)
			if err != nil {
				t.Fatal(err)
			}
			fields := &Fields{}
			for _, name := range []string{"a", "b", "c"} {
				fields.Slot(name)
			}
			m, err := Compile(d, Options{Fields: fields, Placeholders: testLists})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, m.Required(), cmpopts.IgnoreUnexported(Requirement{}), cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
			if m.Never() {
				t.Error("reported as never matching")
			}
		})
	}
}

func TestMatcherKnowsThatItCanNeverHold(t *testing.T) {
	for rule, want := range map[string]bool{
		"s: {a|expand: '%unset%'}":                                   true,
		"s: {a|expand: '%unset%', b: x}":                             true,
		"s: {a|expand: ['%unset%', '%admins%']}":                     false,
		"s: {a|expand: '%none%'}\nt: {b: 1}\ncondition: s and not t": true,
		"s: {a|expand: '%none%'}\nt: {b: 1}\ncondition: s or t":      false,
		"s: {a|expand: '%none%'}\nt: {b: 1}\ncondition: t and not s": false,
		"s: {a|expand|neq: '%unset%'}":                               false,
		"s: {a|expand|contains|all: ['%admins%', '%unset%']}":        true,
	} {
		if got := compileText(t, rule).Never(); got != want {
			t.Errorf("%s: %v, want %v", rule, got, want)
		}
	}
}

func TestUnsetPlaceholderIsAWarning(t *testing.T) {
	m := compileText(t, "s:\n  a|expand: '%phi_apps%'")
	if len(m.Warnings) != 1 || m.Warnings[0].Error() != "test.yml:5:15: placeholder %phi_apps% has no list and matches nothing: set it" {
		t.Errorf("warnings %v", m.Warnings)
	}
	if m := compileText(t, "s: {a|expand: '%none%'}"); len(m.Warnings) != 0 {
		t.Errorf("an empty list warns: %v", m.Warnings)
	}
}

func TestListThatDoesNotFitIsAnError(t *testing.T) {
	for rule, want := range map[string]string{
		"s: {a|gt|expand: '%admins%'}":                            `test.yml:4:20: a|gt|expand: gt compares numbers, and "adm_*" is not one`,
		"s: {a|cidr|expand: '%sites%'}":                           `test.yml:4:22: a|cidr|expand: "example.org" is not a network`,
		"s: {a|expand|base64: '%admins%'}":                        `test.yml:4:24: a|expand|base64: a wildcard cannot be encoded`,
		"s: {a|expand: '" + strings.Repeat("%admins%", 20) + "'}": `expand to more than 20000 values`,
	} {
		d, err := parseText(rule)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = Compile(d, Options{Placeholders: testLists}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", rule, err, want)
		}
	}
}

func TestExplanationShowsWhatHeldAndWhatWasThere(t *testing.T) {
	m := compileText(t, `
selection:
  op: [Disable Strong Authentication, Delete policy]
  result|startswith: succ
filter:
  actor|endswith: '@example.org'
keywords: [needle]
condition: selection and not filter and not keywords`)
	ev := newJSONEvent(t, m.Fields(), `{"op": ["x", "Delete policy"], "result": null, "actor": "jo@EXAMPLE.org", "n": 1}`)
	want := `no  and
no    selection (line 4)
yes     op: ['Disable Strong Authentication', 'Delete policy'] (line 5) has "x", "Delete policy"
no      result|startswith: 'succ' (line 6) has null
no    not
yes     filter (line 7)
yes       actor|endswith: '@example.org' (line 8) has "jo@EXAMPLE.org"
yes   not
no      keywords (line 9)
no        keywords: 'needle' (line 9)
`
	if diff := cmp.Diff(want, m.Explain(ev).String()); diff != "" {
		t.Error(diff)
	}
}

func TestMatcherListsTheFieldsItLooksAt(t *testing.T) {
	m := compileText(t, "s: {b: 1, a|fieldref: c}\nt: {b: 2, '|all': [x, y]}\nunused: {d: 1}\ncondition: s or t")
	var got []string
	for _, slot := range m.Slots() {
		got = append(got, m.Fields().Names()[slot])
	}
	if diff := cmp.Diff([]string{"b", "a", "c"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestDetectionNamesTheFieldsOfItsFiltersAndReferences(t *testing.T) {
	d, err := parseText("s: {b: 1, a|fieldref: c}\nk: [x]")
	if err != nil {
		t.Fatal(err)
	}
	other, err := parseText("s: {d: 1, a: 1}")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a", "b", "c", "d"}, d.Filtered(&Filter{Detection: other}).Fields()); diff != "" {
		t.Error(diff)
	}
}

// Before it knows of any match, a set asks an event only for the fields that its
// index is over.
func TestSetAsksForTheFieldsOfItsIndex(t *testing.T) {
	m := compileText(t, "s: {a: x, b|contains: y, c: '*'}")
	if diff := cmp.Diff([]int{m.Fields().Slot("a")}, NewSet([]*Matcher{m}).Slots()); diff != "" {
		t.Error(diff)
	}
}

// One matcher and one set serve every partition at once; run with -race.
func TestMatchersAreSharedByGoroutines(t *testing.T) {
	g := newGenerator(7, 7)
	fields := &Fields{}
	for _, name := range genFields {
		fields.Slot(name)
	}
	var matchers []*Matcher
	for range 50 {
		d, err := parseText(g.detection())
		if err != nil {
			t.Fatal(err)
		}
		m, err := Compile(d, Options{Fields: fields, Placeholders: testLists})
		if err != nil {
			t.Fatal(err)
		}
		matchers = append(matchers, m)
	}
	set := NewSet(matchers)
	var events []Event
	var want [][]int
	for range 50 {
		ev := g.event(fields)
		events, want = append(events, ev), append(want, set.Match(ev, NewScratch(), nil))
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			scratch := NewScratch()
			for i, ev := range events {
				if diff := cmp.Diff(want[i], set.Match(ev, scratch, nil), cmpopts.EquateEmpty()); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
	wg.Wait()
}
