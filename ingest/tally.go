package ingest

import "fmt"

// Tally counts what the messages of a batch held: the sums of the promise's
// first identity, received = evaluated + quarantined. A batch is counted once,
// when it is decided, however often it was delivered. The zero value is ready;
// a Tally is not safe for concurrent use.
type Tally struct {
	Messages    int64
	Received    int64 // records
	Repaired    int64 // records that had to be repaired
	kinds       [kindCount]int64
	quarantined map[Reason]int64
	repairs     [len(repairNames)]int64
	delays      []float64 // from event to enqueued, seconds
}

// Event counts an event that every rule has seen.
func (t *Tally) Event(e *Event) {
	t.Received++
	t.kinds[e.Kind]++
	if e.Repaired != 0 {
		t.Repaired++
		for i := range t.repairs {
			t.repairs[i] += int64(e.Repaired >> i & 1)
		}
	}
	if !e.Enqueued.IsZero() && !e.Time.IsZero() {
		t.delays = append(t.delays, max(0, e.Enqueued.Sub(e.Time).Seconds()))
	}
}

// Quarantine counts a record that could not be decoded.
func (t *Tally) Quarantine(q *Quarantined) {
	t.Received++
	if t.quarantined == nil {
		t.quarantined = map[Reason]int64{}
	}
	t.quarantined[q.Reason]++
}

// Add adds the counts of o, but not its delays.
func (t *Tally) Add(o *Tally) {
	t.Messages += o.Messages
	t.Received += o.Received
	t.Repaired += o.Repaired
	for k := range t.kinds {
		t.kinds[k] += o.kinds[k]
	}
	for i := range t.repairs {
		t.repairs[i] += o.repairs[i]
	}
	for r, n := range o.quarantined {
		if t.quarantined == nil {
			t.quarantined = map[Reason]int64{}
		}
		t.quarantined[r] += n
	}
}

// OfKind returns how many events there were of a kind.
func (t *Tally) OfKind(k Kind) int64 { return t.kinds[k] }

// ForReason returns how many records were quarantined for a reason.
func (t *Tally) ForReason(r Reason) int64 { return t.quarantined[r] }

// Evaluated returns how many records every rule has seen.
func (t *Tally) Evaluated() (n int64) {
	for _, k := range t.kinds {
		n += k
	}
	return n
}

// Quarantined returns how many records could not be decoded.
func (t *Tally) Quarantined() (n int64) {
	for _, q := range t.quarantined {
		n += q
	}
	return n
}

// Check returns an error when a record has been lost or counted twice.
func (t *Tally) Check() error {
	if got := t.Evaluated() + t.Quarantined(); got != t.Received {
		return fmt.Errorf("received %d records, but evaluated %d and quarantined %d", t.Received, t.Evaluated(), t.Quarantined())
	}
	return nil
}
