package sigma

// Slots returns the fields that every event is asked for, whichever rules it
// concerns: those that the set's index is over. A host may read these at once.
func (s *Set) Slots() []int {
	out := make([]int, 0, len(s.fields))
	for i := range s.fields {
		out = append(out, s.fields[i].slot)
	}
	return out
}
