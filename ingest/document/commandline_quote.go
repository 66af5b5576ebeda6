package document

import "strings"

// quoted reads a quoted value; the quote that closes it is consumed.
func (l *commandLine) quoted(in place) string {
	quote := l.text[l.pos]
	l.pos++
	from := l.pos
	if end := l.quotedJSON(quote); end > 0 {
		l.pos = end + 1
		return l.text[from:end]
	}
	none := &l.noCloser[in][quote&1] // 0x22 and 0x27
	for i := from; !*none; i++ {
		k := strings.IndexByte(l.text[i:], quote)
		if k < 0 {
			break
		}
		i += k
		if closes(l.text[i+1:], in) {
			l.pos = i + 1
			return l.text[from:i]
		}
	}
	*none = true
	return l.unclosed(from, quote)
}

// quotedJSON returns where a value ends that is JSON, whose own quotes nobody
// escaped; 0 if it is none.
func (l *commandLine) quotedJSON(quote byte) int {
	c := l.peek()
	if c != '{' && c != '[' {
		return 0
	}
	if end := l.pos + l.json(); end > l.pos && end < len(l.text) && l.text[end] == quote {
		return end
	}
	return 0
}

// json returns the length of the object or array at pos, 0 if there is none.
func (l *commandLine) json() int {
	if l.badJSON == maxBadJSON {
		return 0
	}
	n, err := Skip(bytesOf(l.rest()))
	if err != nil {
		l.badJSON++
		return 0
	}
	return n
}

// unclosed reads a value no quote of which closes it. Either the text is cut
// in it: then it is all that is left. Or what follows it is no parameter: then
// it ends at the next quote.
func (l *commandLine) unclosed(from int, quote byte) string {
	rest := l.text[from:]
	k := strings.IndexByte(rest, quote)
	if k < 0 || rest[0] == '{' || rest[0] == '[' {
		l.pos = len(l.text)
		return rest
	}
	l.pos = from + k + 1
	return rest[:k]
}

// closes reports whether a quote with s after it can be the end of a value.
func closes(s string, in place) bool {
	after := skipBlank(s)
	if after == "" {
		return true
	}
	switch in {
	case inList:
		return after[0] == ',' && opensItem(skipBlank(after[1:])) || after[0] == ')' && endsList(after)
	case inTable:
		return after[0] == ',' && opensItem(skipBlank(after[1:])) || strings.IndexByte(";}", after[0]) >= 0 || strings.IndexByte(s[:len(s)-len(after)], '\n') >= 0
	}
	if after[0] == ',' {
		return opensItem(skipBlank(after[1:]))
	}
	return len(after) < len(s) && startsName(after)
}

// opensItem reports whether a further item of a list can begin with s.
func opensItem(s string) bool {
	return s == "" || strings.IndexByte(`"'(@$`, s[0]) >= 0 || strings.HasPrefix(s, cutMark)
}

// endsList reports whether the parentheses that s begins with can be the end
// of a list.
func endsList(s string) bool {
	rest := s
	for rest != "" && (rest[0] == ')' || blank(rest[0])) {
		rest = rest[1:]
	}
	switch {
	case rest == "", rest[0] == ',', rest[0] == ';', rest[0] == '}':
		return true
	}
	return blank(s[len(s)-len(rest)-1]) && startsName(rest)
}

// startsName reports whether a parameter starts with s, rather than text that
// was quoted inside a value. Names are logged as the cmdlet declares them, in
// Pascal case; another must be followed by something that looks like a value.
func startsName(s string) bool {
	n := nameLen(s)
	if n == 0 {
		return false
	}
	after := skipBlank(s[n:])
	if after == "" {
		return true
	}
	if s[n] == ':' {
		return strings.HasPrefix(s[n:], ":$")
	}
	return s[1] <= 'Z' || strings.IndexByte(`"'($@-0123456789`, after[0]) >= 0
}

// nameLen returns the length of the parameter name with its dash that s begins
// with, 0 if it begins with none.
func nameLen(s string) int {
	if len(s) < 2 || s[0] != '-' || !letter(s[1]) {
		return 0
	}
	n := 2
	for n < len(s) && (letter(s[n]) || '0' <= s[n] && s[n] <= '9' || s[n] == '_') {
		n++
	}
	if n == len(s) || blank(s[n]) || s[n] == ':' || strings.HasPrefix(s[n:], cutMark) {
		return n
	}
	return 0
}

func letter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func skipBlank(s string) string {
	for s != "" && blank(s[0]) {
		s = s[1:]
	}
	return s
}
