package ingest

import (
	"strconv"
	"strings"

	"phiwatch/ingest/document"
)

// Repair is a set of repairs made on a damaged payload. The zero value is none.
type Repair uint8

// The repairs, each damage that Azure is known to do.
const (
	RepairedQuotes      Repair = 1 << iota // single quotes instead of double ones, and Python's words (platform logs)
	RepairedLineBreaks                     // raw control characters inside a string
	RepairedJoined                         // records joined without a comma or a line break, or cut out of their array
	RepairedEscapes                        // a backslash that begins no JSON escape (file paths)
	RepairedInnerQuotes                    // unescaped double quotes inside a string (Parameters, ExtendedProperties)
)

var repairNames = [...]string{"quotes", "line-breaks", "joined", "escapes", "inner-quotes"}

// RepairNames returns the name of every repair, for pre-created metrics.
func RepairNames() []string { return repairNames[:] }

// Names returns the names of the repairs in the set.
func (r Repair) Names() []string {
	var out []string
	for i, name := range repairNames {
		if r&(1<<i) != 0 {
			out = append(out, name)
		}
	}
	return out
}

// String returns the names, joined by commas, or "none".
func (r Repair) String() string {
	if r == 0 {
		return "none"
	}
	return strings.Join(r.Names(), ",")
}

// unquoteProperties rewrites a record whose "properties" is a string that
// holds an object in single quotes (seen on function logs), so that its fields
// can be addressed. It returns nil if raw is not such a record.
func unquoteProperties(raw []byte) []byte {
	from, to, ok := find(raw, "properties")
	if !ok {
		return nil
	}
	return withObject(raw, from, to)
}

// find returns where the value of a member of the object raw stands.
func find(raw []byte, name string) (from, to int, ok bool) {
	for i := skipSpace(raw, 0) + 1; ; i++ {
		i = skipSpace(raw, i)
		end, ok := member(raw, i)
		if !ok {
			return 0, 0, false
		}
		n, _ := document.Skip(raw[i:]) // the name, which member has read
		if key, err := strconv.Unquote(text(raw[i : i+n])); err == nil && strings.EqualFold(key, name) {
			return skipSpace(raw, skipSpace(raw, i+n)+1), end, true
		}
		if i = skipSpace(raw, end); i >= len(raw) || raw[i] != ',' {
			return 0, 0, false
		}
	}
}

// withObject puts the object that the string raw[from:end] holds in its place.
func withObject(raw []byte, from, end int) []byte {
	var value document.Document
	if value.Parse(raw[from:end]) != nil {
		return nil
	}
	var held []byte
	for s := range value.Strings {
		held = []byte(s)
	}
	fixed, n, did := mend(held, nil)
	if fixed == nil || did&RepairedQuotes == 0 || skipSpace(held, n) != len(held) {
		return nil
	}
	out := append(make([]byte, 0, len(raw)+len(fixed)), raw[:from]...)
	return append(append(out, fixed...), raw[end:]...)
}
