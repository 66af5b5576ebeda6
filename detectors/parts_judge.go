package detectors

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"phiwatch/detectors/sigma"
)

// piece is a part as an event of a window has it.
type piece struct {
	part    string // values, as a group
	added   int64
	rec     feedRecord
	earlier bool // added before what makes it matter
}

// again notes that the condition held before at a place of the window being
// judged: what arrived late may be a further part. Such a firing has the
// complement of its place.
func (n *node) again(i int) {
	if n.parted() {
		n.fired = append(n.fired, firing{n.firing, ^i})
	}
}

// fireParts makes the findings of a sample at which the condition holds: one for
// each part that none was made for.
func (c *correlator) fireParts(j journal, n *node, f firing, seq int64) ([]Finding, error) {
	again := f.at < 0
	if again {
		f.at = ^f.at
	}
	if !n.reports {
		return nil, nil
	}
	rec, err := c.record(j, n, f.w.Window[f.at].Tag, seq)
	if err != nil {
		return nil, err
	}
	pieces, err := c.pieces(j, n, f, rec, again, seq)
	if err != nil || len(pieces) == 0 && again {
		return nil, err
	}
	whole, err := c.finding(j, n, f, rec, seq)
	if err != nil || len(pieces) == 0 {
		return []Finding{whole}, err
	}
	var out []Finding
	for _, p := range pieces {
		found := whole
		if !n.doc.Ranked() { // each from its own time on
			m := &p.rec.meta
			found.Time = time.UnixMicro(m.at).UTC()
			found.Evidence.EventID = strings.TrimSuffix(whole.Evidence.EventID, rec.meta.event) + m.event
			found.Evidence.Kind, found.Evidence.Time = kindOfEvent(m.event), found.Time
			found.Evidence.Action, found.Evidence.Actor, found.Evidence.ActorIP = m.action, m.actor, m.actorIP
		}
		more, err := c.weakenPart(j, n, found, p)
		if err != nil {
			return nil, fmt.Errorf("keep a part: %w", err)
		}
		out = append(out, more...)
	}
	return out, nil
}

// pieces returns the parts that a firing is about; again says that only what the
// batch has added counts.
func (c *correlator) pieces(j journal, n *node, f firing, rec feedRecord, again bool, seq int64) ([]piece, error) {
	w := f.w.Window
	at := w[f.at].At
	from, to := w.From(at-n.span+1), w.From(at+1)
	ranked := n.doc.Ranked()
	fresh := func(s sigma.Sample) bool { batch, _ := untag(s.Tag); return batch == seq }
	switch {
	case ranked && len(rec.entry.value) > 0 && again:
		return nil, nil
	case ranked && len(rec.entry.value) > 0:
		return []piece{{string(rec.entry.value), at, rec, false}}, nil
	case ranked && again && !slices.ContainsFunc(w[from:to], fresh):
		return nil, nil
	case !ranked && !again:
		from = max(from, f.w.uncovered(f.at))
	}
	var out []piece
	newest := map[string]int{}
	for _, s := range w[from:to] {
		if !ranked && again && !fresh(s) {
			continue
		}
		rec, err := c.record(j, n, s.Tag, seq)
		if err != nil {
			return nil, err
		}
		if len(rec.entry.value) == 0 {
			continue
		}
		p := piece{string(rec.entry.value), s.At, rec, ranked}
		if i, twice := newest[p.part]; ranked && twice {
			out[i] = p
			continue
		}
		newest[p.part] = len(out)
		out = append(out, p)
	}
	return out, nil
}

// uncovered returns the first place that no sample before i, at which the
// condition holds, tells of.
func (w *groupWindow) uncovered(i int) int {
	for k := i - 1; k >= 0; k-- {
		if w.Window[k].Held && w.Window[k].At < w.Window[i].At {
			return w.From(w.Window[k].At + 1)
		}
	}
	return 0
}

// partOf is what people are told of a violation that has a part.
type partOf struct{ Tenant, Subject, Name string }

// weakenPart keeps a part of what was found, and returns that if it still was
// one, and the restore that is known to follow. Where a part was restored and
// added anew before it mattered, records may have come in such an order that it
// seemed over, hence the moment later.
func (c *correlator) weakenPart(j journal, n *node, f Finding, p piece) ([]Finding, error) {
	at := f.Time.UnixMicro()
	row := weakPart{entry: n.rule.Entry, part: storable(f.Tenant + p.part), subject: storable(strings.ToLower(f.Subject)), since: p.added, added: p.added}
	var err error
	if row.data, err = json.Marshal(partOf{f.Tenant, f.Subject, f.Name}); err != nil {
		return nil, err
	}
	restores, err := j.strengthened(row.entry, row.part, p.added-n.span)
	if err != nil {
		return nil, err
	}
	side, before, gone := partSide(row.part), 0, false
	f.Weak = []string{side}
	f.Evidence.EventID += "/" + groupID(side)
	for i := range restores {
		switch r := &restores[i]; {
		case r.at <= p.added:
			before++
		case r.at <= at:
			gone = true
		}
	}
	if p.earlier && before > 0 {
		f.Time = f.Time.Add(time.Duration(2*before) * time.Microsecond)
		f.Evidence.EventID += "/" + strconv.Itoa(before)
	}
	row.told = f.Time.UnixMicro()
	if err := j.weaken(&row); err != nil || gone {
		return nil, err
	}
	out := []Finding{f}
	for i := range restores {
		if r := &restores[i]; r.at > at {
			over, err := n.partRestored(&row, r)
			return append(out, over), err
		}
	}
	return out, nil
}
