package detectors

import "time"

// Lateness is how late a record may be, against newer ones, for what it is about
// to be found all the same. [Engine.Lateness] says of which rules it is less.
const Lateness = lateness

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
