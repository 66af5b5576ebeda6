package ingest

import (
	"bytes"
	"errors"

	"phiwatch/ingest/document"
)

// maxTries bounds how many places are tried as the end of a damaged record.
const maxTries = 3

// envelopeNames are the members with which the records of Azure's feeds begin,
// in lower case; few other objects begin with two of them.
var envelopeNames = map[string]bool{
	"time": true, "resourceid": true, "category": true, "operationname": true, "operationversion": true, "tenantid": true,
	"level": true, "location": true, "correlationid": true, "calleripaddress": true, "resulttype": true, "durationms": true,
	"identity": true, "properties": true, "rolelocation": true, "stamp": true, "releaseversion": true, "tenant": true,
	"creationtime": true, "id": true, "operation": true, "organizationid": true, "recordtype": true, "resultstatus": true,
	"userkey": true, "usertype": true, "version": true, "workload": true, "clientip": true, "objectid": true, "userid": true,
}

// damaged deals with a record that does not parse: it is repaired, or put
// aside up to where the next record seems to begin.
func (s *splitter) damaged(start int, err error) {
	if syntax, ok := errors.AsType[*document.SyntaxError](err); ok {
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
	end := s.nextRecord(start+1, opening{})
	if s.tired() {
		end = len(s.data)
	}
	_, err := s.to.doc.ParsePrefix(s.data[start:end])
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
	s.shaken = true
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
	end, key := start, openingAt(s.data, start)
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
	s.shaken = true
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
	end := s.nextRecord(start+1, openingAt(s.data, start))
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
// if none does: a brace behind a separator, followed by names with which the
// damaged record began, or the last sound one, or records of Azure's do.
// Without a damaged record, what is before i is no record, and either sign
// will do.
func (s *splitter) nextRecord(i int, damaged opening) int {
	from := i
	defer func() { s.work += max(0, i-from) }()
	var last opening
	if s.last >= 0 {
		last = openingAt(s.data, s.last)
	}
	for i < len(s.data) {
		n := bytes.IndexByte(s.data[i:], '{')
		if n < 0 {
			break
		}
		i += n
		if o := openingAt(s.data, i); o.first != nil {
			s.work += maxOpening / 4
			named := o.like(damaged) || o.like(last) || o.envelope()
			separated := s.separated(i)
			if named && separated || damaged.first == nil && (separated || named || envelopeName(o.first)) {
				return i
			}
		}
		i++
	}
	i = len(s.data)
	return i
}

// opening is the first two names of an object. second is nil if it cannot be
// told, and not nil but empty if there is only one.
type opening struct{ first, second []byte }

func (o opening) like(p opening) bool {
	return p.first != nil && bytes.Equal(o.first, p.first) && (o.second == nil || p.second == nil || bytes.Equal(o.second, p.second))
}

// envelope reports whether both names are of an envelope.
func (o opening) envelope() bool {
	if bytes.EqualFold(o.first, []byte("records")) {
		return true
	}
	return envelopeName(o.first) && (o.second == nil || envelopeName(o.second))
}

func envelopeName(name []byte) bool {
	var low [maxKey]byte
	return envelopeNames[string(lower(low[:0], text(name)))]
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

// How far an opening is looked at.
const (
	maxKey     = 64
	maxOpening = 512
)

// openingAt returns the opening of the object at i.
func openingAt(data []byte, i int) (o opening) {
	data = data[:min(len(data), i+maxOpening)]
	first, i := keyAt(data, i+1)
	if first == nil {
		return opening{}
	}
	o.first = first
	if i = skipSpace(data, i); i >= len(data) || data[i] != ':' {
		return o
	}
	n, err := document.Skip(data[i+1:])
	if i = skipSpace(data, i+1+n); err != nil || i >= len(data) {
		return o
	}
	switch data[i] {
	case '}':
		o.second = []byte{}
	case ',':
		o.second, _ = keyAt(data, i+1)
	}
	return o
}

// keyAt returns the name at i, in quotes of either kind, and where it ends; or
// nil.
func keyAt(data []byte, i int) (name []byte, end int) {
	i = skipSpace(data, i)
	if i >= len(data) || data[i] != '"' && data[i] != '\'' {
		return nil, i
	}
	name = data[i+1 : min(len(data), i+maxKey)]
	n := bytes.IndexByte(name, data[i])
	if n <= 0 {
		return nil, i
	}
	return name[:n], i + 1 + n + 1
}
