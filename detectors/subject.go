package detectors

import (
	"slices"
	"strings"

	"phiwatch/detectors/fields"
	"phiwatch/detectors/sigma"
)

// subject computes the key of what a rule watches from an event: the catalog's
// key as it stands in the record. Parts of a compound key are joined with " + ".
type subject []keyPart

// keyPart is one part of a key: the first alternative that has a value.
type keyPart struct {
	tenant   bool // the event's tenant id
	slots    []int
	before   []string // lower-cased markers; the value ends before the first of them
	after    string   // lower-cased marker; the value begins after its last occurrence, and is empty without it
	each     bool     // every value makes a subject of its own, not only the first
	split    string   // what separates several values in one text; empty: it is one
	when     int      // slot: left out of the key unless this has a value; -1: never
	unless   int      // slot: left out of the key if this has one; -1: never
	optional bool     // left out of the key when empty
	object   bool     // the value is a vault object's address: the live object's, without version
}

const joiner = " + "

// same reports whether both are one.
func (s subject) same(other subject) bool {
	return len(s) == 0 || len(s) == len(other) && &s[0] == &other[0]
}

// of returns the subjects of the event: one, or several where a part has several
// values and takes each; none when every part is empty. They are valid as long as
// the event.
func (s subject) of(sc *scope) []string {
	if !s.single() {
		return s.several(sc)
	}
	if text := s.first(sc); text != "" {
		return sc.pad.list(text)
	}
	return nil
}

// single reports whether events have one subject at most.
func (s subject) single() bool {
	return !slices.ContainsFunc(s, func(p keyPart) bool { return p.each })
}

// several returns the subjects of an event that may have more than one.
func (s subject) several(sc *scope) []string {
	keys := []string{""}
	found, parts := false, 0
	for i := range s {
		if s[i].out(sc) {
			continue
		}
		values := s[i].of(sc)
		if s[i].optional && values[0] == "" {
			continue
		}
		found = found || values[0] != ""
		joined := make([]string, 0, min(len(keys)*len(values), maxSubjects))
		for _, key := range keys {
			for _, v := range values {
				if len(joined) == maxSubjects {
					sc.cut()
					break
				}
				if parts > 0 {
					v = key + joiner + v
				}
				joined = append(joined, v)
			}
		}
		keys = joined
		parts++
	}
	if !found {
		return nil
	}
	return keys
}

// slots appends the slots of the fields that make the subject.
func (s subject) slots(out []int) []int {
	for i := range s {
		out = append(append(out, s[i].slots...), s[i].when, s[i].unless)
	}
	return out
}

// first returns the first subject of the event, or "".
func (s subject) first(sc *scope) string {
	if len(s) == 1 {
		return s[0].first(sc)
	}
	var few [6]string
	texts, found := few[:0], false
	for i := range s {
		if s[i].out(sc) {
			continue
		}
		text := s[i].first(sc)
		if s[i].optional && text == "" {
			continue
		}
		texts, found = append(texts, text), found || text != ""
	}
	if !found {
		return ""
	}
	return sc.pad.join(texts)
}

// first returns the first value of a part, or "".
func (p *keyPart) first(sc *scope) string {
	switch {
	case p.out(sc):
		return ""
	case p.tenant:
		return sc.ev.Tenant
	}
	for _, slot := range p.slots {
		for _, v := range sc.Values(slot) {
			if !scalar(v) {
				continue
			}
			if text := p.one(v.Text); text != "" {
				return text
			}
		}
	}
	return ""
}

// of returns the values of one part, at least one, which may be empty.
func (p *keyPart) of(sc *scope) []string {
	if !p.each {
		return sc.pad.list(p.first(sc))
	}
	for _, slot := range p.slots {
		var out []string
		for _, v := range sc.Values(slot) {
			if scalar(v) {
				out = p.all(v.Text, out)
			}
		}
		if len(out) > maxSubjects {
			out = out[:maxSubjects]
			sc.cut()
		}
		if len(out) > 0 {
			return out
		}
	}
	return []string{""}
}

// out reports whether the part is no part of the event's key.
func (p *keyPart) out(sc *scope) bool {
	return p.when >= 0 && sc.text(p.when) == "" || p.unless >= 0 && sc.text(p.unless) != ""
}

func scalar(v sigma.Value) bool { return v.Kind > sigma.Null && v.Kind < sigma.Object }

// maxSubjects bounds what one event can open, and the values of a field that it
// feeds; events that have more are counted.
const maxSubjects = 256

// cut trims a value to what identifies the subject.
func (p *keyPart) cut(v string) string {
	v = strings.TrimSpace(v)
	if p.after != "" {
		i := strings.LastIndex(fields.LowerASCII(v), p.after)
		if i < 0 {
			return ""
		}
		v = v[i+len(p.after):]
	}
	for _, marker := range p.before {
		if i := strings.Index(fields.LowerASCII(v), marker); i >= 0 {
			v = v[:i]
		}
	}
	if p.object {
		v = fields.VaultObject(v)
	}
	return v
}
