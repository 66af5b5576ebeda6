package detectors

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rogpeppe/go-internal/txtar"

	"phiwatch/ingest"
)

// sample is one made-up payload of testdata/sigmahq. Rule is the id of a rule
// of SigmaHQ; Fires says whether it must find the payload.
type sample struct {
	Name, Rule string
	Fires      bool
	Body       []byte
}

const idLength = 36

func samples(t testing.TB) []sample {
	t.Helper()
	files, err := filepath.Glob("testdata/sigmahq/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var out []sample
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range a.Files {
			name := strings.TrimSuffix(f.Name, ".json")
			out = append(out, sample{Name: name, Rule: name[:idLength], Fires: name[idLength:] != "-not", Body: f.Data})
		}
	}
	if len(out) == 0 {
		t.Fatal("no samples in testdata/sigmahq")
	}
	return out
}

// fired returns the ids of the rules that find something in a payload, and
// holds the index to plain evaluation.
func fired(t *testing.T, e *Engine, body []byte) map[string]bool {
	t.Helper()
	ids := map[string]bool{}
	decodeAll(t, body, func(ev *ingest.Event) {
		sameAsOracle(t, e, ev)
		for _, m := range e.Match(ev, nil) {
			if m.Finding.Rule != nil {
				ids[m.Finding.Rule.ID] = true
			}
		}
	})
	return ids
}

// loadSigmaHQ loads the folder rules of a checkout of github.com/SigmaHQ/sigma
// that $PHIWATCH_SIGMAHQ names, or is.
//
// The rules have a licence of their own and are not in this repository, so a
// machine without a checkout skips, under PHIWATCH_REQUIRE_ALL=1 too: CI holds
// the mappings by TestOwnRulesMatchTheSamples, which needs none. A variable
// that is set and leads nowhere is an error.
func loadSigmaHQ(t *testing.T) *Set {
	t.Helper()
	dir := os.Getenv("PHIWATCH_SIGMAHQ")
	if dir == "" {
		t.Skip("PHIWATCH_SIGMAHQ is not set: it must name a checkout of github.com/SigmaHQ/sigma")
	}
	if info, err := os.Stat(filepath.Join(dir, "rules")); err == nil && info.IsDir() {
		dir = filepath.Join(dir, "rules")
	}
	set, err := Load(nil, Source{Name: "sigmahq", FS: os.DirFS(dir)})
	if err != nil {
		t.Fatalf("every rule must load: %v", err)
	}
	files := 0
	err = fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if filepath.Ext(name) == ".yml" {
			files++
		}
		return err
	})
	if err != nil || files == 0 || len(set.Rules) != files {
		t.Fatalf("%d rules of %d files loaded (%v)", len(set.Rules), files, err)
	}
	return set
}

// Every rule for Azure and Microsoft 365 fires, unchanged, on records as they
// are delivered; rules for other products are told to be for others.
func TestSigmaHQRulesMatchTheSamples(t *testing.T) {
	set := loadSigmaHQ(t)
	ours := map[string]*Rule{}
	foreign := 0
	for _, r := range set.Rules {
		switch {
		case strings.Contains(r.File, "cloud/azure/"), strings.Contains(r.File, "cloud/m365/"):
			ours[r.ID] = r
			if r.never != "" {
				t.Errorf("%s is said to never match: %s", r.File, r.never)
			}
		case r.never == neverLogSource:
			foreign++
		default:
			t.Errorf("%s is for another product and is not told so (%q)", r.File, r.never)
		}
	}
	told := 0
	for _, w := range set.Warnings {
		switch text := w.Error(); {
		case strings.Contains(text, "is not one phiwatch reads"):
			told++
		case strings.Contains(text, "cloud/azure/"), strings.Contains(text, "cloud/m365/"):
			t.Errorf("false warning: %v", w)
		}
	}
	if told != foreign {
		t.Errorf("%d warnings about %d foreign rules: there must be one for each", told, foreign)
	}
	e, err := New(set, NewMetrics(prometheus.NewRegistry()))
	if err != nil {
		t.Fatal(err)
	}
	proven := map[string]bool{}
	for _, s := range samples(t) {
		r := ours[s.Rule]
		if r == nil {
			t.Errorf("%s: no rule has this id (any more)", s.Name)
			continue
		}
		if got := fired(t, e, s.Body)[s.Rule]; got != s.Fires {
			t.Errorf("%s: fires %v, want %v (%s)", s.Name, got, s.Fires, filepath.Base(r.File))
		}
		proven[s.Rule] = proven[s.Rule] || s.Fires
	}
	for id, r := range ours {
		if !proven[id] {
			t.Errorf("no sample that %s (%s) must fire on", r.File, id)
		}
	}
	t.Logf("%d rules, %d foreign, %d proven on %d samples", len(set.Rules), foreign, len(proven), len(samples(t)))
}

// The same field names in rules of our own: each line of the archive's section
// want names a rule and the samples that it fires on, all of them.
func TestOwnRulesMatchTheSamples(t *testing.T) {
	a, err := txtar.ParseFile("testdata/mapping/rules.txtar")
	if err != nil {
		t.Fatal(err)
	}
	set, err := Load(nil, Source{FS: archiveFS(a)})
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range set.Warnings {
		t.Errorf("unwanted warning: %v", w)
	}
	e, err := New(set, NewMetrics(prometheus.NewRegistry()))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]string{}
	for _, s := range samples(t) {
		for id := range fired(t, e, s.Body) {
			found[id] = append(found[id], s.Name)
		}
	}
	var got []string
	for _, r := range e.Rules() {
		slices.Sort(found[r.ID])
		got = append(got, r.ID+": "+strings.Join(found[r.ID], " "))
	}
	compareWant(t, a, "testdata/mapping/rules.txtar", got)
}

// On published records, too, the index finds with all rules of SigmaHQ what
// plain evaluation finds.
func TestSigmaHQRulesAgreeWithTheOracleOnPublishedEvents(t *testing.T) {
	set := loadSigmaHQ(t)
	files, err := filepath.Glob("../../shared/corpus/*/*.jsonl")
	if err != nil || len(files) == 0 {
		if os.Getenv("PHIWATCH_REQUIRE_ALL") == "1" {
			t.Fatalf("published events are not here (%v)", err)
		}
		t.Skipf("published events are not here (%v)", err)
	}
	e, err := New(set, NewMetrics(prometheus.NewRegistry()))
	if err != nil {
		t.Fatal(err)
	}
	d := ingest.NewDecoder()
	events, found := 0, map[string]int{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(data) {
			d.Decode(ingest.Message{Body: bytes.TrimSpace(line)}, func(ev *ingest.Event) {
				events++
				sameAsOracle(t, e, ev)
				for _, m := range e.Match(ev, nil) {
					if m.Finding.Rule != nil {
						found[m.Finding.Rule.Entry]++
					}
				}
			}, func(ingest.Quarantined) {})
		}
	}
	if len(found) < 25 {
		t.Errorf("only %d rules match published events: %v", len(found), found)
	}
	t.Logf("%d rules match %d published events", len(found), events)
}
