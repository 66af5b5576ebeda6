package blindness

import (
	"slices"
	"strings"
	"time"

	"phiwatch/ingest"
)

// streamKey names what may fall silent: a tenant's records of a kind, and of some
// kinds also those of each part.
type streamKey struct {
	tenant   string
	kind     ingest.Kind
	workload string // or category, as partOf names it
}

// subject is the stream as people and the ledger know it.
func (k streamKey) subject() string {
	parts := []string{k.tenant, k.kind.String(), k.workload}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), joiner)
}

// heard is what arrived of a stream.
type heard struct {
	records  int64
	happened time.Time // newest event time
	timed    int64     // records that tell how late they are
	late     int64     // later than the limit
	lateish  int64     // later than what counts as over again
	slowest  time.Duration

	first, last time.Time // arrival
	hubs        []string
}

// Glimpse is what Watch wants to know of one batch. A nil Glimpse sees nothing.
// It belongs to one goroutine, and to nobody once it was given to Saw.
type Glimpse struct {
	watch   *Watch
	hub     string
	streams []glimpsed
	at      int // of the last event's stream
	damaged int64
	met     []cutKey // resources whose setting is off, and that sent something all the same
	id      []byte   // buffer
}

type glimpsed struct {
	key   streamKey
	limit time.Duration
	fair  time.Duration
	count int64 // of the kind, when the batch began
	heard heard

	resources map[string][]listened // of the kind that are listened for; mostly nil
}

// Begin returns a Glimpse of a batch. A nil Watch returns nil.
func (w *Watch) Begin(b *ingest.Batch) *Glimpse {
	if w == nil {
		return nil
	}
	g := w.pool.Get().(*Glimpse)
	g.hub, g.streams, g.at, g.damaged, g.met = b.Hub, g.streams[:0], 0, 0, g.met[:0]
	return g
}

// Event takes an event in.
func (g *Glimpse) Event(ev *ingest.Event) {
	if g == nil {
		return
	}
	s := g.stream(ev)
	h := &s.heard
	h.records++
	if ev.Time.After(h.happened) && (ev.Enqueued.IsZero() || !ev.Time.After(ev.Enqueued.Add(ahead))) {
		h.happened = ev.Time
	}
	if !ev.Enqueued.IsZero() && !ev.Time.IsZero() && !ev.Time.Equal(ev.Enqueued) { // equal: the record does not say
		delay := ev.Enqueued.Sub(ev.Time)
		h.timed++
		h.slowest = max(h.slowest, delay)
		if delay > s.limit {
			h.late++
		}
		if delay > s.fair {
			h.lateish++
		}
	}
	if s.resources != nil {
		g.meet(ev, s.resources)
	}
	if (s.count+h.records)%sampleEvery == 1 {
		g.watch.sample(ev)
	}
}

// ahead is how far clocks of sources may be ahead of the hub's. A date beyond that
// tells nothing: it would say for years that the stream went on until then.
const ahead = time.Hour

// Damaged takes a record in that could not be decoded.
func (g *Glimpse) Damaged() {
	if g != nil {
		g.damaged++
	}
}

func (g *Glimpse) stream(ev *ingest.Event) *glimpsed {
	part := partOf(ev)
	is := func(s *glimpsed) bool {
		return s.key.kind == ev.Kind && s.key.tenant == ev.Tenant && s.key.workload == part
	}
	if g.at < len(g.streams) && is(&g.streams[g.at]) {
		return &g.streams[g.at]
	}
	for i := range g.streams {
		if is(&g.streams[i]) {
			g.at = i
			return &g.streams[i]
		}
	}
	g.watch.mu.Lock()
	limit := g.watch.options.delay(ev.Kind)
	g.watch.mu.Unlock()
	g.at = len(g.streams)
	g.streams = append(g.streams, glimpsed{
		key: streamKey{ev.Tenant, ev.Kind, part}, limit: limit, fair: calm(limit), count: g.watch.sampled[ev.Kind].Load(),
		resources: (*g.watch.listeners.Load())[ev.Kind],
	})
	return &g.streams[g.at]
}

// Saw notes that a batch is decided, at a time of this process's clock.
func (w *Watch) Saw(g *Glimpse, now time.Time) {
	if g == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var records int64
	for i := range g.streams {
		s := &g.streams[i]
		w.sampled[s.key.kind].Add(s.heard.records)
		records += s.heard.records
		w.heard(s, g.hub, now)
	}
	if records+g.damaged > 0 {
		d := w.damaged[g.hub]
		if d == nil {
			d = &damaged{halfHour: newWindow(windowSlots, windowSlot), day: newWindow(daySlots, daySlot)}
			w.damaged[strings.Clone(g.hub)] = d
		}
		d.halfHour.add(now, figures{of: records + g.damaged, bad: g.damaged})
		d.day.add(now, figures{of: records + g.damaged, bad: g.damaged})
	}
	for _, key := range g.met {
		w.met[key] = true
	}
	clear(g.streams) // they alias the messages
	w.pool.Put(g)
}

// heard files what a batch held of a stream, and under its part, too.
func (w *Watch) heard(s *glimpsed, hub string, now time.Time) {
	s.heard.first, s.heard.last, s.heard.hubs = now, now, []string{hub}
	whole := streamKey{clipped(s.key.tenant), s.key.kind, ""}
	merge(w.fresh, whole, &s.heard)
	if s.key.workload != "" {
		merge(w.fresh, streamKey{whole.tenant, whole.kind, clipped(s.key.workload)}, &s.heard)
	}
	if h := &s.heard; h.timed > 0 {
		d := w.delays[whole]
		if d == nil {
			if len(w.delays) >= maxStreams {
				return
			}
			d = newWindow(windowSlots, windowSlot)
			w.delays[whole] = d
		}
		d.add(now, figures{of: h.timed, bad: h.late, fair: h.lateish, worst: h.slowest})
	}
}

// clipped copies a name out of a record, and bounds it.
func clipped(s string) string { return strings.Clone(s[:min(len(s), 100)]) }

// merge adds h to what is known under key.
func merge(to map[streamKey]*heard, key streamKey, h *heard) {
	have := to[key]
	if have == nil {
		if len(to) < maxStreams {
			c := *h
			c.hubs = slices.Clone(h.hubs)
			to[key] = &c
		}
		return
	}
	have.records += h.records
	if h.happened.After(have.happened) {
		have.happened = h.happened
	}
	if h.first.Before(have.first) {
		have.first = h.first
	}
	if h.last.After(have.last) {
		have.last = h.last
	}
	for _, hub := range h.hubs {
		have.hubs = withHub(have.hubs, hub)
	}
}

func withHub(hubs []string, hub string) []string {
	if len(hubs) >= maxHubs || slices.Contains(hubs, hub) {
		return hubs
	}
	return append(hubs, strings.Clone(hub))
}

const (
	maxStreams = 4096 // followed; what comes beyond is not missed when it stops
	maxHubs    = 16   // remembered of a stream
)
