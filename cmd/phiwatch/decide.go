package main

import (
	"bytes"
	"fmt"

	"phiwatch/detectors"
	"phiwatch/detectors/blindness"
	"phiwatch/ingest"
)

// verdict is what a batch came to.
type verdict struct {
	tally       ingest.Tally
	matches     []detectors.Match
	quarantined []ingest.Quarantined
	crashed     []ingest.Quarantined // of them, the records that made a rule panic
	gaps        []detectors.Finding  // where messages are missing
	glimpse     *blindness.Glimpse
}

// decide decodes and matches the messages of a batch.
func (p *pipeline) decide(b ingest.Batch) *verdict {
	dec := p.decoders.Get().(*ingest.Decoder)
	engine := p.engine.Load()
	dec.Use(engine.Plan())
	v := &verdict{glimpse: p.watch.Begin(&b), matches: *p.matches.Get().(*[]detectors.Match)}
	for i := range b.Messages {
		v.tally.Messages++
		if err := v.decide(dec, engine, b.Messages[i]); err != nil {
			p.log.Error("message made the decoder panic and is quarantined; please report it",
				"hub", b.Hub, "partition", b.ID, "sequence", b.Messages[i].Sequence, "err", err)
			dec = ingest.NewDecoder() // the other may be in any state
			dec.Use(engine.Plan())
		}
	}
	p.decoders.Put(dec)
	p.tellCrashed(&b, v)
	return v
}

// tellCrashed logs the records that made a rule panic, in one line a batch: what
// wakes a bug seldom comes alone.
func (p *pipeline) tellCrashed(b *ingest.Batch, v *verdict) {
	if len(v.crashed) == 0 {
		return
	}
	first := &v.crashed[0]
	p.log.Error("records made a rule panic and are quarantined; please report it", "hub", b.Hub, "partition", b.ID,
		"records", len(v.crashed), "sequence", first.Position.Sequence, "index", first.Index, "err", first.Detail)
}

// decide decodes and matches one message. A bug that one record wakes must not
// stop all that comes after it: the record, or the message if decoding it
// fails, is put aside, and the error returned.
func (v *verdict) decide(dec *ingest.Decoder, engine *detectors.Engine, m ingest.Message) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
			v.putAside(ingest.Quarantined{Position: m.Position, Index: -1, Reason: ingest.Crashed, Detail: err.Error(), Bytes: m.Body})
		}
	}()
	dec.Decode(m, func(ev *ingest.Event) {
		matches, err := match(engine, ev, v.matches)
		if err != nil {
			q := ingest.Quarantined{
				Position: ev.Position, Index: ev.Index, Reason: ingest.Crashed, Detail: err.Error(), Bytes: bytes.Clone(ev.Doc.Raw()),
			}
			v.putAside(q)
			v.crashed = append(v.crashed, q)
			return
		}
		v.matches = matches
		v.tally.Event(ev)
		v.glimpse.Event(ev)
	}, v.putAside)
	return nil
}

// reuse gives the memory of a verdict to those that follow.
func (p *pipeline) reuse(v *verdict) {
	matches := detectors.Reuse(v.matches)
	p.matches.Put(&matches)
	v.matches = nil
}

func (v *verdict) putAside(q ingest.Quarantined) {
	v.tally.Quarantine(&q)
	v.glimpse.Damaged()
	v.quarantined = append(v.quarantined, q)
}

// match is Engine.Match with a panic as an error.
func match(engine *detectors.Engine, ev *ingest.Event, out []detectors.Match) (matches []detectors.Match, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic while matching: %v", r)
		}
	}()
	return engine.Match(ev, out), nil
}
