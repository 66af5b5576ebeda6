package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// textWidth is where lines of entries are wrapped, in characters.
const textWidth = 118

// text prints the coverage for a terminal.
func (c *coverage) text(out io.Writer) error {
	var b bytes.Buffer
	full := 0
	for _, s := range c.Safeguards {
		if s.Covered == covered {
			full++
		}
		s.text(&b)
	}
	fmt.Fprintf(&b, "%d of %d safeguards covered in full%s\n\n", full, len(c.Safeguards), c.checked())
	c.textSources(&b)
	c.textLists(&b)
	_, err := b.WriteTo(out)
	return err
}

func (c *coverage) checked() string {
	if c.Checked == nil {
		return " by the rules; with --url, also by the events that a daemon has seen"
	}
	return " by the rules and the events seen, counted since " + c.Checked.Since.Format(time.DateTime+"Z07:00")
}

func (s *coveredSafeguard) text(b *bytes.Buffer) {
	head := s.System
	if s.Safeguard != "" {
		head += " (" + s.Safeguard + "; " + strings.Join(s.HIPAA, ", ") + ")"
	}
	fmt.Fprintf(b, "%-12s%s\n", s.Code, head)
	verdict := string(s.Covered)
	if len(s.Missing) > 0 {
		verdict += ": " + strings.Join(s.Missing, "; ")
	}
	field(b, "covered", []string{verdict}, "")
	field(b, "entries", s.names(func(e coveredEntry) (string, bool) { return e.Entry, e.Enabled && !e.Blind }), ", ")
	field(b, "blind", s.names(func(e coveredEntry) (string, bool) {
		return e.Entry + " (" + e.want() + ")", e.Enabled && e.Blind
	}), ", ")
	field(b, "disabled", s.names(func(e coveredEntry) (string, bool) { return e.Entry + " (" + e.DisabledBy + ")", !e.Enabled }), ", ")
	field(b, "needs", s.Sources, ", ")
	b.WriteByte('\n')
}

// want says what a blind entry lacks.
func (e *coveredEntry) want() string {
	if len(e.Needs) > 0 {
		return "set " + strings.Join(e.Needs, ", ")
	}
	return "its log source or its fields are in no event: see phiwatch rules check"
}

func (s *coveredSafeguard) names(of func(coveredEntry) (string, bool)) (names []string) {
	for _, e := range s.Entries {
		if name, ok := of(e); ok {
			names = append(names, name)
		}
	}
	return names
}

// field prints a heading and words, wrapped; nothing without words.
func field(b *bytes.Buffer, heading string, words []string, separator string) {
	if len(words) == 0 {
		return
	}
	line := fmt.Sprintf("  %-10s", heading)
	for i, word := range words {
		if i+1 < len(words) {
			word += strings.TrimRight(separator, " ")
		}
		if len(line)+1+len(word) > textWidth && i > 0 {
			fmt.Fprintln(b, line)
			line = strings.Repeat(" ", 12)
		}
		if i > 0 && !strings.HasSuffix(line, " ") {
			line += " "
		}
		line += word
	}
	fmt.Fprintln(b, strings.TrimRight(line, " "))
}

// wrapped prints a paragraph below a heading.
func wrapped(b *bytes.Buffer, heading, paragraph string) {
	field(b, heading, strings.Fields(paragraph), " ")
}

func (c *coverage) textSources(b *bytes.Buffer) {
	fmt.Fprintln(b, "LOG SOURCES")
	for _, s := range c.Sources {
		fmt.Fprintf(b, "%s: %s, %s\n", s.Kind, s.Name, s.state())
		if s.Entries > 0 && (s.Seen == nil || s.unseen()) {
			wrapped(b, "switch on", s.Setting)
			field(b, "tick", s.Categories, ", ")
			wrapped(b, "note", s.Note)
		}
	}
	b.WriteByte('\n')
}

func (s *coveredSource) state() string {
	needed := "needed by " + entries(s.Entries)
	switch {
	case s.Seen == nil:
		return needed
	case s.unseen() && s.Entries > 0:
		return needed + ", NONE SEEN"
	case s.Last != nil:
		return fmt.Sprintf("%s, %d seen, the newest of %s", needed, *s.Seen, s.Last.Format(time.DateTime+"Z07:00"))
	}
	return fmt.Sprintf("%s, %d seen", needed, *s.Seen)
}

func (c *coverage) textLists(b *bytes.Buffer) {
	fmt.Fprintln(b, "OPERATOR LISTS")
	for _, l := range c.Lists {
		fmt.Fprintf(b, "%s: %s\n", l.List, l.state())
		if l.Values == 0 && len(l.Entries) > 0 {
			wrapped(b, "holds", l.Holds)
			wrapped(b, "without", l.Without)
			field(b, "blind", l.Blind, ", ")
			field(b, "stay open", l.Opened, ", ")
		}
	}
}

func (l *coveredList) state() string {
	switch {
	case len(l.Entries) == 0 && l.Values == 0:
		return "not set, and no rule in force reads it"
	case len(l.Entries) == 0:
		return counted(l.Values, "value", "values") + ", and no rule in force reads it"
	case l.Values == 0:
		return "NOT SET, read by " + entries(len(l.Entries))
	}
	return counted(l.Values, "value", "values") + ", read by " + entries(len(l.Entries))
}

func entries(n int) string { return counted(n, "entry", "entries") }

func counted(n int, one, many string) string {
	if n == 1 {
		many = one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
