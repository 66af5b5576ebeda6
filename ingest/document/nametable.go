package document

// nameTable finds a name by its length and its ends: nearly every name of a
// record that nobody asked for is told by one look into a small table.
type nameTable struct {
	names  []string
	levels []*level
	next   []int16 // the next name with the same hash, -1: none
	table  []int16 // by hash; -1: none
}

// make returns the level for name, new if need be. Call seal before use.
func (n *nameTable) make(name string) *level {
	for i, have := range n.names {
		if foldEqual(have, name) {
			return n.levels[i]
		}
	}
	n.names = append(n.names, name)
	n.levels = append(n.levels, new(level))
	return n.levels[len(n.levels)-1]
}

func (n *nameTable) seal() {
	if len(n.names) == 0 {
		return
	}
	size := 64
	for size < 8*len(n.names) {
		size *= 2
	}
	n.table = make([]int16, size)
	for h := range n.table {
		n.table[h] = -1
	}
	n.next = make([]int16, len(n.names))
	for i, name := range n.names {
		h := hashName(bytesOf(name)) & (size - 1)
		n.next[i], n.table[h] = n.table[h], int16(i)
	}
}

// hashName mixes the length and the case-folded first, middle and last bytes.
func hashName(name []byte) int {
	k := len(name)
	if k == 0 {
		return 0
	}
	first, middle, last := int(name[0]|0x20), int(name[k/2]|0x20), int(name[k-1]|0x20)
	return k*5 + first*37 + middle*17 + last*11
}

// find returns the level for the name of n, or nil.
func (n *nameTable) find(t *tape, m *node) *level {
	if m.flags&flagKeyEscaped != 0 || m.keyLen == longKey {
		return n.search(t, m)
	}
	name := t.raw[m.key : m.key+uint32(m.keyLen)]
	for i := n.table[hashName(name)&(len(n.table)-1)]; i >= 0; i = n.next[i] {
		if want := n.names[i]; alias(name) == want || foldEqual(alias(name), want) {
			return n.levels[i]
		}
	}
	return nil
}

// search is find for the rare names with escapes.
func (n *nameTable) search(t *tape, m *node) *level {
	for i, name := range n.names {
		if t.keyIs(m, name) {
			return n.levels[i]
		}
	}
	return nil
}

// exact returns the level for a name, or nil.
func (n *nameTable) exact(name string) *level {
	for i, have := range n.names {
		if foldEqual(have, name) {
			return n.levels[i]
		}
	}
	return nil
}
