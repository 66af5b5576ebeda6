package localhub

import "phiwatch/ingest/localhub/internal/amqp"

// Conditions that the service reports, as far as they are needed here.
const (
	condNotFound      = "amqp:not-found"
	condUnauthorized  = "amqp:unauthorized-access"
	condNotAllowed    = "amqp:not-allowed"
	condDecode        = "amqp:decode-error"
	condInternal      = "amqp:internal-error"
	condLimit         = "amqp:resource-limit-exceeded"
	condForced        = "amqp:connection:forced"
	condFraming       = "amqp:connection:framing-error"
	condStolen        = "amqp:link:stolen"
	condTooLarge      = "amqp:link:message-size-exceeded"
	condTransferLimit = "amqp:link:transfer-limit-exceeded"
	condUnattached    = "amqp:session:unattached-handle"
	condHandleInUse   = "amqp:session:handle-in-use"
	condArgument      = "com.microsoft:argument-error"

	// ServerBusy is the service's way to say: not now, try again.
	ServerBusy = "com.microsoft:server-busy"
)

// condition is an error on the wire.
type condition struct {
	name, description string
}

func (c *condition) Error() string { return c.name + ": " + c.description }

// encode appends the error, or null if there is none.
func (c *condition) encode(e *amqp.Encoder) {
	if c == nil {
		e.Null()
		return
	}
	e.Composite(amqp.ErrorType, func() {
		e.Symbol(c.name)
		e.String(c.description)
	})
}
