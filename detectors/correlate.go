package detectors

import (
	"time"

	"phiwatch/detectors/sigma"
)

// Correlations (Sigma documents with the key correlation) relate what rules
// match, in event time.
//
// A match of a rule that a correlation names feeds the windows of that
// correlation: one for each tenant (with safeguard.any_tenant, for all of them) and
// each value of the group-by fields (compared without regard to case; a field with
// several values takes part with each). An event without a value for a group-by field,
// or without the value that is counted, does not take part and is counted as skipped.
//
// The condition is judged at each event i over the events of (t_i-timespan, t_i],
// those of the same instant included, and makes a finding at i; sigma.Judge says
// what each type asks. Events fold by kind and id, per rule; event_count and the
// value types do not tell rules apart, so that an event which several of the
// rules match counts once.
//
// A document of the same file and entry with safeguard.restores ends what the
// others found. Some conditions no window can tell: see special and baseline.
//
// # What late events change
//
// An event that arrives late takes its place in time, and the events up to a
// timespan after it are judged again. A condition that further events cannot
// undo (only gt and gte; event_count, value_count, temporal, temporal_ordered,
// and value_sum of numbers that are not negative) is judged at once: any order
// of arrival within the lateness, any repeats and any split into batches give
// the same findings, among which the id of a finding (entry, group and event)
// folds repeats. Any other condition (lt, lte, eq, neq, averages, percentiles)
// is judged once, when the newest event that any correlation was fed is a
// lateness ahead; then the same holds for events that come no later than that.
//
// The lateness is 72 hours against the newest event of the group, and 15 minutes
// for a condition that has to wait; safeguard.lateness sets another. What comes
// later is counted as late, and for a condition that waits it is judged as it
// comes. An event dated after its arrival at the hub moves no clock, so that one
// wrong date does not make the others late.
//
// # State
//
// Windows are in memory. They are a function of the table correlation_journal,
// to which each batch appends, inside its transaction, what it fed. Whatever
// makes the two differ (a restart, a reload, a transaction that was rolled back,
// a batch of another replica) shows in the next batch and is made up from the
// journal. What the journal keeps is named by correlation and by what feeds it,
// so a reload keeps the windows of correlations whose rules, groups and values
// are the same, also with another condition or timespan.
//
// Windows are bounded: see bounds. What is dropped to keep them is counted.
type correlation struct {
	rule    *Rule // what it reports as
	doc     *sigma.Correlation
	key     *correlationKey // its safeguard key, or nil
	name    string          // in the journal
	id      uint64          // a hash of name, for what is in flight
	reports bool            // makes findings of its own, not only events for other correlations
	state   State
	feeders []*feeder
	inner   []*correlation // that it names

	span     int64 // microseconds, as the following
	lateness int64 // how late an event may be
	waits    bool  // judged when the lateness has passed
	capacity int   // of a window
}

// reach is how late an event may be and still take its place.
func (c *correlation) reach() int64 {
	if c.waits {
		return max(c.lateness, lateness.Microseconds())
	}
	return c.lateness
}

// retain is how far behind its newest event a window reaches.
func (c *correlation) retain() int64 { return c.reach() + c.span }

// idle is how far behind the newest event of all a window may fall before it is
// dropped: further than it reaches, since partitions do not keep pace.
func (c *correlation) idle() int64 { return c.retain() + outpaced.Microseconds() }

const (
	// outpaced is how far one partition may be ahead of another.
	outpaced = 96 * time.Hour
	// settling is the lateness of conditions that are judged once, by default.
	settling = 15 * time.Minute
)

// bounds limit the memory of windows. A sample takes 40 bytes.
type bounds struct {
	window  int // samples of one window, unless the condition needs more: the newest are kept
	largest int // samples of one window that a condition may need
	windows int // of all correlations: those longest without an event go
	samples int // of all windows: the correlation with most loses those that came first
}

var defaultBounds = bounds{window: 1_000, largest: 100_000, windows: 100_000, samples: 1_000_000}
