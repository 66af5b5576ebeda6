package strict

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"
)

// file has a key of each form that a configuration or a rule has.
type file struct {
	Text    string            `yaml:"text"`
	Truth   bool              `yaml:"truth"`
	Whole   int64             `yaml:"whole"`
	Real    float64           `yaml:"real"`
	Wait    *time.Duration    `yaml:"wait"`
	Own     own               `yaml:"own"`
	Texts   []string          `yaml:"texts"`
	Files   []*file           `yaml:"files"`
	Named   map[string][]bool `yaml:"named"`
	Blocks  map[string]file   `yaml:"blocks"`
	Later   yaml.Node         `yaml:"later"`
	Many    yaml.Node         `yaml:"many"`
	Free    yaml.Node         `yaml:"free"`
	Private string            `yaml:"-"`
}

// own reads itself.
type own string

func (o *own) UnmarshalYAML(n *yaml.Node) error {
	if n.Value != "own" {
		return errors.New("want own, got " + Form(n))
	}
	*o = own(n.Value)
	return nil
}

var later = Nodes{reflect.TypeFor[file](): {
	"later": reflect.TypeFor[map[string]file](), "many": reflect.TypeFor[[]file](),
}}

func load(text string, v any, path string) error {
	n, err := Parse("f.yml", []byte(text))
	if err != nil {
		return err
	}
	return Load("f.yml", n, v, path, later)
}

func TestMistakes(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"unknown":          {"txt: a", `f.yml:1:1: unknown key "txt"; did you mean "text"?`},
		"another case":     {"Text: a", `f.yml:1:1: unknown key "Text"; did you mean "text"?`},
		"nothing near":     {"wombat: a", `f.yml:1:1: unknown key "wombat"; known here: blocks, files, free, later, many, named, own, real, text, texts, truth, wait, whole`},
		"not in YAML":      {"private: a", `f.yml:1:1: unknown key "private"; known here: `},
		"deep":             {"files:\n  - text: a\n  - {blocks: {x: {txt: a}}}", `f.yml:3:19: unknown key "files[1].blocks.x.txt"; did you mean "text"?`},
		"no plain key":     {"[a]: b", `f.yml:1:1: unknown key ""; known here: `},
		"twice":            {"text: a\ntext: b", `f.yml:2:1: key "text" stands twice; keep one`},
		"twice, a name":    {"named: {a: [], a: []}", `f.yml:1:16: key "named.a" stands twice; keep one`},
		"no text":          {"text: [a]", "f.yml:1:7: text: want a text, got a list"},
		"no truth":         {"truth: maybe", `f.yml:1:8: truth: want true or false, got "maybe"`},
		"no whole number":  {"whole: 1.5", `f.yml:1:8: whole: want a whole number, got "1.5"`},
		"too large":        {"whole: 99999999999999999999", `f.yml:1:8: whole: want a whole number, got "99999999999999999999"`},
		"no number":        {"real: {}", "f.yml:1:7: real: want a number, got a block of keys"},
		"no duration":      {"wait: 5", `f.yml:1:7: wait: want a duration such as 90s, 15m or 72h, got "5"`},
		"not its own":      {"own: [x]", "f.yml:1:6: own: want own, got a list"},
		"no list":          {"texts: a", `f.yml:1:8: texts: want a list, got "a"`},
		"no block":         {"files: [a]", `f.yml:1:9: files[0]: want a block of keys, got "a"`},
		"an empty item":    {"texts:\n  - a\n  -", "f.yml:3:4: texts[1]: want a text, got nothing"},
		"no names":         {"named: [a]", "f.yml:1:8: named: want a block of keys, got a list"},
		"below a name":     {"named: {a: [true, 1]}", `f.yml:1:19: named.a[1]: want true or false, got "1"`},
		"a colon":          {"texts:\n  - Look: what is it?", "f.yml:2:5: texts[0]: want a text, got a block of keys; put it in quotes, for it has a colon"},
		"the whole":        {"[a]", "f.yml:1:1: want a block of keys, got a list"},
		"later":            {"later: {a: {txt: b}}", `f.yml:1:13: unknown key "later.a.txt"; did you mean "text"?`},
		"later, no block":  {"later: {a: b}", `f.yml:1:12: later.a: want a block of keys, got "b"`},
		"later, nothing":   {"later:", "f.yml:1:7: later: want a block of keys, got nothing"},
		"later, one":       {"many: {txt: b}", `f.yml:1:8: unknown key "many.txt"; did you mean "text"?`},
		"later, many":      {"many: [a, [{text: [b]}]]", "f.yml:1:19: many[1][0].text: want a text, got a list"},
		"by an anchor":     {"free: &x {txt: a}\nfiles: [*x]", `f.yml:1:11: unknown key "files[0].txt"; did you mean "text"?`},
		"by a merge key":   {"free: &x {txt: a}\n<<: *x", `f.yml:1:11: unknown key "txt"; did you mean "text"?`},
		"by merge keys":    {"<<: [{text: a}, {truth: 1}]", `f.yml:1:25: truth: want true or false, got "1"`},
		"in itself":        {"files: &x [{files: *x, txt: a}]", `f.yml:1:24: unknown key "files[0].txt"; did you mean "text"?`},
		"merged in itself": {"blocks: {a: &x {<<: *x}}", "f.yml:1:21: merge-key: cyclic merge alias"},
		"merged a text":    {"<<: a", `f.yml:1:5: want a block of keys, got "a"`},
		"no key at all":    {"named: {[a]: [true]}", "f.yml:1:9: cannot construct !!seq into string"},
		"not YAML":         {"text: a\n\tb", "f.yml:2:1: not valid YAML: found a tab character that violates indentation"},
		"no text at all":   {"\x01", "f.yml:1:1: not valid YAML: control characters are not allowed"},
		"two documents":    {"text: a\n---\ntext: b", "f.yml:3:1: a second document begins after ---, and only one is read; put all of it into the first"},
		"second not YAML":  {"text: a\n---\n[", "f.yml:4:1: not valid YAML: "},
	} {
		t.Run(name, func(t *testing.T) {
			if err := load(c.text, &file{}, ""); err == nil || !strings.HasPrefix(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %v\nwant  %s", err, c.want)
			}
		})
	}
}

func TestAllMistakesAreToldAtOnce(t *testing.T) {
	err := load("txt: a\ntruth: b\nfree: &x {own: c}\nfiles: [*x, *x]", &file{}, "at")
	const want = `f.yml:1:1: unknown key "at.txt"; did you mean "text"?
f.yml:2:8: at.truth: want true or false, got "b"
f.yml:3:16: at.files[0].own: want own, got "c"`
	if err == nil || err.Error() != want {
		t.Errorf("error %v\nwant  %s", err, want)
	}
}

func TestWhatIsRight(t *testing.T) {
	minute := time.Minute
	for name, c := range map[string]struct {
		text string
		want file
	}{
		"empty":             {"# nothing yet\n", file{Text: "default"}},
		"nothing":           {"---\n---\n", file{Text: "default"}},
		"a document behind": {"---\n---\ntext: a\n---\n", file{Text: "a"}},
		"forms":             {"{text: 07, truth: true, whole: 0x10, real: 3, wait: 1m, own: own}", file{Text: "07", Truth: true, Whole: 16, Real: 3, Wait: &minute, Own: "own"}},
		"lists and blocks":  {"{texts: [a, 1], files: [{whole: 1}], named: {Any name: [true]}}", file{Text: "default", Texts: []string{"a", "1"}, Files: []*file{{Whole: 1}}, Named: map[string][]bool{"Any name": {true}}}},
		"nothing anywhere":  {"{wait: ~, own: , texts: , blocks: , named: {a: }}", file{Text: "default", Named: map[string][]bool{"a": nil}}},
		"merged":            {"<<: {text: b, whole: 2}\nwhole: 1", file{Text: "b", Whole: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			got := file{Text: "default"}
			if err := load(c.text, &got, ""); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestABlockMustNotBeNothing(t *testing.T) {
	n, err := Parse("f.yml", []byte("text:"))
	if err != nil {
		t.Fatal(err)
	}
	if err := Load("f.yml", n.Content[1], &file{}, "at", nil); err == nil || err.Error() != "f.yml:1:6: at: want a block of keys, got nothing" {
		t.Errorf("error %v", err)
	}
}
