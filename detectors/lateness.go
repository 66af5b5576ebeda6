package detectors

import "time"

// lateness is how late a record may be, and so how long another waits for it.
const lateness = 72 * time.Hour

// Lateness is how late a record may be, against newer ones, for what it is about
// to be found all the same. [Engine.Lateness] says of which rules it is less.
const Lateness = lateness

// seen is the time that an event proves to have passed: a record that is dated
// after its arrival proves no more than that.
func seen(at int64, enqueued time.Time) int64 {
	if enqueued.IsZero() {
		return at
	}
	return min(at, enqueued.UnixMicro())
}

// outdated is the event time before which, after f, nothing waits for another record
// any more: as late as that may be, while partitions do not keep pace. What is dated
// after its arrival moves no clock.
func (f *Finding) outdated() int64 {
	return seen(f.Time.UnixMicro(), f.Evidence.Enqueued) - (lateness + outpaced).Microseconds()
}

// Lateness returns how late the records that r is about may be, against newer
// ones, for what it finds to be the same as if they had come in time: 72 hours,
// or less for correlations that have to wait or say so; 0 for what is held
// against a baseline, which is judged as it comes.
func (e *Engine) Lateness(r *Rule) time.Duration {
	late := lateness
	for _, c := range e.correlations {
		if c.rule.Entry == r.Entry {
			late = min(late, c.late())
		}
	}
	return late
}

func (c *correlation) late() time.Duration {
	if c.key != nil && c.key.Baseline != nil {
		return 0
	}
	late := time.Duration(c.lateness) * time.Microsecond
	for _, inner := range c.inner {
		late = min(late, inner.late())
	}
	return late
}
