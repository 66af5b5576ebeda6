package detectors

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"
)

// feedRecord is the record of one sample.
type feedRecord struct {
	metaBytes []byte
	meta      feedMeta
	entry     feedEntry
	match     int // of this batch, or -1
}

// record returns the record of a sample: of this batch, or out of the journal.
func (c *correlator) record(j journal, n *node, t uint64, current int64) (feedRecord, error) {
	seq, offset := untag(t)
	row, match := n.row, -1
	if seq == current {
		i, _ := slices.BinarySearchFunc(n.origins, offset, func(o origin, at int) int { return o.offset - at })
		match = n.origins[i].match
	} else {
		var err error
		if row, err = c.row(j, n, seq); err != nil {
			return feedRecord{}, err
		}
	}
	if offset > len(row) {
		return feedRecord{}, errFeed
	}
	outer := reader{b: row[offset:]}
	whole := outer.block()
	r := reader{b: whole}
	rec := feedRecord{meta: r.meta(), match: match}
	rec.metaBytes = whole[:len(whole)-len(r.b)]
	rec.entry = r.entry()
	if outer.bad || r.bad {
		return feedRecord{}, errFeed
	}
	return rec, nil
}

// row reads a row of the journal once a batch.
func (c *correlator) row(j journal, n *node, seq int64) ([]byte, error) {
	p := place{seq, n.name}
	if row, ok := c.rows[p]; ok {
		return row, nil
	}
	row, err := j.read(seq, n.name)
	if err != nil {
		return nil, err
	}
	if c.rows == nil {
		c.rows = map[place][]byte{}
	}
	c.rows[p] = row
	return row, nil
}

// finding concludes from a sample at which the condition holds. Its id is made
// of the entry, the group and the event.
func (c *correlator) finding(j journal, n *node, f firing, rec feedRecord, seq int64) (Finding, error) {
	m := &rec.meta
	about, deed, err := c.subjectAndDeed(j, n, f, rec, seq)
	if err != nil {
		return Finding{}, err
	}
	subject, name, _, _ := about.entry.about()
	if subject == "" {
		subject = about.meta.tenant
	}
	at := time.UnixMicro(m.at).UTC()
	out := Finding{
		Rule: &n.rule.Meta, State: n.state, Tenant: about.meta.tenant, Subject: subject, Name: name, Severity: n.rule.Severity, Time: at,
		Evidence: Evidence{
			EventID: strings.Join([]string{"correlation", n.rule.Entry, groupID(f.w.key), m.event}, "/"),
			Kind:    kindOfEvent(m.event), Action: deed.meta.action, Actor: deed.meta.actor, ActorIP: deed.meta.actorIP, Time: at,
		},
	}
	switch {
	case n.key == nil:
	case n.state == Restored:
		out.Strong = n.key.Sides
	default:
		out.Weak = n.key.Sides
	}
	proof := proof{Correlation: n.rule.Entry, ID: n.rule.ID, Timespan: n.doc.Timespan.String(), Subject: subject}
	if rec.match >= 0 {
		e := &c.matches[rec.match].Finding.Evidence
		out.Evidence.Enqueued, out.Evidence.Position = e.Enqueued, e.Position
		if json.Valid(e.Record) {
			proof.Record = e.Record
		}
	}
	if proof.Events, proof.Count, err = c.proven(j, n, f, seq); err != nil {
		return out, err
	}
	if out.Evidence.Record, err = json.Marshal(proof); err != nil {
		return out, fmt.Errorf("encode evidence: %w", err)
	}
	return out, nil
}

// subjectAndDeed returns the records of the events that name the subject, and who did it:
// rec, the last one's, unless the key says whose.
func (c *correlator) subjectAndDeed(j journal, n *node, f firing, rec feedRecord, seq int64) (about, deed feedRecord, err error) {
	about, deed = rec, rec
	if n.key == nil {
		return about, deed, nil
	}
	if n.key.Of != "" {
		if about, err = c.recordOf(j, n, f, n.key.Of, seq); err != nil {
			return about, deed, err
		}
	}
	if n.key.By != "" {
		deed, err = c.recordOf(j, n, f, n.key.By, seq)
	}
	return about, deed, err
}

// recordOf returns the record of the newest event of a rule within the timespan.
func (c *correlator) recordOf(j journal, n *node, f firing, rule string, seq int64) (feedRecord, error) {
	place := uint8(slices.Index(n.doc.Rules, rule))
	w := f.w.Window
	for i := w.From(w[f.at].At+1) - 1; i > 0; i-- {
		if w[i].Rule == place {
			return c.record(j, n, w[i].Tag, seq)
		}
	}
	return c.record(j, n, w[0].Tag, seq)
}

// groupID tells the groups of a correlation apart.
func groupID(key string) string {
	h := fnv.New64a()
	h.Write([]byte(key))
	return hex.EncodeToString(h.Sum(nil))
}

// kindOfEvent is the part of an event id that names the kind.
func kindOfEvent(id string) string {
	kind, _, _ := strings.Cut(id, "/")
	return kind
}

// proof is the evidence of a correlation: the events within the timespan, as far
// as they were known when the condition was found to hold, and the last one's
// record.
type proof struct {
	Correlation string          `json:"correlation"`
	ID          string          `json:"id,omitempty"`
	Subject     string          `json:"subject"`
	Timespan    string          `json:"timespan"`
	Count       int             `json:"count"`
	Events      []provenEvent   `json:"events"` // the newest of them
	Record      json.RawMessage `json:"record,omitempty"`
}

type provenEvent struct {
	Time    time.Time `json:"time"`
	EventID string    `json:"event_id"`
	Rule    string    `json:"rule"`
	Action  string    `json:"action"`
	Actor   string    `json:"actor,omitempty"`
	ActorIP string    `json:"actor_ip,omitempty"`
	Value   string    `json:"value,omitempty"`
}

// maxProven bounds the events that a proof lists.
const maxProven = 25

func (c *correlator) proven(j journal, n *node, f firing, seq int64) (events []provenEvent, count int, err error) {
	w := f.w.Window
	at := w[f.at].At
	from, to := w.From(at-n.span+1), w.From(at+1)
	for _, s := range w[max(from, to-maxProven):to] {
		rec, err := c.record(j, n, s.Tag, seq)
		if err != nil {
			return nil, 0, err
		}
		_, _, rule, _ := rec.entry.about()
		e := provenEvent{
			Time: time.UnixMicro(rec.meta.at).UTC(), EventID: rec.meta.event, Rule: rule,
			Action: rec.meta.action, Actor: rec.meta.actor, ActorIP: rec.meta.actorIP,
		}
		if !n.doc.Numeric() {
			e.Value = strings.TrimPrefix(string(rec.entry.value), "\x00")
		}
		events = append(events, e)
	}
	return events, to - from, nil
}
