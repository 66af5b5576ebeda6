package sigma

import (
	"cmp"
	"slices"
	"unicode/utf8"
)

// maxIndexText bounds the texts of the set's automata: of a longer one its end
// is enough to find candidates.
const maxIndexText = 12

// setBuilder chooses for each matcher what it is filed under.
type setBuilder struct {
	set      *Set
	advice   Advice
	matchers []*Matcher
	shared   map[slotValue]int // matchers that could be filed under an exact value
	fields   map[int]*fieldBuilder
	keywords textBuilder
}

type slotValue struct {
	slot  int
	value string
}

type fieldBuilder struct {
	index fieldIndex
	texts textBuilder
}

type textBuilder map[string][]int32

func (b *setBuilder) count() {
	b.shared = make(map[slotValue]int)
	for _, m := range b.matchers {
		all, _ := b.requires(m)
		for _, c := range all {
			for _, r := range c {
				if r.Kind != Exact {
					continue
				}
				for _, v := range r.Values {
					b.shared[slotValue{r.Slot, v}]++
				}
			}
		}
	}
}

// requires returns what a matcher requires, as far as there is advice in other
// words.
func (b *setBuilder) requires(m *Matcher) (all []clause, never bool) {
	all, never = m.root.requires()
	if b.advice.Instead != nil {
		for i, c := range all {
			all[i] = b.instead(c)
		}
	}
	return all, never
}

func (b *setBuilder) instead(c clause) clause {
	var out clause
	for _, r := range c {
		others := clause{r}
		if r.Slot != KeywordSlot {
			if list := b.advice.Instead(r); len(list) > 0 {
				others = list
			}
		}
		for _, other := range others {
			other.numbers = other.numbers || r.numbers
			out = union(out, clause{other.normal()})
		}
	}
	return out
}

// file puts a matcher under every requirement of the clause that costs least.
func (b *setBuilder) file(i int32) {
	parts := b.parts(b.matchers[i])
	all, never := b.requires(b.matchers[i])
	switch {
	case never:
		return
	case len(all) == 0:
		b.set.always = append(b.set.always, i)
		b.evaluate(i, parts, -1)
		return
	}
	best := slices.MinFunc(all, func(x, y clause) int { return cmp.Compare(b.cost(x), b.cost(y)) })
	for _, r := range best {
		b.put(i, r)
	}
	place := settles(parts, best)
	if place >= 0 {
		b.fields[best[0].Slot].index.settle(i, best[0].Values)
	}
	b.evaluate(i, parts, place)
}

// cost orders clauses: exact values that few matchers share, then texts, then
// presence, then keywords, for which every string of the event is read.
func (b *setBuilder) cost(c clause) float64 {
	effort := 0.0
	for _, r := range c {
		if r.Slot != KeywordSlot && b.advice.Effort != nil {
			effort = max(effort, b.advice.Effort(r))
		}
	}
	cost := c.weight()
	if cost >= 2 {
		return cost + effort
	}
	sum, n := 0, 0
	for _, r := range c {
		for _, v := range r.Values {
			sum += b.shared[slotValue{r.Slot, v}]
			n++
		}
	}
	return 2 - 1/(1+float64(sum)/float64(n)) + effort
}

func (b *setBuilder) put(i int32, r Requirement) {
	if r.Slot == KeywordSlot {
		if b.keywords == nil {
			b.keywords = make(textBuilder)
		}
		b.keywords.add(i, r.Values)
		return
	}
	f := b.fields[r.Slot]
	if f == nil {
		f = &fieldBuilder{index: fieldIndex{slot: r.Slot}, texts: make(textBuilder)}
		b.fields[r.Slot] = f
	}
	switch r.Kind {
	case Present:
		f.index.present = append(f.index.present, i)
	case Substring:
		f.texts.add(i, r.Values)
	case Exact:
		f.index.addExact(i, r.Values)
	}
}

func (f *fieldIndex) addExact(i int32, values []string) {
	if f.exact == nil {
		f.exact = make(map[string]*filed)
	}
	for _, v := range values {
		if f.exact[v] == nil {
			f.exact[v] = new(filed)
		}
		f.exact[v].all = append(f.exact[v].all, i)
	}
}

func (f *fieldIndex) settle(i int32, values []string) {
	for _, v := range values {
		f.exact[v].settled = append(f.exact[v].settled, i)
	}
}

func (t textBuilder) add(i int32, values []string) {
	for _, v := range values {
		v = v[max(0, len(v)-maxIndexText):]
		for !utf8.RuneStart(v[0]) {
			v = v[1:]
		}
		if list := t[v]; len(list) == 0 || list[len(list)-1] != i {
			t[v] = append(list, i)
		}
	}
}

func (t textBuilder) index() *textIndex {
	if len(t) == 0 {
		return nil
	}
	texts := make([]string, 0, len(t))
	for text := range t {
		texts = append(texts, text)
	}
	slices.Sort(texts)

	x := &textIndex{automaton: newAutomaton(texts)}
	for _, text := range texts {
		x.matchers = append(x.matchers, t[text])
	}
	return x
}

func (b *setBuilder) finish() {
	keys := 0
	for _, f := range b.fields {
		f.index.texts = f.texts.index()
		b.set.fields = append(b.set.fields, f.index)
		keys += len(f.index.exact)
	}
	slices.SortFunc(b.set.fields, func(x, y fieldIndex) int { return x.slot - y.slot })
	b.set.keys = newKeyTable(keys)
	for i := range b.set.fields {
		b.set.heads = append(b.set.heads, b.head(i))
	}
	b.set.keywords = b.keywords.index()
}

func (b *setBuilder) head(i int) fieldHead {
	f := &b.set.fields[i]
	head := fieldHead{slot: int32(f.slot), longest: -1, texts: f.texts != nil, present: len(f.present) > 0}
	for key, found := range f.exact {
		b.set.keys.add(i, key, found)
		head.wide = head.wide || isWide(key)
		head.longest = max(head.longest, int32(3*len(key))) // folding makes no text shorter than a third of itself
	}
	return head
}
