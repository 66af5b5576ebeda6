package sigma

import (
	"strconv"
	"strings"
	"time"
)

// datePart returns a part of the date in text, as written there: no time zone is
// applied. Known forms are 2026-01-31T22:15:00…, the same with a space, and
// 1/31/2026 10:15:00 PM. Weeks are ISO weeks.
func datePart(text, unit string) (int64, bool) {
	d, ok := parseDate(strings.TrimSpace(text))
	if !ok {
		return 0, false
	}
	switch unit {
	case "minute":
		return int64(d.minute), d.clock
	case "hour":
		return int64(d.hour), d.clock
	case "day":
		return int64(d.day), true
	case "month":
		return int64(d.month), true
	case "week":
		_, week := time.Date(d.year, time.Month(d.month), d.day, 0, 0, 0, 0, time.UTC).ISOWeek()
		return int64(week), true
	}
	return int64(d.year), true
}

type date struct {
	year, month, day, hour, minute int
	clock                          bool // hour and minute are given
}

func parseDate(s string) (date, bool) {
	var d date
	var ok bool
	if len(s) >= 10 && s[4] == '-' && s[7] == '-' {
		d.year, d.month, d.day = digits(s[:4]), digits(s[5:7]), digits(s[8:10])
		s = strings.TrimLeft(s[10:], "Tt ")
	} else if s, ok = d.parseSlashes(s); !ok {
		return d, false
	}
	if d.year < 0 || d.month < 1 || d.month > 12 || d.day < 1 || d.day > 31 {
		return d, false
	}
	return d, d.parseClock(s)
}

func (d *date) parseSlashes(s string) (rest string, ok bool) {
	month, s, ok1 := strings.Cut(s, "/")
	day, s, ok2 := strings.Cut(s, "/")
	year, rest, _ := strings.Cut(s, " ")
	d.month, d.day, d.year = digits(month), digits(day), digits(year)
	return rest, ok1 && ok2 && len(year) == 4
}

func (d *date) parseClock(s string) bool {
	if s == "" {
		return true
	}
	hour, rest, ok := strings.Cut(s, ":")
	if !ok || len(rest) < 2 {
		return false
	}
	d.hour, d.minute, d.clock = digits(hour), digits(rest[:2]), true
	if d.hour < 0 || d.hour > 23 || d.minute < 0 || d.minute > 59 {
		return false
	}
	switch tail := rest[max(0, len(rest)-3):]; {
	case strings.EqualFold(tail, " PM") && d.hour < 12:
		d.hour += 12
	case strings.EqualFold(tail, " AM") && d.hour == 12:
		d.hour = 0
	}
	return true
}

// digits reads a number of one to four digits, or returns -1.
func digits(s string) int {
	if len(s) == 0 || len(s) > 4 {
		return -1
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return -1
		}
	}
	n, _ := strconv.Atoi(s)
	return n
}
