package alerting

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"phiwatch/detectors"
)

// What people say of a violation is kept among the observations, so that it
// takes its place in time like everything else.
const (
	acknowledged detectors.State = "acknowledged"
	closed       detectors.State = "closed"
)

// key orders the observations of one violation. At one instant a restore
// comes before a weakening, so that a tie leaves the safeguard weak: of two
// mistakes, telling too much is the smaller. What a person says comes last.
type key struct {
	at    int64 // microseconds
	rank  int
	event string
}

func (k key) compare(o key) int {
	return cmp.Or(cmp.Compare(k.at, o.at), cmp.Compare(k.rank, o.rank), strings.Compare(k.event, o.event))
}

func rank(s detectors.State) int {
	switch s {
	case detectors.Restored:
		return 0
	case detectors.Weakened, detectors.Incident:
		return 1
	default:
		return 2
	}
}

// observation is one thing known of one violation.
type observation struct {
	violation string
	event     string // event id; with violation and state, what folds repeats
	state     detectors.State
	at        int64
	severity  detectors.Severity
	quiet     int64  // of an incident and of what lapses, microseconds
	weight    int64  // how much it says: of two tellings of one event, the one that knows more counts
	body      []byte // JSON of observed; nil until encode

	enqueued int64              // of the event, for measuring delay; not stored
	evidence *detectors.Finding // not stored here
}

func (o *observation) key() key { return key{o.at, rank(o.state), o.event} }

// observed is what an observation tells people. Only a weakening carries the
// rule's words.
type observed struct {
	Tenant     string   `json:"tenant,omitempty"`
	Entry      string   `json:"entry,omitempty"`
	Subject    string   `json:"subject,omitempty"`
	Name       string   `json:"name,omitempty"`
	Actor      string   `json:"actor,omitempty"`
	ActorIP    string   `json:"actor_ip,omitempty"`
	Action     string   `json:"action,omitempty"`
	Title      string   `json:"title,omitempty"`
	Safeguards []string `json:"safeguards,omitempty"`
	HIPAA      []string `json:"hipaa,omitempty"`
	Group      string   `json:"group,omitempty"`
	Runbook    []string `json:"runbook,omitempty"`
	Restorable bool     `json:"restorable,omitempty"`
	Weak       []string `json:"weak,omitempty"`   // sides of the safeguard
	Strong     []string `json:"strong,omitempty"` // of a restore: none means all
	Note       string   `json:"note,omitempty"`   // of a person
	Said       int64    `json:"said,omitempty"`   // when the person said it
	Takes      bool     `json:"takes,omitempty"`  // a close that acknowledges: of what nothing else ends
}

// ViolationID returns the id of the violation of an entry by a subject of a
// tenant. Case does not matter (safeguards: GUIDs, UPNs and resource ids come
// in any).
func ViolationID(tenant, entry, subject string) string {
	b := make([]byte, 0, 256)
	for _, s := range []string{tenant, entry, subject} {
		s = strings.ToLower(s)
		b = strconv.AppendInt(b, int64(len(s)), 10)
		b = append(b, ':')
		b = append(b, s...)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:len(violationKey{})])
}

// observe turns a finding into an observation.
func observe(f *detectors.Finding) (observation, error) {
	if f.Rule == nil {
		return observation{}, fmt.Errorf("finding of event %q has no rule", f.Evidence.EventID)
	}
	switch f.State {
	case detectors.Weakened, detectors.Restored, detectors.Incident:
	default:
		return observation{}, fmt.Errorf("finding of %s has unknown state %q", f.Rule.Entry, f.State)
	}
	o := observation{
		violation: ViolationID(f.Tenant, f.Rule.Entry, f.Subject),
		event:     eventID(&f.Evidence),
		state:     f.State,
		at:        micros(eventTime(f)),
		severity:  f.Severity,
		weight:    weight(f.Revision, f.Weak, f.Strong),
		enqueued:  micros(f.Evidence.Enqueued),
		evidence:  f,
	}
	if f.State != detectors.Restored {
		o.quiet = f.Rule.Quiet.Microseconds()
	}
	return o, nil
}

func weight(revision int, weak, strong []string) int64 {
	return int64(revision)<<revised + int64(len(weak))<<20 + int64(len(strong))
}

// encode makes the body of an observation of a finding.
func (o *observation) encode() error {
	if o.body != nil {
		return nil
	}
	body, err := json.Marshal(words(o.evidence))
	if err != nil {
		return fmt.Errorf("encode observation of %s: %w", o.evidence.Rule.Entry, err)
	}
	o.body = body
	return nil
}

func words(f *detectors.Finding) observed {
	e := &f.Evidence
	w := observed{Actor: clip(e.Actor, maxText), ActorIP: clip(e.ActorIP, maxText), Action: clip(e.Action, maxText)}
	w.Weak, w.Strong = sides(f.Weak), sides(f.Strong)
	if f.State == detectors.Restored {
		return w
	}
	w.Tenant, w.Entry = identifier(f.Tenant), f.Rule.Entry
	w.Subject, w.Name = clip(f.Subject, maxText), clip(f.Name, maxText)
	w.Title, w.Group, w.Restorable = f.Rule.Title, f.Rule.Group, f.Rule.Restorable
	w.Safeguards, w.HIPAA, w.Runbook = f.Rule.Safeguards, f.Rule.HIPAA, f.Rule.Runbook
	return w
}

// revised is where in a weight the revision stands.
const revised = 40

// sides makes the names of sides storable.
func sides(names []string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = identifier(name)
	}
	return out
}

// eventTime is when the event happened. A record that does not say is dated by
// what is known next best: it must not look older than everything else.
func eventTime(f *detectors.Finding) time.Time {
	for _, t := range []time.Time{f.Time, f.Evidence.Time, f.Evidence.Enqueued} {
		if !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}

// eventID is the event's id, or for a record without one, an id of its bytes.
func eventID(e *detectors.Evidence) string {
	if e.EventID != "" {
		return identifier(e.EventID)
	}
	return e.Kind + "/" + digest(e.Record)
}

// prefer reports whether o is to be kept rather than p, both being the same
// event in the same state: the earlier time, the judgement that knew more, the
// higher severity, the one that says more of the safeguard's sides, then the
// lesser text. It does not depend on which came first; replace in store.go is the
// same in SQL.
func (o *observation) prefer(p *observation) bool {
	return cmp.Or(cmp.Compare(o.at, p.at), cmp.Compare(p.weight>>revised, o.weight>>revised), cmp.Compare(p.severity, o.severity),
		cmp.Compare(p.weight, o.weight), bytes.Compare(o.body, p.body)) < 0
}

// folded are observations, each of another folding.
type folded struct {
	list []*observation
	at   map[folding]int
}

func newFolded(n int) *folded { return &folded{make([]*observation, 0, n), make(map[folding]int, n)} }

func (f *folded) add(o *observation) error {
	k := folding{o.violation, o.event, o.state}
	at, ok := f.at[k]
	if !ok {
		f.at[k] = len(f.list)
		f.list = append(f.list, o)
		return nil
	}
	if err := errors.Join(o.encode(), f.list[at].encode()); err != nil {
		return err
	}
	if have := f.list[at]; o.prefer(have) {
		if o.evidence == nil {
			o.enqueued, o.evidence = have.enqueued, have.evidence
		}
		f.list[at] = o
	}
	return nil
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}
