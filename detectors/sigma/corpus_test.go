package sigma

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// corpus returns the records of the sample folder beside the repository.
func corpus(t *testing.T) []string {
	t.Helper()
	dir := filepath.FromSlash("../../../shared/corpus")
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("PHIWATCH_REQUIRE_ALL") == "1" {
			t.Fatal("no corpus of sample events at ../shared/corpus")
		}
		t.Skip("no corpus of sample events at ../shared/corpus")
	}
	var out []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".jsonl" {
			return err
		}
		data, err := os.ReadFile(path)
		for line := range bytes.Lines(data) {
			out = append(out, records(line)...)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func records(line []byte) []string {
	var message struct{ Records []json.RawMessage }
	if json.Unmarshal(line, &message) != nil || message.Records == nil {
		return []string{string(line)}
	}
	var out []string
	for _, r := range message.Records {
		out = append(out, string(r))
	}
	return out
}

// vocabulary collects the paths and short values of records.
func vocabulary(records []string) (fields, words []string) {
	seen := make(map[string]bool)
	add := func(list *[]string, s string) {
		if !seen[s] && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == utf8.RuneError || r == 0x7f }) {
			seen[s] = true
			*list = append(*list, s)
		}
	}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, x := range v {
				if !strings.ContainsAny(k, ".|:'\"{}[],#&*!%@` ") {
					walk(strings.TrimPrefix(path+"."+k, "."), x)
				}
			}
		case []any:
			for _, x := range v {
				walk(path, x)
			}
		case string:
			if len(v) < 80 {
				add(&fields, path)
				add(&words, v)
			}
		}
	}
	for _, r := range records {
		var v any
		if json.Unmarshal([]byte(r), &v) == nil {
			walk("", v)
		}
	}
	slices.Sort(fields)
	slices.Sort(words)
	return fields, words
}

// Rules that are made of the corpus's own fields and values, so that they often
// hold, give the same with and without index, and by the reference.
func TestIndexAgreesWithTheReferenceOnTheCorpus(t *testing.T) {
	all := corpus(t)
	held, rounds := 0, 5
	if raceDetector {
		rounds = 1
	}
	for seed := range uint64(rounds) {
		g := newGenerator(seed, 6)
		var sample []string
		for range 12 {
			sample = append(sample, pick(g, all))
		}
		g.fields, g.words = vocabulary(sample)
		g.fields = g.fields[:min(len(g.fields), 25)]
		fields := &Fields{}
		var rules []*Detection
		for range 200 {
			d, err := parseText(g.detection())
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range d.searches {
				for _, group := range x.groups {
					for _, it := range group.items {
						slotsOf(fields, it)
					}
				}
			}
			rules = append(rules, d)
		}
		var events []Event
		for _, r := range sample {
			events = append(events, newJSONEvent(t, fields, r))
		}
		held += checkAll(t, rules, fields, events)
	}
	if total := rounds * 200 * 12; held < total/20 {
		t.Errorf("%d of %d pairs held: the test says little", held, total)
	}
}

func slotsOf(fields *Fields, it *item) {
	if !it.keyword {
		fields.Slot(it.field)
	}
	if it.mods.kind == "fieldref" {
		for _, v := range it.values {
			fields.Slot(v.text)
		}
	}
}

// The cloud and identity rules of SigmaHQ, on every record of the corpus, match
// the same with and without the index.
func TestIndexAgreesForSigmaHQOnTheCorpus(t *testing.T) {
	dir, all := sigmaHQ(t), corpus(t)
	fields := &Fields{}
	var matchers []*Matcher
	for _, part := range []string{"rules/cloud", "rules/identity", "rules/application", "rules/category"} {
		for name, data := range ruleFiles(t, filepath.Join(dir, part)) {
			docs, err := Parse(name, data)
			if err != nil {
				t.Fatal(err)
			}
			m, err := Compile(docs[0].(*Rule).Detection, Options{Fields: fields})
			if err != nil {
				t.Fatal(err)
			}
			matchers = append(matchers, m)
		}
	}
	set, scratch := NewSet(matchers), NewScratch()
	held := 0
	for _, r := range all {
		ev := newJSONEvent(t, fields, r)
		var plain []int
		for i, m := range matchers {
			if m.Match(ev) {
				plain = append(plain, i)
			}
		}
		if got := set.Match(ev, scratch, nil); !slices.Equal(got, plain) {
			t.Fatalf("index %v, plain %v", got, plain)
		}
		held += len(plain)
	}
	t.Logf("%d rules, %d records, %d matches", len(matchers), len(all), held)
	if held == 0 {
		t.Error("no rule matched any record")
	}
}
