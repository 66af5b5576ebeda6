package document

import "strings"

// commandLine is a PowerShell-like command line, parsed.
type commandLine struct {
	tape *tape
	node uint32
	args []argument
}

type argument struct {
	name  string
	value Value
}

// parse cuts a command line into arguments (plain version).
func (l *commandLine) parse(text string) {
	l.args = l.args[:0]
	rest := strings.TrimSpace(text)
	for strings.HasPrefix(rest, "-") {
		name, after, _ := strings.Cut(rest[1:], " ")
		rest = strings.TrimSpace(after)
		var value string
		switch {
		case rest == "" || strings.HasPrefix(rest, "-"):
			l.args = append(l.args, argument{name, Value{True, "true"}})
			continue
		case strings.HasPrefix(rest, `"`):
			value, rest, _ = strings.Cut(rest[1:], `"`)
		default:
			value, rest, _ = strings.Cut(rest, " ")
		}
		l.args = append(l.args, argument{name, Value{String, value}})
		rest = strings.TrimSpace(rest)
	}
}
