package blindness

import (
	"encoding/binary"
	"time"
)

// usual holds how long a stream is quiet: for each hour of the week (UTC, from
// Thursday as the Unix epoch does), in each of the last weeks that told
// something of it, the longest quiet that touched the hour, in minutes rounded
// up; the newest week first, 0 for what is not known.
//
// The longest of all is what is usual, but for an hour in which a stream is heard
// all the time: there it is the second longest, so that neither one outage makes
// the watch deaf, nor who stops the stream a little longer each time. That is
// what the p99 of all gaps comes to: of many gaps it leaves the longest out, of
// few it is the longest. Without it, chance would call a slow stream silent.
type usual struct {
	hours   [hoursOfWeek][weeksKept]uint16
	stored  []byte // as read
	changed bool   // since then
}

const (
	hoursOfWeek = 7 * 24
	weeksKept   = 5
	// fewWeeks are too few to leave one out.
	fewWeeks = 3
	// often is the quiet, in minutes, of a stream that is heard all the time.
	often = 15
)

func hourOf(t time.Time) int64 { return t.Unix() / 3600 }

// learn takes a quiet in that ended at a time, as one of no more than most.
func (u *usual) learn(quiet, most time.Duration, ended time.Time) {
	minutes := uint16(min((min(quiet, most)+time.Minute-1)/time.Minute, 1<<16-1))
	for h, n := hourOf(ended.Add(-quiet)), 0; h <= hourOf(ended) && n < hoursOfWeek; h, n = h+1, n+1 {
		if newest := &u.hours[h%hoursOfWeek][0]; minutes > *newest {
			*newest, u.changed = minutes, true
		}
	}
}

// turn begins another week for the hours after from, up to to. A week in which
// no quiet ended takes no other's place.
func (u *usual) turn(from, to int64) {
	for h := max(from+1, to-hoursOfWeek+1); h <= to; h++ {
		if weeks := &u.hours[h%hoursOfWeek]; weeks[0] != 0 {
			copy(weeks[1:], weeks[:weeksKept-1])
			weeks[0], u.changed = 0, true
		}
	}
}

// of is the quiet that is usual at an hour of the week, in minutes.
func (u *usual) of(h int64) uint16 {
	var first, second uint16
	known := 0
	for _, m := range u.hours[h%hoursOfWeek] {
		if m > 0 {
			known++
		}
		second = max(second, min(m, first))
		first = max(first, m)
	}
	if known >= fewWeeks && second <= often {
		return second
	}
	return first
}

func (u *usual) longest() time.Duration {
	var longest uint16
	for h := range int64(hoursOfWeek) {
		longest = max(longest, u.of(h))
	}
	return time.Duration(longest) * time.Minute
}

// near is the usual quiet at this hour of the week, or the one before or after:
// people do not begin their day on the minute, nor in summer as in winter. While
// few weeks are known, these hours of the day before and after count, too.
func (u *usual) near(now time.Time, known bool) time.Duration {
	var near uint16
	for _, day := range []int64{0, -24, 24} {
		for h := day - 1; h <= day+1; h++ {
			near = max(near, u.of(hourOf(now)+hoursOfWeek+h))
		}
		if known {
			break
		}
	}
	return time.Duration(near) * time.Minute
}

// runs begins what bytes returns: no value of an earlier version does, which
// knew one of each hour.
const runs = 0xff

// bytes writes the values week by week, as runs of equal ones: of most streams
// these are few.
func (u *usual) bytes() []byte {
	if u.stored != nil && !u.changed {
		return u.stored
	}
	b := []byte{runs}
	value, n := u.hours[0][0], uint64(0)
	for i := range weeksKept * hoursOfWeek {
		m := u.hours[i%hoursOfWeek][i/hoursOfWeek]
		if m != value {
			b = binary.AppendUvarint(binary.AppendUvarint(b, n), uint64(value))
			value, n = m, 0
		}
		n++
	}
	return binary.AppendUvarint(binary.AppendUvarint(b, n), uint64(value))
}

// readUsual reads what bytes wrote; what is damaged is not known.
func readUsual(b []byte) (u usual) {
	if len(b) == 0 || b[0] != runs {
		for i := 0; i < hoursOfWeek && 2*i+1 < len(b); i++ {
			u.hours[i][0] = binary.BigEndian.Uint16(b[2*i:])
		}
		return u
	}
	u.stored = b
	b = b[1:]
	for i := 0; i < weeksKept*hoursOfWeek; {
		n, read := binary.Uvarint(b)
		value, more := binary.Uvarint(b[max(0, read):])
		if read <= 0 || more <= 0 {
			break
		}
		b = b[read+more:]
		for end := i + int(min(n, weeksKept*hoursOfWeek)); i < min(end, weeksKept*hoursOfWeek); i++ {
			u.hours[i%hoursOfWeek][i/hoursOfWeek] = uint16(min(value, 1<<16-1))
		}
	}
	return u
}
