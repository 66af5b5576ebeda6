package blindness

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"phiwatch/detectors"
	"phiwatch/ingest"
)

// Gaps returns an incident for each place in a batch where messages are missing
// that the hub had accepted. after is the sequence number of the last message
// decided before, if one is known. They are the same when the batch is delivered
// again, and belong into the transaction that moves the position past them.
//
// Within a partition Event Hubs numbers messages without gaps; a hub with log
// compaction does not keep all of them and is not for audit records.
func (w *Watch) Gaps(b *ingest.Batch, after int64, known bool) []detectors.Finding {
	if w == nil || b.Owner == "" || len(b.Messages) == 0 {
		return nil
	}
	var out []detectors.Finding
	first := &b.Messages[0]
	if b.Reset {
		out = append(out, gap(b, first, "reset", "the hub was made anew; what was not read of the old one is lost",
			map[string]any{"first": first.Sequence, "enqueued": stamp(first.Enqueued)}))
		known = false
	}
	for i := range b.Messages {
		m := &b.Messages[i]
		if known && m.Sequence > after+1 {
			n := m.Sequence - after - 1
			out = append(out, gap(b, m, fmt.Sprint(after), fmt.Sprintf("%d messages are missing", n),
				map[string]any{"after": after, "before": m.Sequence, "messages": n, "enqueued": stamp(m.Enqueued)}))
		}
		after, known = m.Sequence, true
	}
	if len(out) == 0 {
		return nil
	}
	w.mu.Lock()
	options := w.options
	w.mu.Unlock()
	if options.off(evidenceGap) {
		return nil
	}
	for i := range out {
		out[i].Severity = options.level(evidenceGap, out[i].Severity)
		w.metrics.count(&out[i])
	}
	return out
}

func gap(b *ingest.Batch, m *ingest.Message, id, words string, details map[string]any) detectors.Finding {
	at := m.Enqueued
	if at.IsZero() {
		at = time.Now()
	}
	f := watchFinding(evidenceGap, detectors.Incident, "", b.Hub+joiner+b.ID, at, "hub", words, details)
	f.Evidence.EventID = "phiwatch/" + digestOf(evidenceGap.Entry, b.Hub, b.ID, id, fmt.Sprint(m.Sequence), fmt.Sprint(m.Enqueued.UnixMicro()))
	f.Evidence.Enqueued, f.Evidence.Position = m.Enqueued, m.Position
	return f
}

// expired lists what the hubs seem to have given up, by subject.
func (t *tick) expired() map[string]Expired {
	out := map[string]Expired{}
	for i := range t.hubs {
		for _, e := range t.hubs[i].Expired {
			out[t.hubs[i].Hub+joiner+e.Partition] = e
		}
	}
	return out
}

// expiring is what a hub seems to have given up, and since when it does.
type expiring struct {
	Expired
	since time.Time
}

// expiredFor is how long it is left to Gaps to tell what expired: it knows all
// that is missing, and two incidents of one loss are one too many.
const expiredFor = time.Hour

// outlived tells of messages that the hub gave up before they were read. Usually
// Gaps does, at the next message; but where none follows nobody would. What is
// not so for long may be a batch in hand.
func (t *tick) outlived() {
	now := t.expired()
	for _, subject := range slices.Sorted(maps.Keys(now)) {
		e := expiring{now[subject], t.now}
		if old, ok := t.before[subject]; ok && old.After == e.After && old.since.Before(t.now) {
			e.since = old.since
		}
		t.expiring[subject] = e
		a := t.alarm(evidenceGap, "", fmt.Sprintf("%s after %d", subject, e.After))
		if a.open || t.now.Sub(e.since) < expiredFor || t.options.off(evidenceGap) {
			continue
		}
		a.open, a.since, a.told, a.dirty = true, t.now, t.now, true
		t.lost(subject, "hub", fmt.Sprintf("%d messages expired in the hub before they were read", e.UpTo-e.After),
			map[string]any{"after": e.After, "up_to": e.UpTo})
	}
}

// lost tells that records are gone.
func (t *tick) lost(subject, kind, words string, details map[string]any) {
	f := watchFinding(evidenceGap, detectors.Incident, "", subject, t.now, kind, words, details)
	f.Severity = t.options.level(evidenceGap, f.Severity)
	t.findings = append(t.findings, f)
}
