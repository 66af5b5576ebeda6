package ingest

import (
	"net/netip"
	"time"

	"phiwatch/ingest/document"
)

// Outcome says whether the recorded operation was done. Only Success changes a
// safeguard's state. The zero value is OutcomeUnknown.
type Outcome uint8

// The outcomes.
const (
	OutcomeUnknown Outcome = iota // not stated, or not final (an Activity Start record)
	Success
	Failure
)

// String returns "unknown", "success" or "failure".
func (o Outcome) String() string {
	return [...]string{"unknown", "success", "failure"}[o]
}

// Principal is somebody or something that acts or is acted upon. ID is the
// stable identifier as it stands in the record (object id, UPN, resource id),
// Name what a person reads. Either may be empty.
type Principal struct {
	ID, Name string
	Type     string // User, Application, ServicePrincipal, Policy, Group … as logged, or empty
}

// Event is one decoded audit record.
//
// Its strings alias the message it came from, which nobody may modify. Doc is
// reused by the Decoder: an Event is valid until the callback it was passed to
// returns, its strings for longer.
type Event struct {
	ID       string    // the provider's record id, or composed of what is equal in repeats; with Tenant and Kind, the identity that folds repeats; empty if the record has none
	Kind     Kind      //
	Tenant   string    // lower-cased tenant id, empty if the record does not say
	Time     time.Time // when it happened (UTC), not when it arrived, unless the record does not say: then Enqueued
	Action   string    // operation as logged
	Op       string    // Action case-folded and trimmed, one trailing full stop removed: what rules compare
	Outcome  Outcome
	Actor    Principal
	Target   Principal
	Workload string             // of a unified audit record, as logged: Exchange, SharePoint …; else empty
	IP       netip.Addr         // caller's address; the zero Addr if absent or unreadable
	Repaired Repair             // what had to be repaired before the record could be read
	Doc      *document.Document // every field, lazily
	Position Position           // of the message that held it
	Index    int                // of the record in its message
	Enqueued time.Time          // when the hub accepted the message; zero outside a hub

	plan *Plan // of what read holds
	read *document.Fields
}
