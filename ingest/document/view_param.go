package document

import "strings"

var (
	paramPlaces  = places("Parameters", "properties.Parameters")
	detailPlaces = places("properties.additionalDetails", "additionalDetails", "ExtendedProperties")
)

// pair adds the value of one name and value, or what a command line in its
// place says.
func (d *Document) pair(t *tape, i uint32, p *Path, s *sink) {
	if t.nodes[i].kind == String {
		d.lineValues(t, i, p, s)
		return
	}
	name := t.nameOf(i, p.view)
	value := t.anyMember(i, "Value")
	if name == 0 || value == 0 {
		return
	}
	if t.nodes[value].kind == String && t.says(name, "CmdletOptions") {
		d.lineValues(t, value, p, s)
	}
	if p.named(t, name) {
		before := len(s.dst)
		t.walk(value, p.segs, s)
		for k := before; k < len(s.dst); k++ {
			s.dst[k] = d.plainGUID(s.dst[k])
		}
	}
}

// lineValues adds what p asks of the command line that string i is.
func (d *Document) lineValues(t *tape, i uint32, p *Path, s *sink) {
	l := d.line(t, i)
	for _, a := range l.args {
		if p.name.star || foldEqual(a.name, trim(p.name.name)) {
			d.addArgument(a.value, p.segs, s)
		}
	}
}

// line returns the parsed command line that string i is.
func (d *Document) line(t *tape, i uint32) *commandLine {
	s := t.sideOf(i)
	if s.line == nil {
		if d.linesUsed == len(d.lines) {
			d.lines = append(d.lines, &commandLine{doc: d})
		}
		s.line = d.lines[d.linesUsed]
		d.linesUsed++
		s.line.parse(s.text)
	}
	return s.line
}

// addArgument adds v or, when the path goes on, what is at the rest of the
// path: in JSON that the value is, or under a key of a hash table.
func (d *Document) addArgument(v Value, segs []segment, s *sink) {
	switch {
	case len(segs) == 0:
		s.add(d.plainGUID(v))
	case v.Kind != String:
	default:
		if value, ok := tableValue(v.Text, segs); ok {
			s.add(Value{String, value})
		} else {
			d.walkText(v.Text, segs, s)
		}
	}
}

// tableValue reads "key=value" and "[key, value]", as hash tables are logged.
func tableValue(text string, segs []segment) (string, bool) {
	if len(segs) != 1 {
		return "", false
	}
	separator := byte('=')
	if n := len(text); n > 2 && text[0] == '[' && text[n-1] == ']' {
		text, separator = text[1:n-1], ','
	}
	k := strings.IndexByte(text, separator)
	if k < 0 || !segs[0].star && !foldEqual(trim(text[:k]), segs[0].name) {
		return "", false
	}
	return trim(text[k+1:]), true
}

// walkText walks the JSON that text is; its tapes are given back.
func (d *Document) walkText(text string, segs []segment, s *sink) {
	inUse := d.inUse
	if t := d.parseNested(text, 1); t != nil {
		t.walk(0, segs, s)
	}
	d.inUse = inUse
}
