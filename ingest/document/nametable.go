package document

// nameTable finds a name by its length and its ends: nearly every name of a
// record that nobody asked for is told by one look into a small table.
type nameTable struct {
	names  []string
	levels []*level
	next   []int16 // the next name with the same hash, -1: none
	table  []int16 // by hash; -1: none
	shift  uint8   // of the hash
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

// seal makes the table. Most of its places are empty, so that a name is seldom
// compared in vain.
func (n *nameTable) seal() {
	size, shift := 64, uint8(32-6)
	for size < 8*len(n.names) {
		size, shift = 2*size, shift-1
	}
	n.shift = shift
	n.table = make([]int16, size)
	for h := range n.table {
		n.table[h] = -1
	}
	n.next = make([]int16, len(n.names))
	for i, name := range n.names {
		quoted := `"` + name + `"`
		h := hashName(quoted[1], quoted[len(name)], uint32(len(name))) >> shift
		n.next[i], n.table[h] = n.table[h], int16(i)
	}
}

// hashName mixes a name's length and its case-folded first and last bytes (of
// an empty name, the quotes around it).
func hashName(first, last byte, length uint32) uint32 {
	return (uint32(first|0x20)<<16 | uint32(last|0x20)<<8 | length) * 0x9e3779b1
}

// among returns the level for name among those with the hash of name k.
func (n *nameTable) among(k int16, name string) *level {
	for ; k >= 0; k = n.next[k] {
		if want := n.names[k]; name == want || foldEqual(name, want) {
			return n.levels[k]
		}
	}
	return nil
}

// search returns the level for the name of m, without the table.
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
