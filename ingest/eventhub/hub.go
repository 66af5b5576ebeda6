package eventhub

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"

	"phiwatch/ingest"
)

// shared is what all hubs of a Source have in common.
type shared struct {
	store  *Store
	owner  string
	sole   bool
	timing timing
	budget *budget
}

// hub keeps one hub going: it runs one session after another.
type hub struct {
	shared
	target
	conf    Hub
	name    string
	start   start
	retries azeventhubs.RetryOptions
	log     *slog.Logger
	metrics *metrics
	state   state

	observer  Observer                                  // may be nil
	onRelease func(context.Context)                     // may be nil
	handle    func(context.Context, ingest.Batch) error // set by run
}

func newHub(conf Hub, s shared, log *slog.Logger) (*hub, error) {
	t, err := conf.resolve()
	if err != nil {
		return nil, err
	}
	from, err := parseStart(conf.Start)
	if err != nil {
		return nil, err
	}
	if _, err := conf.connect(t, s.owner, defaultRetries); err != nil { // what cannot work is said now
		return nil, err
	}
	return &hub{
		shared: s, target: t, conf: conf, name: t.name(), start: from, retries: defaultRetries,
		log:   log.With("hub", t.name()),
		state: state{hub: HubState{Hub: t.name()}, parts: map[string]*partState{}, anew: map[string]bool{}},
	}, nil
}

// run builds the hub's client and Processor again and again until ctx ends.
func (h *hub) run(ctx context.Context, handle func(context.Context, ingest.Batch) error) {
	h.handle = handle
	pause := h.timing.rebuildMin
	for first := true; ctx.Err() == nil; first = false {
		if !first {
			h.metrics.rebuilds.WithLabelValues(h.name).Inc()
		}
		began := h.timing.now()
		err := h.session(ctx, first)
		h.disconnected()
		if ctx.Err() != nil {
			return
		}
		if !errors.Is(err, errPartitionsChanged) {
			h.fail(err, "build it anew")
		}
		if h.timing.now().Sub(began) > h.timing.rebuildMax {
			pause = h.timing.rebuildMin // it had been well
		}
		sleep(ctx, jitter(pause))
		pause = min(2*pause, h.timing.rebuildMax)
	}
}

func (h *hub) session(ctx context.Context, first bool) error {
	if first && h.sole {
		if err := h.store.release(ctx, h.target); err != nil {
			return err
		}
	}
	s, err := newSession(h)
	if err != nil {
		return err
	}
	return s.run(ctx)
}

// fail counts err, exposes it and logs it with what can be done about it.
func (h *hub) fail(err error, doing string, attrs ...any) {
	class := classify(err)
	e := &Error{Class: class, Hub: h.name, Remedy: h.conf.remedy(class, h.target), Err: err}
	h.metrics.errors.WithLabelValues(h.name, string(class)).Inc()
	h.state.change(func() { h.state.hub.LastError, h.state.hub.LastErrorAt = e, h.timing.now() })
	attrs = append(attrs, "doing", doing, "class", string(class), "err", err)
	if e.Remedy != "" {
		attrs = append(attrs, "remedy", e.Remedy)
	}
	h.log.Warn("hub in trouble", attrs...)
}

func (h *hub) connected() {
	h.metrics.connected.WithLabelValues(h.name).Set(1)
	h.state.change(func() { h.state.hub.Connected = true })
}

func (h *hub) disconnected() {
	h.metrics.connected.WithLabelValues(h.name).Set(0)
	h.state.change(func() { h.state.hub.Connected = false })
}

func (h *hub) look() HubState {
	h.state.mu.Lock()
	defer h.state.mu.Unlock()
	st := h.state.hub
	st.Partitions = slices.Clone(st.Partitions)
	return st
}

func (h *hub) lags() []Lag {
	h.state.mu.Lock()
	defer h.state.mu.Unlock()
	now := h.timing.now()
	var out []Lag
	for _, id := range h.state.hub.Partitions {
		l := Lag{Partition: ingest.Partition{Hub: h.name, ID: id}, Events: -1}
		if p := h.state.parts[id]; p != nil {
			l.Events, l.Behind = p.lag(now)
			l.After, l.Expired = p.expired()
			l.Stuck = p.stuck
		}
		out = append(out, l)
	}
	slices.SortFunc(out, func(a, b Lag) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// errPartitionsChanged ends a session when the hub has got more partitions,
// which the SDK's Processor would not see.
var errPartitionsChanged = errors.New("partitions were added to the hub")

// errNoAnswer ends a call that the service does not answer in time.
func errNoAnswer(d time.Duration) error {
	return fmt.Errorf("no answer in %s: %w", d, context.DeadlineExceeded)
}
