package alerting

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Receiver is one destination. Implementations live in a package each.
type Receiver interface {
	// Deliver brings the destination to the group's present state and returns
	// where it stands now (message id, page key). have is what the last
	// successful Deliver for this group returned, nil the first time.
	//
	// It is called by one goroutine per group at a time and must honour ctx.
	// Errors are Permanent (no retry would help: tried again seldom, and reported),
	// RetryAfter (the destination named a pause) or plain (try again with
	// back-off). Errors never contain a secret.
	Deliver(ctx context.Context, g Group, have Receipt) (Receipt, error)
}

// Receipt is what a receiver remembers about a group: JSON of its own making.
type Receipt []byte

// Group is what is delivered together: one chat message, one page.
type Group struct {
	// Key is stable over the life of the group and unique among all groups
	// ever: the dedup key of a page. Safe as an identifier: [a-z0-9-].
	Key        string
	Version    int64             // rises with every change
	Labels     map[string]string // the group_by labels and their values
	Violations []Violation       // open first, then by severity, then newest first
	// Repeat is true when the outcome of an earlier attempt at this first
	// delivery is unknown (the process died between send and record): a
	// message without a dedup key must then say that it may be a repeat.
	Repeat bool
}

// Open reports whether any violation of the group is neither restored nor closed.
func (g Group) Open() bool {
	for i := range g.Violations {
		if g.Violations[i].State.Open() {
			return true
		}
	}
	return false
}

// Status is where a violation stands.
type Status string

// The statuses. Acknowledged is open: somebody has taken it on.
const (
	StatusOpen         Status = "open"
	StatusAcknowledged Status = "acknowledged"
	StatusRestored     Status = "restored"
	StatusClosed       Status = "closed" // what a person closed, or a quiet period, or what has lapsed
)

// Open reports whether the safeguard is still weak.
func (s Status) Open() bool { return s == StatusOpen || s == StatusAcknowledged }

// Violation is a weakened safeguard (or an incident) as people see it. Every
// text field comes from events and is hostile: receivers escape it.
type Violation struct {
	ID          string    `json:"id"` // stable: from tenant, entry and subject
	Entry       string    `json:"entry"`
	Safeguard   string    `json:"safeguard"`
	Safeguards  []string  `json:"safeguards,omitempty"`
	HIPAA       []string  `json:"hipaa,omitempty"`
	Title       string    `json:"title"`
	Tenant      string    `json:"tenant"`
	Subject     string    `json:"subject"`
	SubjectName string    `json:"subject_name,omitempty"`
	Severity    string    `json:"severity"`
	State       Status    `json:"state"`
	Opened      time.Time `json:"opened,omitzero"`   // event time of the weakening that began this episode
	Changed     time.Time `json:"changed,omitzero"`  // event time of the newest observation
	Restored    time.Time `json:"restored,omitzero"` // event time of the restore; zero while open
	Actor       string    `json:"actor,omitempty"`
	ActorIP     string    `json:"actor_ip,omitempty"`
	Action      string    `json:"action,omitempty"`
	RestoredBy  string    `json:"restored_by,omitempty"`
	AckedBy     string    `json:"acknowledged_by,omitempty"`
	AckedAt     time.Time `json:"acknowledged_at,omitzero"`
	ClosedBy    string    `json:"closed_by,omitempty"` // empty if it closed by itself
	ClosedAt    time.Time `json:"closed_at,omitzero"`  // when a person said so, or the event time at which it was over
	ClosedNote  string    `json:"closed_note,omitempty"`
	Runbook     []string  `json:"runbook,omitempty"`
	Repeats     int       `json:"repeats,omitempty"` // further weakenings folded into this episode
	Evidence    []string  `json:"evidence"`          // event ids, oldest first, bounded
}

// Permanent wraps an error that no retry can help as long as nobody does something.
func Permanent(err error) error { return &permanentError{err} }

type permanentError struct{ error }

func (e *permanentError) Unwrap() error { return e.error }

// IsPermanent reports whether err, or an error it wraps, was made by Permanent.
func IsPermanent(err error) bool {
	var p *permanentError
	return errors.As(err, &p)
}

// RetryAfter wraps an error after which the destination wants to be left alone for d.
func RetryAfter(d time.Duration, err error) error { return &retryAfterError{err, d} }

type retryAfterError struct {
	error
	after time.Duration
}

func (e *retryAfterError) Unwrap() error { return e.error }
func (e *retryAfterError) Error() string {
	return fmt.Sprintf("%v (retry after %s)", e.error, inWords(e.after))
}

// RetryDelay returns the pause that a RetryAfter in err's chain asks for.
func RetryDelay(err error) (time.Duration, bool) {
	if r, ok := errors.AsType[*retryAfterError](err); ok {
		return r.after, true
	}
	return 0, false
}
