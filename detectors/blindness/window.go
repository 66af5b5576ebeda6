package blindness

import "time"

// figures are what a halfHour adds up.
type figures struct {
	of    int64 // all
	bad   int64 // over the limit
	fair  int64 // over what must be undercut for the limit to be kept again
	worst time.Duration
}

// halfHour adds up figures over the last half hour, in slots of five minutes.
type halfHour struct {
	slots [windowSlots]struct {
		number int64
		figures
	}
}

const (
	windowSlots = 6
	windowSlot  = 5 * time.Minute
	windowSpan  = windowSlots * windowSlot
)

func slotOf(now time.Time) int64 { return now.UnixNano() / int64(windowSlot) }

func (w *halfHour) add(now time.Time, f figures) {
	n := slotOf(now)
	s := &w.slots[n%windowSlots]
	if s.number != n {
		s.number, s.figures = n, figures{}
	}
	s.plus(f)
}

func (f *figures) plus(o figures) {
	f.of, f.bad, f.fair, f.worst = f.of+o.of, f.bad+o.bad, f.fair+o.fair, max(f.worst, o.worst)
}

func (w *halfHour) sum(now time.Time) (f figures) {
	n := slotOf(now)
	for i := range w.slots {
		if s := &w.slots[i]; s.number > n-windowSlots && s.number <= n {
			f.plus(s.figures)
		}
	}
	return f
}
