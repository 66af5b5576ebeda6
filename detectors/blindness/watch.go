package blindness

import (
	"context"
	"database/sql"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"phiwatch/detectors"
	"phiwatch/ingest"
)

// Watch finds what no event tells: that events are missing, late, unreadable or
// not what rules were written for. It is told of each batch that was decided,
// and judges by the clock, once in a while, in Tick.
//
// Silence has three causes, which it tells apart: the hub cannot be reached, the
// consumer is behind, or the source has stopped. Only while the first two are
// ruled out does a quiet count as the source's, so that neither an outage of the
// hub nor of this process is blamed on it.
//
// Findings come in the order that the ledger needs: what is weakened has the
// time since when it was so by this process's clock, never that of a record,
// since what breaks a silence may be old; what is restored has the time at which
// it was seen to be. Of one subject each is at or after the one before. Only the
// incident that a stream was off for a time has the time of an event: of that
// which ended it.
//
// An entry that a pack switches off is not judged. What is open of it stays so;
// once the entry is on again, that ends when it is over.
//
// All its state is in the database, but for the windows of half an hour and of a
// day, what seems to have expired, and what was seen since the last Tick: judge
// once more before a stop. It may be used concurrently, but for Tick and Done.
type Watch struct {
	metrics *metrics
	fields  atomic.Pointer[fieldWatch]
	sampled []atomic.Int64 // records, by kind: each hundredth is looked at
	pool    sync.Pool      // of *Glimpse

	listeners atomic.Pointer[listeners]
	late      atomic.Pointer[string]

	mu      sync.Mutex // guards what follows; held for moments only
	options Options
	fresh   map[streamKey]*heard // since the last Tick
	delays  map[streamKey]*window
	damaged map[string]*damaged // by hub
	met     map[cutKey]bool     // since the last Tick
	evicted int64               // likewise

	// What follows belongs to Tick and Done.
	carry  map[streamKey]*heard // taken by a Tick that is not Done
	again  map[cutKey]bool      // met, likewise
	gone   int64                // evicted, likewise
	untold int64                // of them, what the last Tick did not tell
	gaps   map[string]expiring  // seen in the last Tick, by hub and partition
	begun  time.Time            // first Tick
	last   time.Time            // last Tick that was Done
	next   time.Time            // becomes last
	show   func()               // makes the round known
}

// New returns a Watch that has heard nothing yet. It counts its findings
// with those of the engines.
func New(o Options, m *detectors.Metrics, reg prometheus.Registerer) *Watch {
	w := &Watch{
		metrics: newMetrics(m, reg), fresh: map[streamKey]*heard{}, carry: map[streamKey]*heard{},
		delays: map[streamKey]*window{}, damaged: map[string]*damaged{}, show: func() {},
		met: map[cutKey]bool{}, again: map[cutKey]bool{},
		sampled: make([]atomic.Int64, len(ingest.Kinds())),
	}
	w.listeners.Store(listenFor(nil))
	w.late.Store(&notJudged)
	w.pool.New = func() any { return &Glimpse{watch: w} }
	w.SetOptions(o)
	return w
}

// SetOptions replaces the options, from the next Tick on.
func (w *Watch) SetOptions(o Options) {
	o.fill()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.options = o
}

// HubHealth is how a hub is doing.
type HubHealth struct {
	Hub       string // as ingest.HubName writes it
	Connected bool
	Trouble   string        // its class, if there is any; for people
	Known     bool          // whether every partition is read, of which there must be one, and its lag known
	Behind    time.Duration // how long the oldest undecided message has waited, at most
	Events    int64         // messages not decided yet
	Stuck     bool          // whether a batch cannot be decided
	Expired   []Expired     // messages that the hub seems to have given up undecided
}

// Expired is a run of messages of one partition, by sequence number.
type Expired struct {
	Partition   string
	After, UpTo int64 // the last one decided, and the last one given up
}

// longestStep is how much a pause between ticks counts at most: what is longer
// was a suspended machine, not a quiet source.
const longestStep = 5 * time.Minute

// Tick judges at a time, given all hubs that are configured, and returns what
// changed. Write tx with the findings, and call Done once it is committed: until
// then, the next Tick judges the same again.
func (w *Watch) Tick(ctx context.Context, tx *sql.Tx, now time.Time, hubs []HubHealth) ([]detectors.Finding, error) {
	state, err := loadMemory(ctx, tx)
	if err != nil {
		return nil, err
	}
	if w.begun.IsZero() {
		w.begun = now
	}
	t := &tick{
		memory: state, carry: w.carry, met: w.again, before: w.gaps, fields: w.fields.Load(), metrics: w.metrics,
		expiring: map[string]expiring{}, begun: w.begun, now: now, hubs: hubs, first: w.last.IsZero(),
	}
	w.take(t)
	if !t.first {
		t.step = min(longestStep, max(0, now.Sub(w.last)), max(0, now.Sub(state.ticked)))
	}
	t.judge()
	if err := state.save(ctx, tx, now); err != nil {
		return nil, err
	}
	w.next, w.gaps, w.untold = now, t.expiring, t.gone
	gauges, listeners, late := t.gauges(), listenFor(t.watched), t.late()
	w.show = func() {
		gauges()
		w.listeners.Store(listeners)
		w.late.Store(&late)
	}
	return t.findings, nil
}

// take gives a round what was seen.
func (w *Watch) take(t *tick) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for key, h := range w.fresh {
		merge(w.carry, key, h)
	}
	clear(w.fresh)
	maps.Copy(w.again, w.met)
	clear(w.met)
	w.gone, w.evicted = w.gone+w.evicted, 0
	t.gone, t.options = w.gone, w.options
	t.delays, t.damaged, t.trickled = map[streamKey]figures{}, map[string]figures{}, map[string]figures{}
	for key, h := range w.delays {
		t.delays[key] = h.sum(t.now)
	}
	for hub, d := range w.damaged {
		t.damaged[hub] = d.halfHour.sum(t.now)
		if t.alarms[alarmKey{quarantineGrowth.Entry, "", hub}].isOpen() {
			clear(d.day.slots) // that is told: the day counts from its end
		}
		if day := d.day.sum(t.now); day.bad > 0 {
			t.trickled[hub] = day
		}
	}
}

// Done says that what the last Tick did is committed.
func (w *Watch) Done() {
	clear(w.carry)
	clear(w.again)
	w.gone, w.last = w.untold, w.next
	w.show()
}

// tick is one round of judging.
type tick struct {
	*memory
	options  Options
	carry    map[streamKey]*heard // since the last round
	met      map[cutKey]bool      // likewise
	watched  []*cut               // to be met
	delays   map[streamKey]figures
	damaged  map[string]figures // of half an hour
	trickled map[string]figures // of a day
	gone     int64
	before   map[string]expiring
	expiring map[string]expiring
	fields   *fieldWatch
	metrics  *metrics
	begun    time.Time // of the watch
	now      time.Time
	step     time.Duration // since the last round, as far as it counts
	first    bool          // of this process
	hubs     []HubHealth
	findings []detectors.Finding
}

func (t *tick) judge() {
	for _, a := range t.alarms {
		if t.first && t.now.Sub(t.ticked) > longestStep {
			a.forget()
		}
		a.notAfter(t.now)
	}
	t.listen()
	t.switchedOff() // before silences: one alarm for one stream
	t.silences()
	t.lateness()
	t.damage()
	t.reach()
	t.outlived()
	t.intervals()
	t.unseen()
}
