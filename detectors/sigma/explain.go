package sigma

import (
	"fmt"
	"strings"
)

// Explanation says of one part of a detection whether it held for an event.
type Explanation struct {
	Part   string        // the part as the rule has it
	Line   int           // in the rule's file; 0 for and, or, not
	Held   bool          //
	Field  string        // of a part that looks at a field
	Values []Value       // what the event has there
	Parts  []Explanation // of a part that is made of others
}

// Explain evaluates every part of the detection, also those that [Matcher.Match]
// need not look at.
func (m *Matcher) Explain(ev Event) Explanation { return m.root.explain(ev) }

// String draws the explanation as an indented tree.
func (e Explanation) String() string {
	var b strings.Builder
	e.write(&b, 0)
	return b.String()
}

func (e Explanation) write(b *strings.Builder, depth int) {
	mark := "no "
	if e.Held {
		mark = "yes"
	}
	fmt.Fprintf(b, "%s %s%s", mark, strings.Repeat("  ", depth), e.Part)
	if e.Line > 0 {
		fmt.Fprintf(b, " (line %d)", e.Line)
	}
	if e.Field != "" {
		fmt.Fprintf(b, " has %s", describeValues(e.Values))
	}
	b.WriteByte('\n')
	for _, p := range e.Parts {
		p.write(b, depth+1)
	}
}

func describeValues(values []Value) string {
	if !present(values) {
		return "no value"
	}
	var out []string
	for _, v := range values {
		switch v.Kind {
		case Missing:
		case Null:
			out = append(out, "null")
		case String:
			out = append(out, fmt.Sprintf("%q", shorten(v.Text)))
		default:
			out = append(out, shorten(v.Text))
		}
	}
	return strings.Join(out, ", ")
}

// shorten cuts a text to a length that fits a line.
func shorten(s string) string {
	const limit = 120
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "…"
}

// describe writes an item as the rule has it.
func (it *item) describe() string {
	const most = 4
	var values []string
	for i, v := range it.values {
		if i == most {
			values = append(values, fmt.Sprintf("… %d more", len(it.values)-most))
			break
		}
		switch v.kind {
		case Null:
			values = append(values, "null")
		case String:
			values = append(values, "'"+shorten(v.text)+"'")
		default:
			values = append(values, v.text)
		}
	}
	text := strings.Join(values, ", ")
	if len(it.values) > 1 {
		text = "[" + text + "]"
	}
	return it.name() + ": " + text
}

func (n *andNode) explain(ev Event) Explanation { return explainParts(n.label, n.parts, n, ev) }

func (n *orNode) explain(ev Event) Explanation { return explainParts(n.label, n.parts, n, ev) }

func (n *notNode) explain(ev Event) Explanation {
	return explainParts(label{text: "not"}, []node{n.part}, n, ev)
}

func explainParts(l label, parts []node, n node, ev Event) Explanation {
	e := Explanation{Part: l.text, Line: l.line, Held: n.match(ev)}
	for _, p := range parts {
		e.Parts = append(e.Parts, p.explain(ev))
	}
	return e
}

func explainField(l label, slot int, n node, ev Event) Explanation {
	values := append([]Value(nil), ev.Values(slot)...)
	return Explanation{Part: l.text, Line: l.line, Held: n.match(ev), Field: l.field, Values: values}
}

func (n *fieldNode) explain(ev Event) Explanation { return explainField(n.label, n.slot, n, ev) }

func (n *nullNode) explain(ev Event) Explanation { return explainField(n.label, n.slot, n, ev) }

func (n *existsNode) explain(ev Event) Explanation { return explainField(n.label, n.slot, n, ev) }

func (n *refNode) explain(ev Event) Explanation { return explainField(n.label, n.slot, n, ev) }

func (n *keywordNode) explain(ev Event) Explanation {
	return Explanation{Part: n.label.text, Line: n.label.line, Held: n.match(ev)}
}
