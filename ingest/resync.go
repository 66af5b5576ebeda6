package ingest

import (
	"bytes"
	"errors"
	"slices"

	"phiwatch/ingest/document"
)

// maxTries bounds how many places are tried as the end of a damaged record.
const maxTries = 3

// envelopeKeys begin the records of Azure's feeds; few other objects begin so.
var envelopeKeys = [][]byte{[]byte("time"), []byte("records"), []byte("CreationTime")}

// damaged deals with a record that does not parse: it is repaired, or put
// aside up to where the next record seems to begin.
func (s *splitter) damaged(start int, err error) {
	var syntax *document.SyntaxError
	if errors.As(err, &syntax) {
		s.work += syntax.Offset
	}
	if !s.mended && !errors.Is(err, document.ErrTooDeep) && s.repair(start) {
		return
	}
	reason, detail := reasonFor(err, start)
	s.putAside(start, s.extent(start), reason, detail)
}

// garbage puts aside what no record begins with.
func (s *splitter) garbage() {
	start := s.pos
	end := s.nextRecord(start+1, nil)
	if s.tired() {
		end = len(s.data)
	}
	_, err := s.to.doc.ParsePrefix(s.data[start:min(end, start+minWindow)])
	reason, detail := NotJSON, "text between records"
	if err != nil {
		reason, detail = reasonFor(err, start)
	}
	s.putAside(start, end, reason, detail)
}

// tired reports whether the body is so damaged that looking further would
// take out of proportion to its size.
func (s *splitter) tired() bool { return s.work > 16*len(s.data)+1<<16 }

func (s *splitter) putAside(start, end int, reason Reason, detail string) {
	s.pos = end
	s.took(start, end)
	index := s.index
	if end == len(s.data) {
		s.ended = true
		if index == 0 && s.nesting == 0 {
			index = -1
		}
	}
	s.to.reject(index, reason, detail, bytes.TrimRight(s.data[start:end], " \t\r\n,"))
}

// repair tries to mend the record at start, up to each place where the next
// one may begin.
func (s *splitter) repair(start int) bool {
	end, key := start, keyAt(s.data, start)
	var walls []int
	for len(walls) < maxTries {
		if s.tired() {
			return false
		}
		end = s.nextRecord(end+1, key)
		if s.mend(start, end, walls) {
			return true
		}
		if end == len(s.data) {
			return false
		}
		walls = append(walls, end-start)
	}
	return false
}

// mend decodes data[start:end] repaired. What follows the record must look
// like the end of one, and no string of it may reach beyond one of walls, where
// other records seem to begin: that would swallow them.
func (s *splitter) mend(start, end int, walls []int) bool {
	fixed, n, did := mend(s.data[start:end], walls)
	s.work += max(n, 64)
	if fixed == nil || !s.closes(start+n, end) {
		return false
	}
	if m, err := s.to.doc.ParsePrefix(fixed); err != nil || m != len(fixed) {
		return false
	}
	s.pos = start + n
	s.took(start, s.pos)
	if _, ok := wrapper(fixed, 0); ok {
		carried := s.carry() | did
		s.within(fixed, func() {
			s.mended, s.carried = true, carried
			s.values()
		})
		return true
	}
	s.to.accept(did | s.carry())
	return true
}

// closes reports whether a record may end at i, given that the next may begin
// at end.
func (s *splitter) closes(i, end int) bool {
	for ; i < end; i++ {
		switch s.data[i] {
		case ' ', '\t', '\r', '\n', ',', ']', '}':
		default:
			return end == len(s.data) && s.data[i] == '{'
		}
	}
	return true
}

// extent returns where a record that cannot be read ends: where its brackets
// close, if that looks like an end, or where the next record begins.
func (s *splitter) extent(start int) int {
	if s.tired() {
		return len(s.data)
	}
	end := s.nextRecord(start+1, keyAt(s.data, start))
	i := bracketEnd(s.data[:end], start)
	s.work += end - start
	if i < 0 {
		return end
	}
	if j := skipSpace(s.data, i); j < len(s.data) && bytes.IndexByte([]byte(",]{"), s.data[j]) < 0 {
		return end
	}
	return i
}

// bracketEnd returns where the container at i is closed, -1 if it is not.
func bracketEnd(data []byte, i int) int {
	depth := 0
	for i < len(data) {
		switch data[i] {
		case '"':
			for i++; i < len(data) && data[i] != '"'; i++ {
				if data[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
		i++
	}
	return -1
}

// nextRecord returns where the next record seems to begin, the end of the data
// if none does: a brace behind a separator, followed by a name with which
// records begin (envelopeKeys, key, or the last sound record's). Without a
// key, what is before i is no record, and either sign will do.
func (s *splitter) nextRecord(i int, key []byte) int {
	from := i
	defer func() { s.work += max(0, i-from) }()
	for i < len(s.data) {
		n := bytes.IndexByte(s.data[i:], '{')
		if n < 0 {
			break
		}
		i += n
		name := keyAt(s.data, i)
		named := name != nil && (bytes.Equal(name, key) || s.known(name))
		if separated := s.separated(i); named && separated || key == nil && (named || separated) {
			return i
		}
		i++
	}
	i = len(s.data)
	return i
}

func (s *splitter) known(name []byte) bool {
	return slices.ContainsFunc(envelopeKeys, func(k []byte) bool { return bytes.Equal(k, name) }) ||
		s.last >= 0 && bytes.Equal(name, keyAt(s.data, s.last))
}

// separated reports whether a record may begin at i, from what is before it.
func (s *splitter) separated(i int) bool {
	for i--; i >= 0; i-- {
		switch s.data[i] {
		case '\n', ',', '}', ']', '[':
			return true
		case ' ', '\t', '\r':
		default:
			return false
		}
	}
	return true
}

// keyAt returns the first name of the object at i, in quotes of either kind,
// or nil.
func keyAt(data []byte, i int) []byte {
	i = skipSpace(data, i+1)
	if i >= len(data) || data[i] != '"' && data[i] != '\'' {
		return nil
	}
	name := data[i+1 : min(len(data), i+64)]
	end := bytes.IndexByte(name, data[i])
	if end <= 0 {
		return nil
	}
	return name[:end]
}
