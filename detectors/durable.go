package detectors

import "maps"

// durable remembers, of keys, since when the database is known to have them: what
// earlier transactions stored, once they are committed. It spares telling the
// database what it knows. It is Apply's, which is serial.
type durable struct {
	known map[string]int64
	own   map[string]int64 // of the transaction, which may be rolled back
}

// maxDurable bounds what is remembered.
const maxDurable = 100_000

// begin forgets what the last transaction stored, unless it was committed.
func (s *durable) begin() { clear(s.own) }

// since reports whether the database is known to have the key since at or before.
func (s *durable) since(key string, at int64) bool {
	first, ok := s.known[key]
	return ok && first <= at
}

// note remembers that the transaction stores the key.
func (s *durable) note(key string, at int64) {
	if s.own == nil {
		s.own = map[string]int64{}
	}
	if first, ok := s.own[key]; !ok || at < first {
		s.own[key] = at
	}
}

// commit takes what the transaction stored as known.
func (s *durable) commit() {
	if s.known == nil || len(s.known)+len(s.own) > maxDurable {
		s.known = map[string]int64{}
	}
	maps.Copy(s.known, s.own)
	clear(s.own)
}
