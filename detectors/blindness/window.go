package blindness

import "time"

// figures are what a window adds up.
type figures struct {
	of    int64 // all
	bad   int64 // over the limit
	fair  int64 // over what must be undercut for the limit to be kept again
	worst time.Duration
}

// window adds up figures over the newest time, in slots.
type window struct {
	width time.Duration
	slots []slot
}

type slot struct {
	number int64
	figures
}

const (
	windowSlots = 6
	windowSlot  = 5 * time.Minute
	windowSpan  = windowSlots * windowSlot

	daySlots = 24
	daySlot  = time.Hour
	daySpan  = daySlots * daySlot
)

func newWindow(slots int, width time.Duration) *window {
	return &window{width, make([]slot, slots)}
}

// damaged is what could not be decoded, of all that came by a hub.
type damaged struct{ halfHour, day *window }

func (w *window) slotOf(now time.Time) int64 { return now.UnixNano() / int64(w.width) }

func (w *window) add(now time.Time, f figures) {
	n := w.slotOf(now)
	s := &w.slots[n%int64(len(w.slots))]
	if s.number != n {
		s.number, s.figures = n, figures{}
	}
	s.plus(f)
}

func (f *figures) plus(o figures) {
	f.of, f.bad, f.fair, f.worst = f.of+o.of, f.bad+o.bad, f.fair+o.fair, max(f.worst, o.worst)
}

func (w *window) sum(now time.Time) (f figures) {
	n := w.slotOf(now)
	for i := range w.slots {
		if s := &w.slots[i]; s.number > n-int64(len(w.slots)) && s.number <= n {
			f.plus(s.figures)
		}
	}
	return f
}
