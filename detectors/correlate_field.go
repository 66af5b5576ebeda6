package detectors

import (
	"slices"
	"strings"
)

// field is a field of the event: the first alternative that has values.
type field []int

// Alternatives that are no slots: they are of the finding, not of the event.
const (
	findingSubject = -1 - iota
	findingEntry
)

// texts appends the distinct scalar values of a field, up to maxSubjects.
func (f field) texts(dst []string, s *scope, subject, entry string) []string {
	from := len(dst)
	for _, slot := range f {
		switch slot {
		case findingSubject:
			return append(dst, subject)
		case findingEntry:
			return append(dst, entry)
		}
		for _, v := range s.Values(slot) {
			if text := strings.TrimSpace(v.Text); text != "" && scalar(v) && !slices.Contains(dst[from:], text) {
				if len(dst)-from == maxSubjects {
					s.cut()
					break
				}
				dst = append(dst, text)
			}
		}
		if len(dst) > from {
			break
		}
	}
	return dst
}

// single returns the only value of a field; "" may mean that it takes texts to
// know them all.
func (f field) single(s *scope, subject, entry string) string {
	switch f[0] {
	case findingSubject:
		return subject
	case findingEntry:
		return entry
	}
	if v := s.Values(f[0]); len(v) == 1 && scalar(v[0]) {
		return strings.TrimSpace(v[0].Text)
	}
	return ""
}

// first returns the first scalar value of a field, or "".
func (f field) first(s *scope, subject, entry string) string {
	for _, slot := range f {
		switch slot {
		case findingSubject:
			return subject
		case findingEntry:
			return entry
		}
		for _, v := range s.Values(slot) {
			if text := strings.TrimSpace(v.Text); text != "" && scalar(v) {
				return text
			}
		}
	}
	return ""
}

// appendJoined appends the first values of fields as a subject is written, with
// their length; nothing if there are none.
func appendJoined(b []byte, fields []field, s *scope, subject, entry string) []byte {
	switch len(fields) {
	case 0:
		return b
	case 1:
		if text := fields[0].first(s, subject, entry); text != "" {
			return appendText(b, text)
		}
		return b
	}
	var few [4]string
	parts, any := few[:0], false
	for _, f := range fields {
		text := f.first(s, subject, entry)
		parts, any = append(parts, text), any || text != ""
	}
	if !any {
		return b
	}
	return appendKey(b, parts)
}
