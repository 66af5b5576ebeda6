package detectors

import (
	"time"

	"phiwatch/detectors/sigma"
)

// baseline is a further condition of a correlation: what the timespan holds must
// be unusual for the group, which is what the busiest of its hours had in the
// days before.
//
//	safeguard:
//	  baseline: {days: 30, times: 5, known: true}
//
// What a group does for the first time is unusual, unless known is true. The
// hours are counted as events come: late ones count in the hour that they are
// of, but what was found or passed over before stays so.
type baseline struct {
	Days  int     `yaml:"days"`  // 30 if not given
	Times float64 `yaml:"times"` // more than that many times the busiest hour; 1 if not given
	Known bool    `yaml:"known"` // groups without a past are left alone
}

// tallied is an hour of a group.
type tallied struct {
	thing string
	hour  int64
}

func hourAt(at int64) int64 { return at / time.Hour.Microseconds() }

func (b *baseline) days() int64 {
	if b.Days == 0 {
		return 30
	}
	return int64(b.Days)
}

// tally counts an event of a group.
func (n *node) tally(thing string, at int64) {
	if n.key == nil || n.key.Baseline == nil {
		return
	}
	if n.tallies == nil {
		n.tallies = map[tallied]int{}
	}
	n.tallies[tallied{thing, hourAt(at)}]++
}

// usual reports whether what the timespan up to f holds is nothing unusual.
func (n *node) usual(j journal, f firing) (bool, error) {
	if n.key == nil || n.key.Baseline == nil {
		return false, nil
	}
	b := n.key.Baseline
	w := f.w.Window
	at := w[f.at].At
	peak, err := j.peak(n.name, storable(f.w.key), hourAt(at)-24*b.days(), hourAt(at-n.span))
	if err != nil {
		return false, err
	}
	if peak == 0 {
		return b.Known, nil
	}
	return float64(distinct(n.doc, w[w.From(at-n.span+1):w.From(at+1)])) <= max(1, b.Times)*float64(peak), nil
}

// distinct is the number that a counting correlation compares.
func distinct(c *sigma.Correlation, w sigma.Window) int {
	if c.Type != sigma.ValueCount {
		return len(w)
	}
	values := map[uint64]struct{}{}
	for i := range w {
		values[w[i].Value] = struct{}{}
	}
	return len(values)
}

// writeTallies makes the counts of the batch durable, and forgets old ones.
func (n *node) writeTallies(j journal, newest int64) error {
	if len(n.tallies) == 0 {
		return nil
	}
	for t, events := range n.tallies {
		if err := j.tally(n.name, storable(t.thing), t.hour, events); err != nil {
			return err
		}
	}
	clear(n.tallies)
	return j.forgetTallies(n.name, hourAt(newest)-24*(n.key.Baseline.days()+4))
}
