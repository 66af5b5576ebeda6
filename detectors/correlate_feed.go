package detectors

import (
	"encoding/binary"
	"math"
	"slices"
	"strconv"

	"phiwatch/ingest"
)

// What a match feeds travels from Match to Apply, and into the journal, as bytes
// of its own: the event (time, id, tenant, who did what), then an entry for each
// correlation and group. Texts and entries are preceded by their length.

// feedScratch is the memory of one scope for feeds.
type feedScratch struct {
	meta      []byte // of the event, once somebody needed it
	buf       []byte
	collected []byte // entries of the halves that only feed
	texts     []string
	spans     []int
}

// begin forgets the last event.
func (sc *feedScratch) begin() { sc.meta, sc.collected = sc.meta[:0], sc.collected[:0] }

// keepFeed appends entries to b behind the event they are of.
func (s *scope) keepFeed(b, entries []byte) []byte {
	sc := &s.feed
	if len(sc.meta) == 0 {
		sc.meta = appendMeta(sc.meta, s.ev, s.address())
	}
	return append(append(slices.Grow(b, len(sc.meta)+len(entries)), sc.meta...), entries...)
}

// feed appends to b what a match of h is to the correlations that name it, which
// may be nothing.
func (h *half) feed(b []byte, s *scope, subject string) []byte {
	entries := s.feed.buf[:0]
	for _, f := range h.feeders {
		entries = f.append(entries, s, subject, h.rule.Entry)
	}
	s.feed.buf = entries
	if len(entries) == 0 {
		return b
	}
	return s.keepFeed(b, entries)
}

// collect adds what a match of h, which does nothing but feed, is to
// correlations: it travels with that of the event's others.
func (sc *feedScratch) collect(h *half, s *scope, subject string) {
	for _, f := range h.feeders {
		sc.collected = f.append(sc.collected, s, subject, h.rule.Entry)
	}
}

// collected appends the match of what the event only feeds, if it feeds anything.
func (s *scope) collected(out []Match) []Match {
	if len(s.feed.collected) == 0 {
		return out
	}
	out, m := appendMatch(out)
	m.silent, m.feeds, m.seen = true, s.keepFeed(m.feeds, s.feed.collected), seen(s.ev.Time.UnixMicro(), s.ev.Enqueued)
	m.Finding.Evidence.point(s.ev)
	return out
}

// feedMeta is the event behind a feed.
type feedMeta struct {
	at, seen               int64 // event time, and that bounded by the time of arrival
	event, tenant          string
	action, actor, actorIP string
}

func appendMeta(b []byte, ev *ingest.Event, address string) []byte {
	at := ev.Time.UnixMicro()
	b, open := openLength(b)
	b = binary.AppendVarint(b, at)
	b = binary.AppendVarint(b, at-seen(at, ev.Enqueued))
	if ev.ID != "" {
		b = appendTexts(b, ev.Kind.String(), "/", ev.ID)
	} else {
		b = appendTexts(b, ev.Kind.String(), "/", digest(ev.Doc.Raw()))
	}
	actor := ev.Actor.Name
	if actor == "" {
		actor = ev.Actor.ID
	}
	b = appendText(b, ev.Tenant)
	b = appendText(b, ev.Action)
	b = appendText(b, actor)
	b = appendText(b, address)
	return closeLength(b, open)
}

// redated gives a feed the time and the event of another record.
func redated(feed []byte, f *Finding) []byte {
	r := reader{b: feed}
	m, rest := r.meta(), r.rest()
	at := f.Time.UnixMicro()
	b, open := openLength(nil)
	b = binary.AppendVarint(b, at)
	b = binary.AppendVarint(b, at-seen(at, f.Evidence.Enqueued))
	b = appendText(b, f.Evidence.EventID)
	b = appendText(b, m.tenant)
	b = appendText(b, m.action)
	b = appendText(b, m.actor)
	b = appendText(b, m.actorIP)
	return append(closeLength(b, open), rest...)
}

// append appends f's entries: one for each combination of the values of the
// group and of what is counted.
func (f *feeder) append(b []byte, s *scope, subject, entry string) []byte {
	var few [4]string
	if single, ok := f.single(few[:0], s, subject, entry); ok {
		return f.entry(b, s, subject, entry, single)
	}
	sc := &s.feed
	texts, spans := len(sc.texts), len(sc.spans)
	reason := f.choose(s, subject, entry)
	switch {
	case reason != "":
		s.skip(reason)
	default:
		b = f.combine(b, s, subject, entry, spans, make([]string, 0, len(f.chosen)), new(int))
	}
	clear(sc.texts[texts:]) // they may be all that holds a message in memory
	sc.texts, sc.spans = sc.texts[:texts], sc.spans[:spans]
	return b
}

// single appends the value of each field, if each has one and no more.
func (f *feeder) single(dst []string, s *scope, subject, entry string) ([]string, bool) {
	for _, field := range f.chosen {
		text := field.single(s, subject, entry)
		if text == "" {
			return nil, false
		}
		dst = append(dst, text)
	}
	return dst, true
}

// choose notes the values of each field, or returns why there are none.
func (f *feeder) choose(s *scope, subject, entry string) skipping {
	sc := &s.feed
	for i, field := range f.chosen {
		from := len(sc.texts)
		sc.texts = field.texts(sc.texts, s, subject, entry)
		sc.spans = append(sc.spans, from, len(sc.texts))
		switch {
		case len(sc.texts) > from:
		case i < len(f.group):
			return noGroup
		default:
			return noValue
		}
	}
	return ""
}

// combine appends an entry for each way to choose one value from the spans from
// place at on, up to maxSubjects of them.
func (f *feeder) combine(b []byte, s *scope, subject, entry string, at int, chosen []string, made *int) []byte {
	sc := &s.feed
	if len(chosen) == len(f.chosen) {
		if *made++; *made > maxSubjects {
			s.cut()
			return b
		}
		return f.entry(b, s, subject, entry, chosen)
	}
	for i := sc.spans[at]; i < sc.spans[at+1]; i++ {
		b = f.combine(b, s, subject, entry, at+2, append(chosen, sc.texts[i]), made)
	}
	return b
}

// nobody is the end of an entry that no finding is made of: three empty texts.
const nobody = "\x03\x00\x00\x00\x00\x00\x00"

// entry appends one entry: the correlation, the place of the rule, the group,
// the value, and what a finding or another correlation needs.
func (f *feeder) entry(b []byte, s *scope, subject, entry string, chosen []string) []byte {
	group, values := chosen[:len(f.group)], chosen[len(f.group):]
	before := len(b)
	b = binary.LittleEndian.AppendUint64(b, f.to.id)
	b = append(b, f.place)
	b = appendGroup(b, f.to.tenant(s.ev.Tenant), group)
	switch {
	case f.numeric:
		x, err := strconv.ParseFloat(values[0], 64)
		if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
			s.skip(noValue)
			return b[:before]
		}
		b = binary.LittleEndian.AppendUint64(append(b, 8), math.Float64bits(x))
	case len(f.parts) > 0:
		b = f.appendPart(b, s, subject, entry)
	default:
		b = appendGroup(b, "", values)
	}
	if f.onlySeen {
		if s.familiar != nil && s.familiar.has(b[before:], s.ev.Time.UnixMicro()) {
			return b[:before]
		}
		return append(b, nobody...)
	}
	b, open := openLength(b)
	empty := len(b)
	if b = appendJoined(b, f.subject, s, subject, entry); len(b) == empty {
		b = appendKey(b, group)
	}
	empty = len(b)
	if b = appendJoined(b, f.name, s, subject, entry); len(b) == empty {
		b = appendText(b, "")
	}
	b = appendText(b, entry)
	for _, p := range f.parents {
		b = p.append(b, s, subject, entry)
	}
	return closeLength(b, open)
}
