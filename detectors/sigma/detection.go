package sigma

import (
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Detection is a parsed detection block: its searches and its condition. It
// does not change and may be compiled any number of times.
type Detection struct {
	Line     int
	Warnings []*Error // of [ParseDetection]; those of a file's documents are in [Meta]

	file       string
	searches   []*search
	conditions []expr // joined by or
	filters    []*Detection
	never      bool // the condition contradicts itself
}

// search is one named selection: an or of groups. A group of fields is an and.
type search struct {
	name         string
	line, column int
	groups       []group
}

type group struct {
	line  int
	items []*item
}

// item is one key of a map, or one list of keywords, with its values.
type item struct {
	at      position
	field   string
	keyword bool
	key     string // as written, for explanations
	mods    modifiers
	values  []literal
}

type position struct {
	file         string
	line, column int
}

// literal is a value as the rule has it.
type literal struct {
	at   position
	kind Kind // Null, True, False, Number or String
	text string
}

func (at position) errorf(format string, args ...any) *Error {
	return &Error{File: at.file, Line: max(at.line, 1), Column: max(at.column, 1), Msg: fmt.Sprintf(format, args...)}
}

// ParseDetection reads a detection block that stands somewhere else than under
// the key detection of a rule. The error joins one *[Error] for each mistake.
func ParseDetection(file string, n *yaml.Node) (*Detection, error) {
	p := &problems{file: file}
	if n != nil && n.Kind == yaml.DocumentNode && len(n.Content) == 1 {
		n = n.Content[0]
	}
	d := p.detection(resolve(n))
	if len(p.errs) > 0 {
		return nil, errors.Join(p.errs...)
	}
	d.Warnings = p.warnings
	return d, nil
}

// Filtered returns a detection that holds when d holds and the condition of
// every filter does.
func (d *Detection) Filtered(filters ...*Filter) *Detection {
	out := *d
	out.filters = append([]*Detection(nil), d.filters...)
	for _, f := range filters {
		out.filters = append(out.filters, f.Detection)
	}
	return &out
}

func (p *problems) detection(n *yaml.Node) *Detection {
	d := &Detection{file: p.file}
	if n == nil || n.Kind != yaml.MappingNode {
		p.errorf(n, "a detection is a map of searches with a condition")
		return d
	}
	d.Line = n.Line
	var condition *yaml.Node
	for _, kv := range p.pairs(n) {
		switch kv.key.Value {
		case "condition":
			condition = kv.value
		case "timeframe":
			p.warnf(kv.key, "timeframe has no effect: write a correlation document with a timespan")
		default:
			d.searches = append(d.searches, p.search(kv))
		}
	}
	p.condition(d, n, condition)
	return d
}

func (p *problems) search(kv pair) *search {
	s := &search{name: kv.key.Value, line: kv.key.Line, column: kv.key.Column}
	switch {
	case kv.value.Kind == yaml.MappingNode:
		s.groups = p.groupOf(kv.value)
	case kv.value.Kind == yaml.SequenceNode:
		s.groups = p.alternatives(kv.value)
	case isNull(kv.value):
		p.errorf(kv.key, "search %q is empty: give it a map of fields or a list", s.name)
		return s
	default:
		s.groups = []group{{line: kv.value.Line, items: p.keywordItem(kv.value, []*yaml.Node{kv.value})}}
	}
	if len(s.groups) == 0 && len(kv.value.Content) == 0 {
		p.errorf(kv.key, "search %q is empty: give it a map of fields or a list", s.name)
	}
	return s
}

// alternatives reads a list: its maps and its keywords are joined by or.
func (p *problems) alternatives(n *yaml.Node) []group {
	var out []group
	var keywords []*yaml.Node
	for _, c := range n.Content {
		switch c = resolve(c); c.Kind {
		case yaml.MappingNode:
			if len(c.Content) == 0 {
				p.errorf(c, "an empty map matches nothing in particular: give it a field")
			}
			out = append(out, p.groupOf(c)...)
		case yaml.ScalarNode:
			keywords = append(keywords, c)
		default:
			p.errorf(c, "a list within a list has no meaning: write its items in the outer list")
		}
	}
	if len(keywords) > 0 {
		out = append(out, group{line: keywords[0].Line, items: p.keywordItem(keywords[0], keywords)})
	}
	return out
}

func (p *problems) groupOf(n *yaml.Node) []group {
	g := group{line: n.Line}
	for _, kv := range p.pairs(n) {
		if it := p.item(kv); it != nil {
			g.items = append(g.items, it)
		}
	}
	if len(g.items) == 0 {
		return nil
	}
	return []group{g}
}

func (p *problems) keywordItem(at *yaml.Node, values []*yaml.Node) []*item {
	it := &item{at: p.position(at), keyword: true}
	for _, v := range values {
		it.values = append(it.values, p.literal(v))
	}
	p.checkValues(it)
	return []*item{it}
}

func (p *problems) position(n *yaml.Node) position { return position{p.file, n.Line, n.Column} }

// item reads "field|modifier|…: value or list of values".
func (p *problems) item(kv pair) *item {
	parts := strings.Split(kv.key.Value, "|")
	it := &item{at: p.position(kv.key), field: parts[0], key: kv.key.Value, keyword: parts[0] == ""}
	var err error
	if it.mods, err = parseModifiers(parts[1:], it.keyword); err != nil {
		p.errorf(kv.key, "%s: %v", kv.key.Value, err)
		return nil
	}
	switch kv.value.Kind {
	case yaml.ScalarNode:
		it.values = []literal{p.literal(kv.value)}
	case yaml.SequenceNode:
		for _, c := range kv.value.Content {
			if c = resolve(c); c.Kind != yaml.ScalarNode {
				p.errorf(c, "%s: a value must be plain text or a number, not a list or map", kv.key.Value)
				continue
			}
			it.values = append(it.values, p.literal(c))
		}
	default:
		p.errorf(kv.value, "%s: a field needs a value or a list of values; for a field of an object write %s.name", kv.key.Value, parts[0])
		return nil
	}
	if len(it.values) > 0 || len(kv.value.Content) == 0 {
		p.checkValues(it)
	}
	return it
}

func (p *problems) literal(n *yaml.Node) literal {
	l := literal{at: p.position(n), kind: String, text: n.Value}
	switch n.Tag {
	case "!!null":
		l.kind, l.text = Null, ""
	case "!!int", "!!float":
		l.kind, l.text = Number, strings.ReplaceAll(n.Value, "_", "")
	case "!!bool":
		l.kind, l.text = False, "false"
		if strings.EqualFold(n.Value, "true") {
			l.kind, l.text = True, "true"
		}
	}
	return l
}
