package sigma

// tally counts distinct values. It is a hash table of one generation at a time,
// so that starting over costs nothing; the values are hashes already.
type tally struct {
	slots    []tallySlot // a power of two
	gen      uint32
	used     int // slots of this generation, also those whose count is 0 again
	distinct int
}

type tallySlot struct {
	value uint64
	count int32
	gen   uint32
}

func (t *tally) reset() {
	t.used, t.distinct = 0, 0
	if t.gen++; t.gen == 0 { // wrapped: forget what would look current
		clear(t.slots)
		t.gen = 1
	}
}

// slot finds the value's slot, or the free one that it would take.
func (t *tally) slot(value uint64) *tallySlot {
	mask := uint64(len(t.slots) - 1)
	for i := (value ^ value>>32) & mask; ; i = (i + 1) & mask {
		if s := &t.slots[i]; s.gen != t.gen || s.value == value {
			return s
		}
	}
}

func (t *tally) add(value uint64) {
	if 2*t.used >= len(t.slots) {
		t.grow()
	}
	s := t.slot(value)
	if s.gen != t.gen {
		*s = tallySlot{value: value, gen: t.gen}
		t.used++
	}
	if s.count++; s.count == 1 {
		t.distinct++
	}
}

// remove undoes an add.
func (t *tally) remove(value uint64) {
	s := t.slot(value)
	if s.count--; s.count == 0 {
		t.distinct--
	}
}

func (t *tally) grow() {
	old, gen := t.slots, t.gen
	size := max(64, len(old))
	if 4*t.distinct > size { // else it is full of values that have left
		size *= 2
	}
	*t = tally{slots: make([]tallySlot, size), gen: 1}
	for i := range old {
		if s := &old[i]; s.gen == gen && s.count > 0 {
			*t.slot(s.value) = tallySlot{value: s.value, count: s.count, gen: 1}
			t.used++
			t.distinct++
		}
	}
}
