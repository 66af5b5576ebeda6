package blindness

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"phiwatch/detectors"
	"phiwatch/ingest"
)

// offFactor is how many times the usual quiet follows from a setting that is off.
const offFactor = 3

// stillSent is how long after a setting was off its records may still happen:
// Azure names 90 minutes until a change of one has taken effect.
const stillSent = 24 * time.Hour

// cutKey names what a setting that is off may have silenced.
type cutKey struct{ tenant, subject string }

// cut is that: a stream of the tenant, or a resource in one, or a category of a
// resource.
type cut struct {
	cutKey
	kind     ingest.Kind
	resource string    // "": the stream
	category string    // "": all of them
	off      bool      // else it is on again, and to be heard
	since    time.Time // off, or on again: what happened before tells nothing
	newest   time.Time // when the last of the settings was switched off
	entries  []string
	settings []string
	streams  []*stream // that carry it
}

// cuts lists what is silenced by the settings that are off, or was when an alarm
// told so that is open still.
func (t *tick) cuts() []*cut {
	by := map[cutKey]*cut{}
	for i := range t.offs {
		o := &t.offs[i]
		category, sent := o.category()
		if !sent {
			continue
		}
		for _, c := range t.cutBy(o, category) {
			have := by[c.cutKey]
			if have == nil {
				have = c
				by[c.cutKey] = c
			}
			have.plus(o)
		}
	}
	var out []*cut
	for _, c := range by {
		if c.off || t.alarms[alarmKey{offAndSilent.Entry, c.tenant, c.subject}].isOpen() {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b *cut) int {
		return cmp.Or(strings.Compare(a.tenant, b.tenant), strings.Compare(a.subject, b.subject))
	})
	return out
}

func (a *alarm) isOpen() bool { return a != nil && a.open }

// cutBy returns what a setting silences: of the streams that have been heard,
// since nobody misses the others.
func (t *tick) cutBy(o *off, category string) (out []*cut) {
	resource := o.resource()
	subject := resource
	if category != "" {
		subject += joiner + category
	}
	whole := &cut{cutKey: cutKey{o.tenant, subject}, resource: resource, category: category}
	for _, s := range t.inOrder() {
		if s.workload != "" || s.heard.IsZero() || !slices.Contains(o.kinds(), s.kind) || o.tenant != "" && s.tenant != "" && s.tenant != o.tenant {
			continue
		}
		if resource == "" {
			out = append(out, &cut{cutKey: cutKey{cmp.Or(s.tenant, o.tenant), s.subject()}, kind: s.kind, streams: []*stream{s}})
			continue
		}
		whole.kind, whole.streams = s.kind, append(whole.streams, s)
	}
	if len(whole.streams) > 0 {
		out = append(out, whole)
	}
	return out
}

// plus adds a setting that silences c.
func (c *cut) plus(o *off) {
	switch {
	case o.off && (!c.off || o.at.Before(c.since)), !o.off && !c.off && o.at.After(c.since):
		c.since = o.at
	}
	c.off = c.off || o.off
	if o.off {
		c.newest = later(c.newest, o.at)
	}
	if !slices.Contains(c.entries, o.entry) {
		c.entries = append(c.entries, o.entry)
	}
	if !slices.Contains(c.settings, o.subject) {
		c.settings = append(c.settings, o.subject)
	}
}

// limit returns the quiet from which on c is silent; 0 if it is not to be
// missed. What is usual for one resource was not followed before its setting was
// off: that of its kind in the tenant stands for it, until its own is known.
func (c *cut) limit(t *tick, l *lull) (limit time.Duration) {
	for _, s := range c.streams {
		limit = max(limit, s.offLimit(&t.options, t.now))
	}
	if limit > 0 && l != nil {
		limit = max(limit, offFactor*l.longest)
	}
	return limit
}

// switchedOff judges whether silence followed on settings that are off.
func (t *tick) switchedOff() {
	cuts := t.cuts()
	t.follow(cuts)
	for _, c := range cuts {
		l := t.lulls[c.cutKey]
		quiet, heard := c.streams[0].quiet, c.streams[0].heard
		if l != nil {
			quiet, heard = l.quiet, l.heard
		}
		now := c.streams[0].now != nil
		if l != nil {
			now = l.heard.Equal(t.now)
		}
		attended, behind := t.listening(c.streams)
		limit := c.limit(t, l)
		a := t.alarm(offAndSilent, c.tenant, c.subject)
		bad := c.off && limit > 0 && attended && quiet-behind >= limit && !c.goesOn(l)
		if a.open {
			// What is usual changes with the hour; only records end it. The clock
			// may have been ahead when it was told.
			bad = !heard.After(a.told) && !(now && a.told.After(t.now))
		}
		t.hold(a, offAndSilent.Severity, standing{
			bad: bad, good: !bad, kind: "setting", words: "its records are heard again",
			details: map[string]any{
				"entries": c.entries, "settings": c.settings, "off_since": stamp(c.since), "kind": c.kind.String(),
				"resource": c.resource, "category": c.category, "quiet": quiet.String(), "limit": limit.String(), "last_arrival": stamp(heard),
			},
		}.saying(bad, fmt.Sprintf("off since %s, and nothing heard for %s", stamp(c.since), brief(quiet))))
	}
}

// goesOn reports whether records went on coming long after the newest of the
// settings was off: another one sends them, and what stops them is not this.
func (c *cut) goesOn(l *lull) bool {
	if l != nil {
		return l.heard.Sub(c.newest) > detectors.Lateness+stillSent
	}
	return c.streams[0].happened.Sub(c.newest) > stillSent
}

// listening reports whether somebody listens to all of some streams, and how far
// behind.
func (t *tick) listening(streams []*stream) (all bool, behind time.Duration) {
	for _, s := range streams {
		attended, b := t.attended(s)
		if !attended {
			return false, 0
		}
		behind = max(behind, b)
	}
	return true, behind
}

// offLimit is limit for a stream whose setting is off.
func (s *stream) offLimit(o *Options, now time.Time) time.Duration {
	limit, normal := s.limit(o, now)
	if normal > 0 && limit > o.Floor {
		return max(o.Floor, limit*offFactor/factor)
	}
	return limit
}
