package detectors

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
)

const (
	// sampleEvery is which of the records of a kind are looked at.
	sampleEvery = 100
	// manyRecords is how many a log source must have delivered before the
	// absence of a field says anything.
	manyRecords = 10_000
)

// fieldWatch looks for the fields of an engine's rules in some of the records. A
// rule of which one field was seen is not looked for any more, so that soon
// almost none is.
type fieldWatch struct {
	engine  *Engine
	rules   []*ruleFields
	byEntry map[string]int

	mu      sync.Mutex // guards what follows
	pending [][]int    // rules not seen yet, by kind
	seen    []bool     // by rule
}

// ruleFields is what a rule needs of the records it reads.
type ruleFields struct {
	rule  *Rule
	kinds []ingest.Kind
	slots []int
	hash  string
}

// Use makes w watch the fields of e's rules. Rules of correlations are not
// watched, nor such as look for words in any field.
func (w *Watch) Use(e *Engine) {
	f := &fieldWatch{engine: e, byEntry: map[string]int{}, pending: make([][]int, len(ingest.Kinds()))}
	names := []string(nil)
	for _, r := range e.Rules() {
		if len(r.halves) == 0 || r.halves[0].match == nil || len(r.halves[0].match.Slots()) == 0 {
			continue
		}
		h := &r.halves[0]
		names = names[:0]
		for _, slot := range h.match.Slots() {
			names = append(names, h.match.Fields().Names()[slot])
		}
		for _, k := range h.kinds {
			f.pending[k] = append(f.pending[k], len(f.rules))
			names = append(names, k.String())
		}
		slices.Sort(names)
		f.byEntry[r.Entry] = len(f.rules)
		f.rules = append(f.rules, &ruleFields{r, h.kinds, h.match.Slots(), digestOf(names...)})
	}
	f.seen = make([]bool, len(f.rules))
	w.fields.Store(f)
}

// sample looks at one record.
func (w *Watch) sample(ev *ingest.Event) {
	if f := w.fields.Load(); f != nil {
		f.sample(ev)
	}
}

func (f *fieldWatch) sample(ev *ingest.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.pending[ev.Kind]) == 0 {
		return
	}
	s := f.engine.scopes.Get().(*scope)
	s.begin(ev, &f.engine.programs[ev.Kind])
	f.pending[ev.Kind] = slices.DeleteFunc(f.pending[ev.Kind], func(i int) bool {
		f.seen[i] = f.seen[i] || slices.ContainsFunc(f.rules[i].slots, func(slot int) bool { return present(s.Values(slot)) })
		return f.seen[i]
	})
	s.end()
	f.engine.scopes.Put(s)
}

// found notes that a rule has found something, and so has its fields.
func (f *fieldWatch) found(entry string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if i, ok := f.byEntry[entry]; ok {
		f.seen[i] = true
	}
}

func present(values []sigma.Value) bool {
	return slices.ContainsFunc(values, func(v sigma.Value) bool { return v.Kind > sigma.Null })
}

// fieldState is a row of blind_rules.
type fieldState struct {
	entry, fields string
	since         int64 // microseconds
	records       int64
	seen          bool
	dirty         bool
}

// unseen judges whether rules have ever had anything to read.
func (t *tick) unseen() {
	f := t.fields
	if f == nil {
		return
	}
	f.mu.Lock()
	seen := slices.Clone(f.seen)
	f.mu.Unlock()
	records := map[ingest.Kind]int64{}
	for _, s := range t.streams {
		if s.workload == "" {
			records[s.kind] += s.records
		}
	}
	loaded := map[string]bool{}
	for i, r := range f.rules {
		loaded[r.rule.Entry] = true
		t.unseenRule(r, seen[i], records)
	}
	for _, a := range t.alarmsInOrder() {
		if a.entry == fieldsUnseen.Entry && a.open && !loaded[a.subject] {
			a.meta = fieldsUnseen
			t.restore(a, t.now, "rule", "the rule is not loaded any more")
		}
	}
}

func (t *tick) unseenRule(r *ruleFields, seen bool, records map[ingest.Kind]int64) {
	var have int64
	for _, k := range r.kinds {
		have += records[k]
	}
	s := t.rules[r.rule.Entry]
	if s == nil || s.fields != r.hash {
		s = &fieldState{entry: r.rule.Entry, fields: r.hash, since: t.now.UnixMicro(), records: have, dirty: true}
		t.rules[s.entry] = s
	}
	if seen && !s.seen {
		s.seen, s.dirty = true, true
	}
	age := t.now.UnixMicro() - s.since
	bad := !s.seen && have-s.records >= manyRecords && age >= t.options.Unseen.Microseconds()
	if !bad && !s.seen {
		if a := t.alarms[alarmKey{fieldsUnseen.Entry, "", r.rule.Entry}]; a == nil || !a.open {
			return // keeps the table of alarms to what has been one
		}
	}
	var fields []string
	for _, slot := range r.slots {
		fields = append(fields, r.rule.halves[0].match.Fields().Names()[slot])
	}
	t.hold(t.alarm(fieldsUnseen, "", r.rule.Entry), fieldsUnseen.Severity, standing{
		bad: bad, good: !bad, kind: "rule", words: "the rule's fields occur",
		details: map[string]any{"rule": r.rule.Entry, "file": r.rule.File, "fields": fields, "records": have - s.records},
	}.saying(bad, fmt.Sprintf("none of %s in %d records", strings.Join(fields, ", "), have-s.records)))
}
