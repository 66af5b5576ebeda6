package detectors

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"phiwatch/detectors/rules"
	"phiwatch/ingest"
	"phiwatch/ingest/hospital"
)

// comparer holds an engine's matches against plain evaluation of every rule, on
// events that were decoded without its plan.
type comparer struct {
	engine         *Engine
	planned, plain *ingest.Decoder
}

func newComparer(e *Engine) *comparer {
	c := &comparer{e, ingest.NewDecoder(), ingest.NewDecoder()}
	c.planned.Use(e.Plan())
	return c
}

// check returns how many matches there are.
func (c *comparer) check(t *testing.T, body []byte) int {
	t.Helper()
	var fast, unplanned, want []Match
	ignore := func(ingest.Quarantined) {}
	c.planned.Decode(ingest.Message{Body: body}, func(ev *ingest.Event) { fast = c.engine.Match(ev, fast) }, ignore)
	c.plain.Decode(ingest.Message{Body: body}, func(ev *ingest.Event) {
		want = c.engine.matchAll(ev, want)
		unplanned = c.engine.Match(ev, unplanned)
	}, ignore)
	if diff := cmp.Diff(keys(want), keys(fast)); diff != "" {
		t.Errorf("(-plain +index)\n%s\nof %s", diff, body)
	}
	if diff := cmp.Diff(keys(want), keys(unplanned)); diff != "" {
		t.Errorf("decoded without the plan (-plain +index)\n%s\nof %s", diff, body)
	}
	return len(want)
}

// comparedEngines are the catalog and many rules, SigmaHQ's where there are.
func comparedEngines(tb testing.TB) map[string]*comparer {
	return map[string]*comparer{
		"catalog":    newComparer(loadCatalog(tb)),
		"by source":  newComparer(benchEngine(tb, 1000, false)),
		"one source": newComparer(benchEngine(tb, 1000, true)),
	}
}

func TestIndexIsPlainEvaluationOnPublishedEvents(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join("..", "..", "shared", "corpus", "*", "*.jsonl"))
	if len(files) == 0 {
		if os.Getenv("PHIWATCH_REQUIRE_ALL") == "1" {
			t.Fatal("the published events are not here")
		}
		t.Skip("the published events, shared/corpus beside the repository, are not here")
	}
	for name, c := range comparedEngines(t) {
		events, matches := 0, 0
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for line := range bytes.Lines(data) {
				matches += c.check(t, line)
				events++
			}
		}
		t.Logf("%s: %d matches of %d events", name, matches, events)
	}
}

// Records in which fields take each other's values, and those of rules.
func TestIndexIsPlainEvaluationOnMadeUpEvents(t *testing.T) {
	day, rng := hospital.New(5), rand.New(rand.NewPCG(5, 5))
	engines := comparedEngines(t)
	pool := ruleValues()
	matches := 0
	for range 1500 {
		var record map[string]any
		if err := json.Unmarshal(day.Record(time.Date(2026, 9, 14, 8, 0, 0, 0, time.UTC)), &record); err != nil {
			t.Fatal(err)
		}
		hospital.Mutate(rng, record, pool)
		body, err := json.Marshal(record)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range engines {
			matches += c.check(t, body)
		}
	}
	if matches < 500 {
		t.Errorf("%d matches are too few to tell anything", matches)
	}
}

// ruleValues are texts that generated rules look for.
func ruleValues() []any {
	out := []any{nil, true, false, 0, 50126, "", "0", []any{}, []any{"IMAP4", nil}, "python-requests/2.31", "x@contractor.example.net", "192.0.2.77", "ſuccess"}
	for _, s := range benchSources {
		for _, o := range s.operations {
			out = append(out, o, strings.ToUpper(o), o+".")
		}
		for _, f := range s.fields {
			_, value, _ := strings.Cut(f, ": ")
			for v := range strings.SplitSeq(strings.Trim(value, "[]'"), ", ") {
				out = append(out, strings.Trim(v, "'"))
			}
		}
	}
	return out
}

// FuzzIndex looks for a record of which the index thinks otherwise than plain
// evaluation.
func FuzzIndex(f *testing.F) {
	day := hospital.New(9)
	for _, name := range day.Names() {
		f.Add(day.RecordOf(name, time.Date(2026, 9, 14, 8, 0, 0, 0, time.UTC)))
	}
	e := loadCatalog(f)
	for _, r := range e.Rules()[:20] {
		if s, err := ReadScenario(rules.FS, r.File); err == nil {
			for _, p := range s.Events {
				f.Add(p.Body)
			}
		}
	}
	engines := []*comparer{newComparer(e), newComparer(benchEngine(f, 200, false))}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, c := range engines {
			c.check(t, body)
		}
	})
}

// raceDetector is set by race_test.go.
var raceDetector bool

// An event that no rule wants costs no memory. What is unescaped or composed
// comes from a chunk that some hundred events share.
func TestUnwantedEventsDoNotAllocate(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	for name, e := range map[string]*Engine{"catalog": loadCatalog(t), "142 rules": engineOf(t, nil, generatedRules(142, benchSources)...)} {
		var records [][]byte
		dec, out := ingest.NewDecoder(), make([]Match, 0, 64)
		dec.Use(e.Plan())
		for _, r := range newTraffic(1000).records {
			dec.Decode(ingest.Message{Body: r}, func(ev *ingest.Event) {
				if len(e.Match(ev, out[:0])) == 0 {
					records = append(records, r)
				}
			}, quarantined(t))
		}
		match := func(ev *ingest.Event) { out = e.Match(ev, out[:0]) }
		bad := quarantined(t)
		pass := func() {
			for _, r := range records {
				dec.Decode(ingest.Message{Body: r}, match, bad)
			}
		}
		pass()
		if per := testing.AllocsPerRun(5, pass) / float64(len(records)); per > 0.01 {
			t.Errorf("%s: %.3f allocations per event", name, per)
		}
	}
}
