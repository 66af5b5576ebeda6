package document

var (
	paramPlaces  = places("Parameters", "properties.Parameters")
	detailPlaces = places("properties.additionalDetails", "additionalDetails", "ExtendedProperties")
)

func (d *Document) params(t *tape, i uint32, p *Path, s *sink) {
	d.each(t, i, paramPlaces, (*Document).pair, p, s)
}

func (d *Document) details(t *tape, i uint32, p *Path, s *sink) {
	d.each(t, i, detailPlaces, (*Document).pair, p, s)
}

// pair adds the value of one name and value, or what a command line in its
// place says.
func (d *Document) pair(t *tape, i uint32, p *Path, s *sink) {
	if t.nodes[i].kind == String {
		d.line(t, i).add(d, p, s)
		return
	}
	name := t.anyMember(i, "Name", "key")
	value := t.anyMember(i, "Value")
	if name == 0 || value == 0 {
		return
	}
	if t.nodes[value].kind == String && foldEqual(t.text(name), "CmdletOptions") {
		d.line(t, value).add(d, p, s)
	}
	if p.named(t, name) {
		t.walk(value, p.segs, s)
	}
}

// line returns the parsed command line that string i is.
func (d *Document) line(t *tape, i uint32) *commandLine {
	for k := range d.lines[:d.linesUsed] {
		if l := &d.lines[k]; l.tape == t && l.node == i {
			return l
		}
	}
	if d.linesUsed == len(d.lines) {
		d.lines = append(d.lines, commandLine{})
	}
	l := &d.lines[d.linesUsed]
	d.linesUsed++
	l.tape, l.node = t, i
	l.parse(t.text(i))
	return l
}

// add adds the arguments that p names.
func (l *commandLine) add(d *Document, p *Path, s *sink) {
	for _, a := range l.args {
		if p.name.star || foldEqual(a.name, p.name.name) {
			s.addArgument(a.value, p.segs)
		}
	}
}

// addArgument adds v, or, when a path goes on, the value of the hash-table
// key of that name.
func (s *sink) addArgument(v Value, segs []segment) {
	switch len(segs) {
	case 0:
		s.add(v)
	case 1:
		k := len(segs[0].name)
		if len(v.Text) > k && v.Text[k] == '=' && foldEqual(v.Text[:k], segs[0].name) {
			s.add(Value{String, v.Text[k+1:]})
		}
	}
}
