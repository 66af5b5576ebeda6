package blindness

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"phiwatch/detectors"
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
// rule of which one field was seen is not looked for again before Options.Unseen
// has passed, so that mostly almost none is.
type fieldWatch struct {
	engine *detectors.Engine
	rules  []*ruleFields

	mu      sync.Mutex          // guards what follows
	pending [][]*detectors.Rule // not seen yet, by kind
	seen    map[string]bool     // by entry
}

// ruleFields is what a rule needs of the records it reads.
type ruleFields struct {
	rule   *detectors.Rule
	fields []string
	kinds  []ingest.Kind
	hash   string
}

// Use makes w watch the fields of e's rules. Rules of correlations are not
// watched, nor such as look for words in any field.
func (w *Watch) Use(e *detectors.Engine) {
	f := &fieldWatch{engine: e, pending: make([][]*detectors.Rule, len(ingest.Kinds())), seen: map[string]bool{}}
	for _, r := range e.Rules() {
		fields, kinds := r.Reads()
		if len(fields) == 0 {
			continue
		}
		names := slices.Clone(fields)
		for _, k := range kinds {
			f.pending[k] = append(f.pending[k], r)
			names = append(names, k.String())
		}
		slices.Sort(names)
		f.rules = append(f.rules, &ruleFields{r, fields, kinds, digestOf(names...)})
	}
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
	pending := f.unseenOf(ev.Kind)
	if len(pending) == 0 {
		return
	}
	for _, r := range f.engine.Occurring(ev, pending) {
		f.seen[r.Entry] = true
	}
}

// unseenOf returns the rules of a kind that are to be looked for.
func (f *fieldWatch) unseenOf(k ingest.Kind) []*detectors.Rule {
	f.pending[k] = slices.DeleteFunc(f.pending[k], func(r *detectors.Rule) bool { return f.seen[r.Entry] })
	return f.pending[k]
}

// lookFor makes a rule one that is looked for again.
func (f *fieldWatch) lookFor(entry string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.seen, entry)
	for _, r := range f.rules {
		if r.rule.Entry != entry {
			continue
		}
		for _, k := range r.kinds {
			if !slices.Contains(f.pending[k], r.rule) {
				f.pending[k] = append(f.pending[k], r.rule)
			}
		}
	}
}

// found notes that a rule has found something, and so has its fields.
func (f *fieldWatch) found(entry string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen[entry] = true
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
	seen := maps.Clone(f.seen)
	f.mu.Unlock()
	records := map[ingest.Kind]int64{}
	for _, s := range t.streams {
		if s.workload == "" {
			records[s.kind] += s.records
		}
	}
	loaded := map[string]bool{}
	for _, r := range f.rules {
		loaded[r.rule.Entry] = true
		t.unseenRule(r, seen[r.rule.Entry], records)
	}
	for _, a := range t.alarmsInOrder() {
		if a.entry == fieldsUnseen.Entry && a.open && !loaded[a.subject] {
			a.meta = fieldsUnseen
			t.restore(a, t.now, "rule", "the rule is not loaded any more")
		}
	}
}

// lookAgain begins the next span in which a rule's fields must occur: what the
// source has sent once it may leave out today.
func (t *tick) lookAgain(s *fieldState, records int64) {
	s.since, s.records, s.seen, s.dirty = t.now.UnixMicro(), records, false, true
	t.fields.lookFor(s.entry)
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
	if s.since > t.now.UnixMicro() {
		s.since, s.dirty = t.now.UnixMicro(), true // the clock was ahead
	}
	age := t.now.UnixMicro() - s.since
	bad := !s.seen && have-s.records >= manyRecords && age >= t.options.Unseen.Microseconds()
	if s.seen && age >= t.options.Unseen.Microseconds() {
		defer t.lookAgain(s, have)
	}
	if !bad && !s.seen {
		if a := t.alarms[alarmKey{fieldsUnseen.Entry, "", r.rule.Entry}]; a == nil || !a.open {
			return // keeps the table of alarms to what has been one
		}
	}
	t.hold(t.alarm(fieldsUnseen, "", r.rule.Entry), fieldsUnseen.Severity, standing{
		bad: bad, good: !bad, kind: "rule", words: "the rule's fields occur",
		details: map[string]any{"rule": r.rule.Entry, "file": r.rule.File, "fields": r.fields, "records": have - s.records},
	}.saying(bad, fmt.Sprintf("none of %s in %d records", strings.Join(r.fields, ", "), have-s.records)))
}
