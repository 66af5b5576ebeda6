package detectors

import (
	"time"

	"phiwatch/ingest"
)

// State is what a finding says of its subject.
type State string

// The states.
const (
	Weakened State = "weakened" // the safeguard of the subject is weaker from this event on
	Restored State = "restored" // the safeguard of the subject is back
	Incident State = "incident" // something happened that no event can undo; a person closes it
)

// Severity orders findings. The zero value is Info.
type Severity uint8

// The severities, in rising order; Sigma's informational is Info.
const (
	Info Severity = iota
	Low
	Medium
	High
	Critical
)

// String returns the severity as written in rules, labels and output.
func (s Severity) String() string {
	return [...]string{"info", "low", "medium", "high", "critical"}[s]
}

// Finding is what the engine concludes from an event: the state of one subject
// in one tenant at one time. All its strings are its own copies.
type Finding struct {
	Rule     *Meta     // the rule that concluded it: entry, safeguards, citation, runbook
	State    State     //
	Tenant   string    // lower-cased
	Subject  string    // the catalog's key as it stands in the record; comparison folds case
	Name     string    // what a person calls the subject; may be empty
	Severity Severity  // the rule's, raised or lowered by its conditions
	Time     time.Time // of the event
	Evidence Evidence

	// A safeguard may have several sides, such as the parameters of one
	// setting. A finding may be of some of them only: those that are weak from
	// this event on, and those that are strong. None means the safeguard as a
	// whole. The violation is over when no side is weak; see Covers.
	Weak, Strong []string

	// Revision tells apart what was concluded of one event as more became known
	// of the time before it: the higher one counts.
	Revision int

	provisional
}

// provisional is what Apply needs to know of a finding until it is settled.
type provisional struct {
	Unsure  bool                `json:",omitempty"` // the value is weak, but the subject may never have been strong
	Lower   Severity            `json:",omitempty"` // than which it is not more severe if it was not
	Hide    bool                `json:",omitempty"` // it is nothing if it was not
	Alias   []string            `json:",omitempty"` // for rules with alias: other names of the subject
	Renamed string              `json:",omitempty"` // for rules with alias: the name that the subject got
	ByAlias bool                `json:",omitempty"` // the subject may be known by these only
	Value   string              `json:",omitempty"` // for rules with regained: what was lost, or is in force now
	Known   string              `json:",omitempty"` // for rules with known: whom that is about
	By      string              `json:",omitempty"` // the id of who did it, where the evidence has the name
	Told    map[string][]string `json:",omitempty"` // for rules with memory: the values that the event tells
}

// Evidence points to the record a finding rests on.
type Evidence struct {
	EventID  string          `json:"event_id"` // kind + "/" + the provider's record id: folds repeats
	Kind     string          `json:"kind"`
	Action   string          `json:"action"`
	Actor    string          `json:"actor"` // UPN or application name, as logged
	ActorIP  string          `json:"actor_ip,omitempty"`
	Time     time.Time       `json:"time"`
	Enqueued time.Time       `json:"enqueued,omitzero"`
	Position ingest.Position `json:"position"`
	Record   []byte          `json:"-"` // the whole record as delivered, for the evidence store
}

// Meta describes a rule: one row of the safeguard catalog.
type Meta struct {
	Entry       string        // catalog id: ca-policy-disabled
	ID          string        // the Sigma rule's UUID
	Title       string        //
	Description string        //
	Safeguards  []string      // seed codes (MFA, CA, TDE …), the first is the primary one
	HIPAA       []string      // 45 CFR paragraphs: 164.312(d)
	Group       string        // integrity, authentication, transmission, audit
	Severity    Severity      // before conditions
	Runbook     []string      // what to do now, step by step
	Tags        []string      // ATT&CK and others
	Restorable  bool          // whether some event restores it
	Quiet       time.Duration // of an incident, and of what lapses: closes after this long without another; 0 = not by itself
	GoesBy      []string      // of what goes by the clock: the entries whose findings it takes in, too
}

// Safeguard is the primary seed code, the label of metrics and routes.
func (m *Meta) Safeguard() string {
	if len(m.Safeguards) == 0 {
		return "none"
	}
	return m.Safeguards[0]
}
