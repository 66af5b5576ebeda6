package sigma

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// The vocabulary of generated rules and events is small, so that they meet.
var (
	genFields = []string{"op", "user", "ip", "n", "deep.name", "flag", "msg"}
	genWords  = []string{"add", "Add member", "disable", "ADM", "adm_jo", "k9", "\u212A9", "straße", "STRAẞE", "ſtop", "stop",
		"a", "b", "ab", "aba", "", "true", "False", "C:\\Temp\\x.exe", "x -enc y", "x /enc y", "example.org", "ZXhhbXBsZS5vcmc=",
		"192.0.2.7", "198.51.100.9", "2001:db8::1", "17", "17.0", "-3", "2190", "世界", "Ⱥb", "ⱥB", "*", "a?b", "null", "root"}
	genNumbers = []string{"17", "17.0", "1.7e1", "-3", "2190", "0", "0.5", "9007199254740993"}
	genKeys    = []string{"", "", "", "|contains", "|contains", "|startswith", "|endswith", "|cased", "|contains|cased", "|re", "|re|i",
		"|contains|all", "|all", "|neq", "|contains|neq", "|gt", "|lte", "|cidr", "|exists", "|fieldref", "|fieldref|contains",
		"|windash|contains", "|base64offset|contains", "|expand", "|contains|expand"}
	genRegexps = []string{"ab+a?", "^a", "exe$", "(add|dis).*", "k9", "[0-9]{2}", "stop", "ß"}
)

// generator makes rules and events of a vocabulary.
type generator struct {
	*rand.Rand
	fields, words []string
}

func newGenerator(seed1, seed2 uint64) generator {
	return generator{rand.New(rand.NewPCG(seed1, seed2)), genFields, genWords}
}

func pick[T any](g generator, list []T) T { return list[g.IntN(len(list))] }

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// word is a text of a rule: now and then cut, joined or with wildcards.
func (g generator) word() string {
	w := pick(g, g.words)
	switch g.IntN(8) {
	case 0:
		return w + pick(g, []string{"*", "?", `\*`, `\\`}) + pick(g, g.words)
	case 1:
		return "*" + w
	case 2:
		return w + "*"
	case 3:
		r := []rune(w)
		return string(r[min(1, len(r)):])
	}
	return w
}

func (g generator) value(key string) string {
	switch {
	case strings.HasPrefix(key, "|re"):
		return quote(pick(g, genRegexps))
	case strings.Contains(key, "expand"):
		return quote("%" + pick(g, []string{"admins", "sites", "none", "days", "unset"}) + "%")
	case strings.Contains(key, "cidr"):
		return quote(pick(g, []string{"192.0.2.0/24", "2001:db8::/32", "198.51.100.9/32", "0.0.0.0/0"}))
	case strings.Contains(key, "fieldref"):
		return quote(pick(g, g.fields))
	case strings.Contains(key, "gt"), strings.Contains(key, "lte"):
		return pick(g, genNumbers)
	case strings.Contains(key, "base64"):
		return quote(strings.NewReplacer("*", "", "?", "").Replace(pick(g, g.words) + "org"))
	case key == "" && g.IntN(5) == 0:
		return pick(g, append([]string{"true", "false"}, genNumbers...))
	}
	return quote(g.word())
}

// field is one line of a map in flow style.
func (g generator) field() string {
	key := pick(g, genKeys)
	name := pick(g, g.fields)
	switch {
	case key == "|exists":
		return fmt.Sprintf("%s|exists: %v", name, g.IntN(2) == 0)
	case key == "" && g.IntN(10) == 0, key == "|neq" && g.IntN(5) == 0:
		return name + key + ": null"
	}
	return name + key + ": " + g.values(key, name == "")
}

func (g generator) values(key string, keyword bool) string {
	n := 1 + g.IntN(3)
	if g.IntN(6) == 0 {
		n = 6 + g.IntN(6) // sets and automata
	}
	if strings.Contains(key, "all") {
		n = max(n, 2)
	}
	var list []string
	for range n {
		v := g.value(key)
		if keyword && v == "''" {
			v = "'x'"
		}
		list = append(list, v)
	}
	return "[" + strings.Join(list, ", ") + "]"
}

func (g generator) group() string {
	seen := make(map[string]bool)
	var list []string
	for range 1 + g.IntN(3) {
		f := g.field()
		if k, _, _ := strings.Cut(f, ":"); !seen[k] {
			seen[k] = true
			list = append(list, f)
		}
	}
	return "{" + strings.Join(list, ", ") + "}"
}

func (g generator) search() string {
	switch g.IntN(8) {
	case 0:
		return g.values("", true)
	case 1:
		key := pick(g, []string{"|all", "|re", "|startswith", "|cased", "|endswith"})
		return "{" + quote(key) + ": " + g.values(key, true) + "}"
	case 2:
		return "[" + g.group() + ", " + g.group() + "]"
	}
	return g.group()
}

var genConditions = []string{"a", "a", "a and b", "a and b", "a or b", "a and not b", "not a", "(a or b) and not c", "1 of them",
	"all of them", "a and not 1 of b*", "not (a and b) or c", "not not a", "a and (b or c)"}

func (g generator) detection() string {
	return fmt.Sprintf("a: %s\nb: %s\nc: %s\ncondition: %s", g.search(), g.search(), g.search(), pick(g, genConditions))
}

func (g generator) eventValue() Value {
	switch g.IntN(10) {
	case 0:
		return Value{Kind: Null}
	case 1:
		return Value{True, "true"}
	case 2:
		return Value{False, "false"}
	case 3, 4:
		return Value{Number, pick(g, genNumbers)}
	case 5:
		return Value{String, pick(g, g.words) + pick(g, g.words)}
	case 6:
		return Value{Object, `{"state":"disable"}`}
	}
	return Value{String, pick(g, g.words)}
}

func (g generator) event(fields *Fields) Event {
	e := &jsonEvent{}
	for range fields.Names() {
		var values []Value
		for range g.IntN(4) {
			v := g.eventValue()
			values = append(values, v)
			if v.Kind == String {
				e.texts = append(e.texts, v.Text)
			}
		}
		if g.IntN(8) == 0 {
			values = append(values, Value{})
		}
		e.bySlot = append(e.bySlot, values)
	}
	return e
}

// checkGenerated runs one round of generated rules against generated events.
func checkGenerated(t *testing.T, g generator, rules, events int) (held int) {
	t.Helper()
	fields := &Fields{}
	for _, name := range genFields {
		fields.Slot(name)
	}
	var ds []*Detection
	for range rules {
		text := g.detection()
		d, err := parseText(text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		ds = append(ds, d)
	}
	var evs []Event
	for range events {
		evs = append(evs, g.event(fields))
	}
	return checkAll(t, ds, fields, evs)
}

// Plain evaluation, the index and an independent reference agree on generated
// rules and events.
func TestIndexAndMatchersAgreeWithTheReference(t *testing.T) {
	held, rounds := 0, 25
	if raceDetector {
		rounds = 3
	}
	for seed := range uint64(rounds) {
		held += checkGenerated(t, newGenerator(seed, 1), 60, 40)
	}
	if total := rounds * 60 * 40; held < total/20 || held > total*19/20 {
		t.Errorf("%d of %d pairs held: the generator tests little", held, total)
	}
}

func FuzzIndexAgreesWithReference(f *testing.F) {
	f.Add(uint64(1), uint8(20))
	f.Fuzz(func(t *testing.T, seed uint64, rules uint8) {
		checkGenerated(t, newGenerator(seed, 2), int(rules%64)+1, 8)
	})
}
