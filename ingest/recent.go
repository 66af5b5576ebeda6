package ingest

import (
	"strings"
	"time"

	"phiwatch/ingest/document"
)

// recent is what the last record said. Most say the same again: the category,
// the tenant, the operation and the day follow each other for hours. It holds
// copies, since it outlives the message.
type recent struct {
	category string
	known    category
	action   folded
	tenant   [36]byte // in lower case; a tenant's id is a GUID
	day      [len("2006-01-02")]byte
	midnight int64 // of day, in Unix seconds
}

// envelope returns the text of a member of the root that p leads to.
func (d *Decoder) envelope(name string, p *fieldPath) string {
	if v := d.doc.Member(name); v.Kind == document.String {
		return v.Text
	}
	return d.text(p)
}

// category returns what a category tells, nothing if it is not known.
func (d *Decoder) category(name string) category {
	r := &d.recent
	if r.category != name {
		f := d.folded(name)
		r.category, r.known = f.text, categories[f.op]
	}
	return r.known
}

// operation is fold, for an event's action.
func (d *Decoder) operation(action string) string {
	r := &d.recent
	if r.action.text != action {
		r.action = d.folded(action)
	}
	return r.action.op
}

// lowerTenant returns a tenant's id in lower case.
func (r *recent) lowerTenant(id string) string {
	if id == string(r.tenant[:]) {
		return id
	}
	low := strings.ToLower(id)
	if len(low) == len(r.tenant) {
		copy(r.tenant[:], low)
	}
	return low
}

// parseTime is parseTime, faster for the usual form in UTC on the same day.
func (r *recent) parseTime(s string) (time.Time, bool) {
	seconds, nanos, ok := clockTime(s)
	if !ok {
		return parseTime(s)
	}
	if string(r.day[:]) != s[:len(r.day)] {
		t, ok := parseTime(s)
		if ok {
			copy(r.day[:], s)
			r.midnight = t.Unix() - int64(seconds)
		}
		return t, ok
	}
	return time.Unix(r.midnight+int64(seconds), int64(nanos)).UTC(), true
}

// clockTime reads the time of the day in "2006-01-02T15:04:05", with or without
// a fraction, in UTC, and takes no other form.
func clockTime(s string) (seconds, nanos int, ok bool) {
	if len(s) < len("2006-01-02T15:04:05") || s[10] != 'T' || s[13] != ':' || s[16] != ':' {
		return 0, 0, false
	}
	hour, minute, second := twoDigits(s[11:]), twoDigits(s[14:]), twoDigits(s[17:])
	if uint(hour) > 23 || uint(minute) > 59 || uint(second) > 59 {
		return 0, 0, false
	}
	s = s[19:]
	if s != "" && s[0] == '.' {
		i, scale := 1, 100_000_000
		for ; i < len(s) && '0' <= s[i] && s[i] <= '9'; i++ {
			nanos += int(s[i]-'0') * scale
			scale /= 10
		}
		if i == 1 {
			return 0, 0, false
		}
		s = s[i:]
	}
	return hour*3600 + minute*60 + second, nanos, s == "" || s == "Z" || s == "+00:00"
}

// twoDigits returns the number that s begins with, or -1.
func twoDigits(s string) int {
	a, b := s[0]-'0', s[1]-'0'
	if a > 9 || b > 9 {
		return -1
	}
	return int(a)*10 + int(b)
}
