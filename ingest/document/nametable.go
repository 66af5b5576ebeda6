package document

import (
	"slices"
	"strings"
)

// nameTable finds a name by its length and its ends: nearly every name of a
// record that nobody asked for is told by one look into a small table.
type nameTable struct {
	entries []nameEntry
	table   []int16 // by hash: the place of an entry; -1: none
	shift   uint8   // of the hash
}

// nameEntry is a name and what is asked there, together since most of the time
// goes into fetching it.
type nameEntry struct {
	name  string
	level *level
	slot  int32 // of the path that ends there, if nothing else is asked; -1: see level
	next  int16 // the next name with the same hash, -1: none
}

// make returns the level for name, new if need be. Call seal before use.
func (n *nameTable) make(name string) *level {
	if l := n.exact(name); l != nil {
		return l
	}
	n.entries = append(n.entries, nameEntry{name: name, level: new(level)})
	return n.entries[len(n.entries)-1].level
}

// seal makes the table. Most of its places are empty, so that a name is seldom
// compared in vain.
func (n *nameTable) seal() {
	size, shift := 64, uint8(32-6)
	for size < 8*len(n.entries) {
		size, shift = 2*size, shift-1
	}
	n.shift = shift
	n.table = slices.Repeat([]int16{-1}, size)
	all := n.together()
	for i := range n.entries {
		e := &n.entries[i]
		e.name, all = all[:len(e.name)], all[len(e.name):]
		e.slot = e.level.leaf()
		quoted := `"` + e.name + `"`
		h := hashName(quoted[1], quoted[len(e.name)], uint32(len(e.name))) >> shift
		e.next, n.table[h] = n.table[h], int16(i)
	}
}

// together returns the names in one piece of memory.
func (n *nameTable) together() string {
	var all strings.Builder
	for i := range n.entries {
		all.WriteString(n.entries[i].name)
	}
	return all.String()
}

// hashName mixes a name's length and its case-folded first and last bytes (of
// an empty name, the quotes around it).
func hashName(first, last byte, length uint32) uint32 {
	return (uint32(first|0x20)<<16 | uint32(last|0x20)<<8 | length) * 0x9e3779b1
}

// among returns the entry of name among those with the hash of entry k.
func (n *nameTable) among(k int16, name string) *nameEntry {
	for k >= 0 {
		e := &n.entries[k]
		if name == e.name || foldEqual(name, e.name) {
			return e
		}
		k = e.next
	}
	return nil
}

// search returns the level for the name of m, without the table.
func (n *nameTable) search(t *tape, m *node) *level {
	for i := range n.entries {
		if t.keyIs(m, n.entries[i].name) {
			return n.entries[i].level
		}
	}
	return nil
}

// exact returns the level for a name, or nil.
func (n *nameTable) exact(name string) *level {
	for i := range n.entries {
		if foldEqual(n.entries[i].name, name) {
			return n.entries[i].level
		}
	}
	return nil
}
