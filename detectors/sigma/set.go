package sigma

import "math/bits"

// Set evaluates many matchers at a cost that follows the event: each matcher is
// filed under one of its requirements, and only those whose requirement the
// event meets are evaluated. The result is that of asking every matcher. A Set
// does not change and may be used concurrently.
type Set struct {
	matchers []evaluation
	steps    steps       // of all of them
	always   []int32     // matchers without a requirement
	heads    []fieldHead // of the fields of the index
	keys     keyTable    // of all of them
	fields   []fieldIndex
	keywords *textIndex
}

// fieldHead is what is asked of a field for every event, kept together: most
// values are no key, and fields is not looked at.
type fieldHead struct {
	slot    int32
	longest int32 // value that may be a key; -1: there are none
	wide    bool  // a text beyond ASCII may be a key
	texts   bool
	present bool
}

// fieldIndex files matchers under the values of one field.
type fieldIndex struct {
	slot    int
	exact   map[string]*filed
	texts   *textIndex
	present []int32
}

// filed are the matchers under one value.
type filed struct {
	all     []int32
	settled []int32 // those whose part about the field holds with the value
}

// textIndex files matchers under texts that a value must contain.
type textIndex struct {
	automaton *automaton
	matchers  [][]int32 // by text
}

// Scratch is the memory that one goroutine needs for [Set.Match].
type Scratch struct {
	marks []uint64 // candidates, then those of them of which the index has settled a clause
	key   []byte
	texts *textIndex
	yield func(string) bool

	known   map[*Set][]*barren // by field of the index
	set     *Set               // the last
	barrens []*barren          // its own
}

// NewScratch makes memory for one goroutine; it may serve any sets.
func NewScratch() *Scratch {
	sc := &Scratch{key: make([]byte, 0, 512), known: make(map[*Set][]*barren)}
	sc.yield = func(text string) bool {
		sc.texts.mark(text, sc.marks)
		return true
	}
	return sc
}

// NewSet indexes matchers, which must share one table of [Fields]: it panics when
// they do not. Matchers that can never hold keep their number and are not
// evaluated.
func NewSet(matchers []*Matcher) *Set { return NewSetBy(matchers, Advice{}) }

// Advice is what a host knows of its fields, for the choice of what the index
// is over. The result of a set does not depend on it. Nil functions say nothing.
type Advice struct {
	// Effort says how much rather the index should be over other requirements than
	// over one, since its field is dear to read or since many events meet it. 0 is
	// usual; with 1, an exact value of such a field is no better than a text that
	// is contained in another, and with 2 than that a field is there.
	Effort func(r Requirement) float64
	// Instead returns requirements of which at least one is met by every event
	// that meets r, to be looked at in its place, or none if there are no others.
	Instead func(r Requirement) []Requirement
}

// NewSetBy is NewSet for a host that has advice.
func NewSetBy(matchers []*Matcher, advice Advice) *Set {
	for _, m := range matchers {
		if m.fields != matchers[0].fields {
			panic("sigma: matchers of one set were compiled with different Fields")
		}
	}
	s := &Set{matchers: make([]evaluation, len(matchers))}
	b := setBuilder{set: s, advice: advice, matchers: matchers, fields: make(map[int]*fieldBuilder)}
	b.count()
	for i := range matchers {
		b.file(int32(i))
	}
	b.finish()
	return s
}

// Len returns the number of matchers.
func (s *Set) Len() int { return len(s.matchers) }

// Match appends to out the indexes of the matchers that hold, in rising order.
// It does not allocate when out has room.
func (s *Set) Match(ev Event, sc *Scratch, out []int) []int {
	s.Start(sc)
	for place := range s.heads {
		s.Meet(sc, place, ev.Values(int(s.heads[place].slot)))
	}
	return s.Finish(ev, sc, out)
}

// Start begins a Match by a host that knows which of the fields of [Set.Slots] have
// values: it tells of those with Meet, and Finish returns what Match does.
func (s *Set) Start(sc *Scratch) {
	words := (len(s.matchers) + 63) / 64
	if cap(sc.marks) < 2*words {
		sc.marks = make([]uint64, 2*words)
	}
	sc.marks = sc.marks[:2*words]
	clear(sc.marks)
}

// Finish evaluates the candidates that the fields met have given.
func (s *Set) Finish(ev Event, sc *Scratch, out []int) []int {
	words := len(sc.marks) / 2
	if s.keywords != nil {
		sc.texts = s.keywords
		ev.Keywords(sc.yield)
	}
	markAll(sc.marks, s.always)
	for w, word := range sc.marks[:words] {
		settled := sc.marks[words+w]
		for ; word != 0; word &= word - 1 {
			bit := bits.TrailingZeros64(word)
			i := w*64 + bit
			at := s.matchers[i].all
			if settled>>bit&1 != 0 {
				at = s.matchers[i].rest
			}
			if s.steps.run(at, ev) {
				out = append(out, i)
			}
		}
	}
	return out
}

func markAll(marks []uint64, list []int32) {
	for _, i := range list {
		marks[i>>6] |= 1 << (i & 63)
	}
}

// Meet marks the candidates that the values give of the field at a place in
// [Set.Slots]. A field may be met more than once.
func (s *Set) Meet(sc *Scratch, place int, values []Value) {
	head, seen := &s.heads[place], false
	for i := range values {
		v := &values[i]
		seen = seen || v.Kind != Missing
		if !v.hasText() {
			continue
		}
		if n := len(v.Text); n <= int(head.longest) {
			if n == 0 || v.Kind == Number || s.keys.likely(s.keys.hash(place, n, v.Text[0], v.Text[n-1])) || head.wide && !ascii(v.Text) {
				s.markKey(sc, place, v)
			}
		}
		if head.texts {
			s.fields[place].texts.markUnless(sc.barren(s, place), v.Text, sc.marks)
		}
	}
	if seen && head.present {
		markAll(sc.marks, s.fields[place].present)
	}
}

// markKey marks what is filed under a value that is likely a key.
func (s *Set) markKey(sc *Scratch, place int, v *Value) {
	if found, sure := s.keys.look(place, v); found != nil {
		sc.markFiled(found, true)
	} else if !sure {
		s.fields[place].markExact(*v, sc)
	}
}

// markExact marks what is filed under a value, whatever it is.
func (f *fieldIndex) markExact(v Value, sc *Scratch) {
	keys, end := v.AppendKeys(sc.key[:0])
	sc.key = keys
	if found := f.exact[string(keys[:end])]; found != nil {
		sc.markFiled(found, true)
	}
	if end == len(keys) {
		return
	}
	if found := f.exact[string(keys[end:])]; found != nil {
		sc.markFiled(found, false)
	}
}

// markFiled marks what is filed under a value that has the text, or that has
// another spelling of the number.
func (sc *Scratch) markFiled(found *filed, text bool) {
	markAll(sc.marks, found.all)
	if text {
		markAll(sc.marks[len(sc.marks)/2:], found.settled)
	}
}

// markUnless is mark for texts that are known where none of the index occurs.
func (t *textIndex) markUnless(barren *barren, text string, marks []uint64) {
	if e := barren.entry(text); e == nil {
		t.mark(text, marks)
	} else if !e.is(text) && !t.mark(text, marks) {
		e.set(text)
	}
}

// mark marks the matchers whose texts occur and reports whether there are any.
func (t *textIndex) mark(text string, marks []uint64) (any bool) {
	a := t.automaton
	for s, i := int32(0), 0; i < len(text); {
		if s, i = a.scan(s, text, i); a.hit[s] {
			any = true
			for _, id := range a.out[s] {
				markAll(marks, t.matchers[id])
			}
		}
	}
	return any
}
