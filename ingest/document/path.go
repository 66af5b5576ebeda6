package document

import (
	"fmt"
	"strings"
)

// Path is a compiled path. It is immutable and safe for concurrent use.
//
//	a.b.c                   members, names compared without ASCII case; arrays are transparent
//	a."http://x.y/z".b      a quoted name may hold dots, brackets and, as \" and \\, quotes and backslashes
//	a.list[type=User].id    only elements (or the object) whose member "type" is "User", case aside; may repeat
//	a.*.c                   any member
//	modified.<name>.old|new|added|removed[.<path>]
//	param.<name>[.<path>]   detail.<name>[.<path>]   body[.<path>]
//
// A string that holds a JSON object or array is transparent when the path goes
// deeper.
type Path struct {
	text string
	view view
	name segment    // what modified, param and detail select; may be a star
	side changeSide //
	segs []segment  // the path, or what follows the view
}

type view uint8

const (
	plain view = iota
	modifiedView
	paramView
	detailView
	bodyView
)

type changeSide uint8

const (
	oldSide changeSide = iota
	newSide
	addedSide
	removedSide
)

type segment struct {
	name    string
	star    bool
	filters []filter
	quoted  bool
}

type filter struct{ key, value string }

// Compile parses a path.
func Compile(path string) (*Path, error) {
	segs, err := splitPath(path)
	if err != nil {
		return nil, fmt.Errorf("path %q: %w", path, err)
	}
	p := &Path{text: path, segs: segs}
	if err := p.takeView(); err != nil {
		return nil, fmt.Errorf("path %q: %w", path, err)
	}
	return p, nil
}

// MustCompile is Compile for paths in source code; it panics on a bad one.
func MustCompile(path string) *Path {
	p, err := Compile(path)
	if err != nil {
		panic(err)
	}
	return p
}

// String returns the path as it was given to Compile.
func (p *Path) String() string { return p.text }

// Decodes reports whether the values stand in JSON in strings, which must be
// parsed to be read.
func (p *Path) Decodes() bool { return p.view == modifiedView || p.view == bodyView }

// Targeted reports whether an Extractor comes to the values without looking into
// others: not if it must decode every entry of a list, or a body.
func (p *Path) Targeted() bool { return p.view != bodyView && !p.name.star }

// Through reports whether the path leads through a member of that name, ASCII
// case aside, or through objects that a filter selects.
func (p *Path) Through(name string) (named, filtered bool) {
	for k, s := range p.segs {
		named = named || k < len(p.segs)-1 && !s.star && foldEqual(s.name, name)
		filtered = filtered || len(s.filters) > 0
	}
	return named, filtered
}

// takeView recognises a view by the first segment. A quoted first segment or
// one with a filter is a plain name.
func (p *Path) takeView() error {
	first := p.segs[0]
	if first.star || first.quoted || len(first.filters) > 0 {
		return nil
	}
	rest := p.segs[1:]
	switch strings.ToLower(first.name) {
	case "body":
		p.view, p.segs = bodyView, rest
	case "param", "detail":
		if len(rest) == 0 {
			return fmt.Errorf("%s needs a name: %s.<name>", first.name, first.name)
		}
		p.view, p.name, p.segs = paramView, rest[0], rest[1:]
		if strings.EqualFold(first.name, "detail") {
			p.view = detailView
		}
	case "modified":
		return p.takeModified(rest)
	}
	return nil
}

var sides = map[string]changeSide{"old": oldSide, "new": newSide, "added": addedSide, "removed": removedSide}

// takeModified joins the segments before old, new, added or removed to a
// display name: those may hold dots.
func (p *Path) takeModified(segs []segment) error {
	for k := 1; k < len(segs); k++ {
		side, ok := sides[strings.ToLower(segs[k].name)]
		if !ok || segs[k].quoted {
			continue
		}
		p.view, p.side, p.segs = modifiedView, side, segs[k+1:]
		p.name = segs[0]
		for _, s := range segs[1:k] {
			p.name.name += "." + s.name
			p.name.star = false
		}
		return nil
	}
	return fmt.Errorf("modified needs a name and a side: modified.<name>.old, .new, .added or .removed")
}

// splitPath cuts a path at its dots.
func splitPath(path string) ([]segment, error) {
	if path == "" {
		return nil, fmt.Errorf("empty")
	}
	var segs []segment
	rest := path
	for {
		s, after, err := takeSegment(rest)
		if err != nil {
			return nil, err
		}
		segs = append(segs, s)
		if after == "" {
			return segs, nil
		}
		if after[0] != '.' {
			return nil, fmt.Errorf("%q where a dot should be", after)
		}
		rest = after[1:]
	}
}

func takeSegment(s string) (segment, string, error) {
	var seg segment
	var err error
	if strings.HasPrefix(s, `"`) {
		seg.quoted = true
		if seg.name, s, err = takeQuoted(s); err != nil {
			return seg, s, err
		}
	} else {
		end := strings.IndexAny(s, ".[")
		if end < 0 {
			end = len(s)
		}
		seg.name, s = s[:end], s[end:]
		seg.star = seg.name == "*"
		if seg.name == "" {
			return seg, s, fmt.Errorf("empty name")
		}
	}
	for strings.HasPrefix(s, "[") {
		var f filter
		if f, s, err = takeFilter(s[1:]); err != nil {
			return seg, s, err
		}
		seg.filters = append(seg.filters, f)
	}
	return seg, s, nil
}

// takeQuoted reads a quoted text at the start of s.
func takeQuoted(s string) (text, rest string, err error) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return b.String(), s[i+1:], nil
		case c == '\\' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\'):
			i++
			b.WriteByte(s[i])
		default:
			b.WriteByte(c)
		}
	}
	return "", "", fmt.Errorf("no closing quote")
}

// takeFilter reads key=value] at the start of s; the value may be quoted.
func takeFilter(s string) (f filter, rest string, err error) {
	eq := strings.IndexByte(s, '=')
	if eq <= 0 || strings.IndexByte(s[:eq], ']') >= 0 {
		return f, s, fmt.Errorf("a filter is [key=value]")
	}
	f.key, s = s[:eq], s[eq+1:]
	if strings.HasPrefix(s, `"`) {
		if f.value, s, err = takeQuoted(s); err != nil {
			return f, s, err
		}
		if !strings.HasPrefix(s, "]") {
			return f, s, fmt.Errorf("no ] after the filter's value")
		}
		return f, s[1:], nil
	}
	end := strings.IndexByte(s, ']')
	if end < 0 {
		return f, s, fmt.Errorf("no closing ]")
	}
	f.value = s[:end]
	return f, s[end+1:], nil
}
