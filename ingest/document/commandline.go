package document

import "strings"

// commandLine is the text that the compliance centre logs in place of a list
// of parameters, cut into arguments. It looks like PowerShell but is not: quotes
// inside values are not escaped, long values end in "[...]", and the whole text
// may stop anywhere. A quote therefore closes a value only when what follows it
// can follow a value.
type commandLine struct {
	args []argument
	doc  *Document // for text that has to be put together

	text     string
	pos      int
	name     string
	nesting  int        // lists and tables that are open
	noCloser [3][2]bool // per place and quote: no quote from pos on closes a value
	badJSON  int        // attempts to read a value as JSON that failed
}

// An argument is one value of one parameter; a list gives several arguments.
type argument struct {
	name  string
	value Value
}

const cutMark = "[...]"

// Bounds that keep a hostile text linear, and off the stack.
const (
	maxNesting = 16
	maxBadJSON = 8
)

// parse cuts text into arguments. It accepts any text and never loops: what is
// no parameter is passed over.
func (l *commandLine) parse(text string) {
	l.args, l.text, l.pos = l.args[:0], text, 0
	l.nesting, l.noCloser, l.badJSON = 0, [3][2]bool{}, 0
	for l.pos < len(text) {
		l.space()
		n := nameLen(text[l.pos:])
		if n == 0 {
			l.word()
			continue
		}
		l.name = text[l.pos+1 : l.pos+n]
		l.pos += n
		if strings.HasPrefix(l.rest(), cutMark) {
			return // the name itself is cut: nothing certain can be said
		}
		l.argument()
	}
}

func (l *commandLine) rest() string { return l.text[l.pos:] }

func (l *commandLine) space() {
	for l.pos < len(l.text) && blank(l.text[l.pos]) {
		l.pos++
	}
}

// word passes over one word and at least one byte.
func (l *commandLine) word() {
	for l.pos < len(l.text) && !blank(l.text[l.pos]) {
		l.pos++
	}
}

func (l *commandLine) add(v Value) {
	l.args = append(l.args, argument{l.name, v})
}

// argument reads what follows a name: nothing (a switch), or values joined by commas.
func (l *commandLine) argument() {
	if l.peek() == ':' {
		l.pos++
	}
	l.space()
	if l.pos == len(l.text) || nameLen(l.rest()) > 0 {
		l.add(Value{True, "true"})
		return
	}
	l.items(inLine)
}

// items reads values joined by commas.
func (l *commandLine) items(in place) {
	for l.pos < len(l.text) {
		l.item(in)
		l.space()
		if l.peek() != ',' {
			return
		}
		l.pos++
		l.space()
	}
}

func (l *commandLine) peek() byte {
	if l.pos < len(l.text) {
		return l.text[l.pos]
	}
	return 0
}

// place says what a value stands in, and so what may follow it.
type place uint8

const (
	inLine place = iota
	inList
	inTable
)

// item reads one value. Lists in lists are flattened.
func (l *commandLine) item(in place) {
	rest := l.rest()
	l.nesting++
	defer func() { l.nesting-- }()
	switch {
	case l.nesting > maxNesting:
		l.add(bareValue(l.bare(in)))
	case strings.HasPrefix(rest, "@{"):
		l.pos += 2
		l.table()
	case strings.HasPrefix(rest, "@("):
		l.pos += 2
		l.list()
	case strings.HasPrefix(rest, "("):
		l.pos++
		l.list()
	case strings.HasPrefix(rest, `"`), strings.HasPrefix(rest, `'`):
		l.add(Value{String, l.quoted(in)})
	default:
		l.add(bareValue(l.bare(in)))
	}
}

// list reads items up to the closing parenthesis, which is consumed. Lists in
// lists are read in the same loop, so hostile nesting costs no stack.
func (l *commandLine) list() {
	before, depth := len(l.args), 1
	for {
		l.space()
		switch rest := l.rest(); {
		case rest == "":
			return // cut
		case rest[0] == ',':
			l.pos++
		case rest[0] == ')':
			l.pos++
			if depth--; depth > 0 {
				continue
			}
			if len(l.args) == before {
				l.add(Value{Array, "[]"})
			}
			return
		case rest[0] == '(':
			l.pos++
			depth++
		case strings.HasPrefix(rest, "@("):
			l.pos += 2
			depth++
		default:
			l.item(inList)
		}
	}
}

// table reads key=value pairs up to the closing brace, which is consumed, as
// one "key=value" text each.
func (l *commandLine) table() {
	before := len(l.args)
	for {
		l.space()
		switch l.peek() {
		case 0:
			if l.pos == len(l.text) {
				return // cut
			}
			l.pos++
		case ';', ',':
			l.pos++
		case '}':
			l.pos++
			if len(l.args) == before {
				l.add(Value{Array, "[]"})
			}
			return
		default:
			l.pair()
		}
	}
}

// pair reads key = value; a list of values gives a pair each.
func (l *commandLine) pair() {
	from := l.pos
	for l.pos < len(l.text) && !strings.ContainsRune("=;}", rune(l.text[l.pos])) {
		l.pos++
	}
	key := strings.Trim(trim(l.text[from:l.pos]), `"'`)
	if l.peek() != '=' {
		if key != "" {
			l.add(Value{String, key})
		}
		return
	}
	l.pos++
	l.space()
	first := len(l.args)
	switch rest := l.rest(); {
	case rest == "" || rest[0] == ';' || rest[0] == '}':
		l.add(Value{String, ""})
	case strings.HasPrefix(rest, "@{"): // tables in tables do not occur; their text is kept
		l.add(Value{String, l.bare(inTable)})
	default:
		l.items(inTable)
	}
	for k := first; k < len(l.args); k++ {
		l.args[k].value = Value{String, l.doc.join(key, "=", l.args[k].value.Text)}
	}
}

// bare reads a value without quotes.
func (l *commandLine) bare(in place) string {
	from := l.pos
	if l.peek() == '{' {
		if n := l.json(); n > 0 {
			l.pos += n
			return l.text[from:l.pos]
		}
	}
	for l.pos = min(l.pos+1, len(l.text)); l.pos < len(l.text); l.pos++ {
		c := l.text[l.pos]
		if blank(c) && in != inTable || c == ',' ||
			c == ')' && in == inList || (c == ';' || c == '}' || c == '\n') && in == inTable {
			break
		}
	}
	return trim(l.text[from:l.pos])
}

// bareValue gives a value without quotes its kind.
func bareValue(s string) Value {
	switch {
	case foldEqual(s, "$true"):
		return Value{True, "true"}
	case foldEqual(s, "$false"):
		return Value{False, "false"}
	case foldEqual(s, "$null"):
		return Value{Null, ""}
	case len(s) > 0 && scanNumber(bytesOf(s), 0) == len(s):
		return Value{Number, s}
	}
	return Value{String, s}
}

func blank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }
