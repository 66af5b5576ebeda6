package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// markdown prints the coverage as three tables.
func (c *coverage) markdown(out io.Writer) error {
	var b bytes.Buffer
	fmt.Fprintln(&b, "| safeguard | system | HIPAA, 45 CFR | entries | log sources | covered |")
	fmt.Fprintln(&b, "|---|---|---|---|---|---|")
	for _, s := range c.Safeguards {
		cells(&b, s.Code, s.System, strings.Join(s.HIPAA, ", "), s.markdownEntries(), strings.Join(s.Sources, ", "), s.markdownVerdict())
	}
	fmt.Fprintln(&b, "\n| log source | what it is | where to switch it on | categories | entries |")
	fmt.Fprintln(&b, "|---|---|---|---|---|")
	for _, s := range c.Sources {
		name := s.Name
		if s.Note != "" {
			name += "; " + s.Note
		}
		cells(&b, s.Kind, name, s.Setting, strings.Join(s.Categories, ", "), s.markdownCount())
	}
	fmt.Fprintln(&b, "\n| operator list | holds | while it is empty | entries that then see nothing | that no event restores then |")
	fmt.Fprintln(&b, "|---|---|---|---|---|")
	for _, l := range c.Lists {
		if len(l.Entries) > 0 {
			cells(&b, l.List, l.Holds, l.markdownWithout(), strings.Join(l.Blind, ", "), strings.Join(l.Opened, ", "))
		}
	}
	_, err := b.WriteTo(out)
	return err
}

// cells prints a row.
func cells(b *bytes.Buffer, texts ...string) {
	escape := strings.NewReplacer("|", `\|`, "<", "&lt;", "\n", " ")
	for _, text := range texts {
		fmt.Fprintf(b, "| %s ", escape.Replace(text))
	}
	fmt.Fprintln(b, "|")
}

func (s *coveredSafeguard) markdownEntries() string {
	return strings.Join(s.names(func(e coveredEntry) (string, bool) {
		switch {
		case !e.Enabled:
			return e.Entry + " (disabled)", true
		case e.Blind:
			return e.Entry + " (" + e.want() + ")", true
		}
		return e.Entry, true
	}), ", ")
}

func (s *coveredSafeguard) markdownVerdict() string {
	if len(s.Missing) == 0 {
		return string(s.Covered)
	}
	return string(s.Covered) + ": " + strings.Join(s.Missing, "; ")
}

func (s *coveredSource) markdownCount() string {
	switch {
	case s.Seen == nil:
		return fmt.Sprint(s.Entries)
	case s.unseen():
		return fmt.Sprintf("%d, none seen", s.Entries)
	}
	return fmt.Sprintf("%d, seen", s.Entries)
}

func (l *coveredList) markdownWithout() string {
	if l.Values > 0 {
		return "it has " + counted(l.Values, "value", "values")
	}
	return l.Without
}
