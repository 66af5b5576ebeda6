package ingest

import (
	"strings"
	"time"
)

// maxSkew is how far ahead of the hub's clock an event's time is believed.
const maxSkew = 24 * time.Hour

// parseTime reads a time in any of the forms that Azure's feeds use:
// "2006-01-02T15:04:05" and "1/2/2006 3:04:05 PM", with 0 to 9 fraction digits,
// with or without AM or PM, with Z, an offset or no zone (which is UTC), with
// a blank in place of T, and with blanks after the colons (seen on function
// logs). It reports false for anything else, the zero time included.
func parseTime(s string) (time.Time, bool) {
	c := timeCursor{s: s}
	var year, month, day int
	first, digits := c.number()
	switch {
	case digits == 4 && c.skip('-'):
		year, month = first, c.upTo(2)
		c.need('-')
		day = c.upTo(2)
	case digits > 0 && c.skip('/'):
		month, day = first, c.upTo(2)
		c.need('/')
		year = c.exactly(4)
	default:
		return time.Time{}, false
	}
	if !c.skip('T') && !c.skip('t') {
		c.need(' ')
	}
	hour := c.upTo(2)
	c.need(':')
	minute := c.upTo(2)
	second, nanos := 0, 0
	if c.skip(':') {
		second = c.upTo(2)
		if c.skip('.') {
			nanos = c.fraction()
		}
	}
	hour = c.halfDay(hour)
	zone := c.zone()
	if c.bad || strings.TrimSpace(c.s) != "" || month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 60 {
		return time.Time{}, false
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, nanos, time.UTC)
	if t.Day() != day && second < 60 || year < 2 {
		return time.Time{}, false // 30 February; or year 1, .NET's way to say "no time"
	}
	return t.Add(-zone), true
}

// timeCursor reads a time from the left. bad is set by the first mismatch.
type timeCursor struct {
	s   string
	bad bool
}

// number reads digits after optional blanks, and says how many there were.
func (c *timeCursor) number() (n, digits int) {
	c.s = strings.TrimLeft(c.s, " ")
	for digits < len(c.s) && digits < 10 && c.s[digits] >= '0' && c.s[digits] <= '9' {
		n = n*10 + int(c.s[digits]-'0')
		digits++
	}
	c.s = c.s[digits:]
	return n, digits
}

func (c *timeCursor) upTo(max int) int {
	n, digits := c.number()
	c.bad = c.bad || digits == 0 || digits > max
	return n
}

func (c *timeCursor) exactly(want int) int {
	n, digits := c.number()
	c.bad = c.bad || digits != want
	return n
}

func (c *timeCursor) skip(b byte) bool {
	if c.s == "" || c.s[0] != b {
		return false
	}
	c.s = c.s[1:]
	return true
}

func (c *timeCursor) need(b byte) {
	if !c.skip(b) {
		c.bad = true
	}
}

// fraction reads digits after the point as nanoseconds; digits beyond the
// ninth are dropped.
func (c *timeCursor) fraction() int {
	n, scale, i := 0, 100_000_000, 0
	for ; i < len(c.s) && c.s[i] >= '0' && c.s[i] <= '9'; i++ {
		n += int(c.s[i]-'0') * scale
		scale /= 10
	}
	c.bad = c.bad || i == 0
	c.s = c.s[i:]
	return n
}

// halfDay applies AM or PM, when there is one.
func (c *timeCursor) halfDay(hour int) int {
	rest := strings.TrimLeft(c.s, " ")
	if len(rest) < 2 || rest[1] != 'M' && rest[1] != 'm' {
		return hour
	}
	switch rest[0] {
	case 'A', 'a':
		hour %= 12
	case 'P', 'p':
		hour = hour%12 + 12
	default:
		return hour
	}
	c.s = rest[2:]
	return hour
}

// zone reads Z, an offset or nothing.
func (c *timeCursor) zone() time.Duration {
	c.s = strings.TrimLeft(c.s, " ")
	if c.s == "" || c.skip('Z') || c.skip('z') {
		return 0
	}
	sign := time.Duration(1)
	if c.skip('-') {
		sign = -1
	} else {
		c.need('+')
	}
	hours, digits := c.number()
	minutes := 0
	switch {
	case digits == 4: // +0200
		hours, minutes = hours/100, hours%100
	case digits == 2 && c.skip(':'):
		minutes = c.exactly(2)
	default:
		c.bad = c.bad || digits != 2
	}
	c.bad = c.bad || hours > 23 || minutes > 59
	return sign * (time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute) //nolint:durationcheck // sign is 1 or -1
}
