package sigma

import "strings"

// tokenKind tells the parts of a pattern apart.
type tokenKind byte

const (
	tokenText tokenKind = iota
	tokenOne            // ?
	tokenMany           // *
)

type token struct {
	kind tokenKind
	text string
}

// parsePattern splits a Sigma string into text and wildcards, resolving its
// escapes (rules specification, escape character).
func parsePattern(s string) []token {
	var out []token
	var text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			out = append(out, token{tokenText, text.String()})
			text.Reset()
		}
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s) && strings.IndexByte(`*?\`, s[i+1]) >= 0:
			i++
			text.WriteByte(s[i])
		case c == '*':
			flush()
			out = append(out, token{kind: tokenMany})
		case c == '?':
			flush()
			out = append(out, token{kind: tokenOne})
		default:
			text.WriteByte(c)
		}
	}
	flush()
	return out
}

func hasWildcard(s string) bool {
	for _, t := range parsePattern(s) {
		if t.kind != tokenText {
			return true
		}
	}
	return false
}

// plain returns the text of a pattern without wildcards.
func plain(tokens []token) string {
	if len(tokens) == 0 {
		return ""
	}
	return tokens[0].text
}

// placed puts wildcards around a pattern as contains, startswith and endswith
// ask for, and joins neighbouring stars.
func placed(tokens []token, place string) []token {
	many := token{kind: tokenMany}
	var out []token
	if place == "contains" || place == "endswith" {
		out = append(out, many)
	}
	out = append(out, tokens...)
	if place == "contains" || place == "startswith" {
		out = append(out, many)
	}
	n := 0
	for i, t := range out {
		if i > 0 && t.kind == tokenMany && out[n-1].kind == tokenMany {
			continue
		}
		out[n] = t
		n++
	}
	return out[:n]
}

// shape is the form of a pattern, by which its matcher is chosen.
type shape byte

const (
	shapeGlob shape = iota
	shapeAny        // *
	shapeEqual
	shapePrefix
	shapeSuffix
	shapeContains
)

// shapeOf returns the form of a pattern and its one text, if it has just one.
func shapeOf(tokens []token) (shape, string) {
	kinds := make([]byte, 0, 3)
	var text strings.Builder
	for _, t := range tokens {
		if t.kind == tokenOne || len(kinds) == 3 {
			return shapeGlob, ""
		}
		kinds = append(kinds, "t?*"[t.kind])
		text.WriteString(t.text)
	}
	switch string(kinds) {
	case "", "t":
		return shapeEqual, text.String()
	case "*":
		return shapeAny, ""
	case "t*":
		return shapePrefix, text.String()
	case "*t":
		return shapeSuffix, text.String()
	case "*t*":
		return shapeContains, text.String()
	}
	return shapeGlob, ""
}

// glob matches a pattern of any form: segments parted by stars, each a row of
// literals and single-character wildcards.
type glob struct {
	segments   []segment
	start, end bool // the first and last segment are anchored
}

type segment struct {
	parts []globPart
	runes int
}

type globPart struct {
	one bool
	lit literalText
}

func newGlob(tokens []token, cased bool) *glob {
	g := &glob{start: true, end: true}
	var cur segment
	for i, t := range tokens {
		switch t.kind {
		case tokenMany:
			g.start = g.start && i > 0
			g.end = i < len(tokens)-1
			if i > 0 {
				g.segments = append(g.segments, cur)
			}
			cur = segment{}
		case tokenOne:
			cur.parts = append(cur.parts, globPart{one: true})
			cur.runes++
		default:
			lit := newLiteral(t.text, cased)
			cur.parts = append(cur.parts, globPart{lit: lit})
			cur.runes += lit.runes
		}
	}
	if g.end {
		g.segments = append(g.segments, cur)
	}
	return g
}

// longest returns the longest literal of the pattern, which every text that
// matches contains.
func (g *glob) longest() string {
	best := ""
	for _, s := range g.segments {
		for _, p := range s.parts {
			if len(p.lit.text) > len(best) {
				best = p.lit.text
			}
		}
	}
	return best
}

func (g *glob) match(text string) bool {
	i, segments := 0, g.segments
	if g.start && len(segments) > 0 {
		if i = segments[0].at(text, 0); i < 0 {
			return false
		}
		if segments = segments[1:]; len(segments) == 0 && g.end && len(g.segments) == 1 {
			return i == len(text)
		}
	}
	for n := range segments {
		s := &segments[n]
		if g.end && n == len(segments)-1 {
			from := backRunes(text, s.runes)
			return from >= i && s.at(text, from) == len(text)
		}
		if i = s.find(text, i); i < 0 {
			return false
		}
	}
	return true
}

// at matches the segment at byte i and returns where it ends, or -1.
func (s *segment) at(text string, i int) int {
	for n := range s.parts {
		p := &s.parts[n]
		if p.one {
			if i >= len(text) {
				return -1
			}
			i += runeLen(text[i:])
			continue
		}
		if i = p.lit.at(text, i); i < 0 {
			return -1
		}
	}
	return i
}

// find returns where the first match of the segment from byte i on ends, or -1.
func (s *segment) find(text string, i int) int {
	for {
		if end := s.at(text, i); end >= 0 {
			return end
		}
		if i >= len(text) {
			return -1
		}
		i += runeLen(text[i:])
	}
}
