package eventhub

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"
	"github.com/Azure/go-amqp"
)

// Class says what kind of trouble a hub is in. The set is closed: a metric label.
type Class string

// The classes.
const (
	ClassAuth       Class = "auth"       // the credential is refused or cannot be had
	ClassNotFound   Class = "not-found"  // no such namespace, hub, consumer group or partition
	ClassStolen     Class = "stolen"     // another consumer has taken the partition: normal when replicas come and go
	ClassBusy       Class = "busy"       // the service throttles
	ClassTLS        Class = "tls"        // the certificate does not convince
	ClassConnection Class = "connection" // the network or the service is away
	ClassOther      Class = "other"      // anything else, the state database among it
)

// Classes returns every class, for pre-created metrics.
func Classes() []Class {
	return []Class{ClassAuth, ClassNotFound, ClassStolen, ClassBusy, ClassTLS, ClassConnection, ClassOther}
}

// Error is trouble with a hub, with what to do about it.
type Error struct {
	Class  Class
	Hub    string // as ingest.HubName writes it
	Remedy string // may be empty
	Err    error
}

// Error returns all of it on one line.
func (e *Error) Error() string {
	if e.Remedy == "" {
		return fmt.Sprintf("hub %s: %v", e.Hub, e.Err)
	}
	return fmt.Sprintf("hub %s: %v: %s", e.Hub, e.Err, e.Remedy)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// conditions are the AMQP error conditions by class, from the SDK's
// internal/errors.go and the service's error list
// (learn.microsoft.com/azure/service-bus-messaging/service-bus-amqp-troubleshoot).
var conditions = map[amqp.ErrCond]Class{
	amqp.ErrCondUnauthorizedAccess:        ClassAuth,
	amqp.ErrCondNotFound:                  ClassNotFound,
	"com.microsoft:entity-disabled":       ClassNotFound,
	"com.microsoft:argument-out-of-range": ClassNotFound,
	amqp.ErrCondStolen:                    ClassStolen,
	"com.microsoft:server-busy":           ClassBusy,
	amqp.ErrCondResourceLimitExceeded:     ClassBusy,
	"com.microsoft:timeout":               ClassConnection,
	amqp.ErrCondConnectionForced:          ClassConnection,
	amqp.ErrCondDetachForced:              ClassConnection,
	amqp.ErrCondInternalError:             ClassConnection,
	"com.microsoft:container-close":       ClassConnection,
	"com.microsoft:operation-cancelled":   ClassConnection,
	"com.microsoft:publisher-revoked":     ClassAuth,
	"com.microsoft:auth-failed":           ClassAuth,
	"com.microsoft:partition-not-owned":   ClassStolen,
}

// noToken is azidentity's mark on every failure to get a token.
type noToken interface {
	NonRetriable()
	error
}

// rpcError is the SDK's unexported error of $cbs and $management.
type rpcError interface {
	RPCCode() int
	error
}

// classify tells what kind of error came from the SDK.
func classify(err error) Class {
	if c, ok := classifyAMQP(err); ok {
		return c
	}
	dns, _ := errors.AsType[*net.DNSError](err)
	switch {
	case is[noToken](err):
		return ClassAuth
	case is[*tls.CertificateVerificationError](err), is[x509.UnknownAuthorityError](err), is[x509.HostnameError](err):
		return ClassTLS
	case dns != nil && dns.IsNotFound:
		return ClassNotFound
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed), is[net.Error](err),
		is[*amqp.ConnError](err), is[*amqp.SessionError](err), is[*amqp.LinkError](err):
		return ClassConnection
	}
	return ClassOther
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// classifyAMQP looks at what the service said, if it said anything.
func classifyAMQP(err error) (Class, bool) {
	if sdk, ok := errors.AsType[*azeventhubs.Error](err); ok {
		return classifySDK(sdk), true
	}
	if said, ok := errors.AsType[*amqp.Error](err); ok {
		c, ok := conditions[said.Condition]
		return c, ok
	}
	rpc, ok := errors.AsType[rpcError](err)
	if !ok {
		return ClassOther, false
	}
	switch rpc.RPCCode() {
	case http.StatusUnauthorized, http.StatusForbidden:
		return ClassAuth, true
	case http.StatusNotFound, http.StatusGone:
		return ClassNotFound, true
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		return ClassBusy, true
	}
	return ClassConnection, true
}

// classifySDK looks at the SDK's own error, which hides its cause but in the text.
func classifySDK(err *azeventhubs.Error) Class {
	switch err.Code {
	case azeventhubs.ErrorCodeUnauthorizedAccess:
		return ClassAuth
	case azeventhubs.ErrorCodeOwnershipLost:
		return ClassStolen
	}
	for cond, class := range conditions { // "connlost" is all that may pass
		if strings.Contains(err.Error(), "Condition: "+string(cond)+",") {
			return class
		}
	}
	return ClassConnection
}

// remedy says what an operator can do, or nothing.
func (h *Hub) remedy(c Class, t target) string {
	switch c {
	case ClassAuth:
		if h.Credential == nil {
			return fmt.Sprintf("check the key in %s: it must be a current key of a policy with the Listen claim on %s", h.secretKey(), t.hub)
		}
		return fmt.Sprintf("check credential (type %s), and that its identity has the role Azure Event Hubs Data Receiver on %s", h.Credential.Type, t.hub)
	case ClassNotFound:
		return fmt.Sprintf("check that namespace %s has the hub %s with the consumer group %s", t.namespace, t.hub, t.group)
	case ClassTLS:
		return "if a gateway re-signs connections, give its authority as ca_file"
	case ClassConnection:
		if h.WebSockets {
			return "check that port 443 of the namespace can be reached, through the proxy if there is one"
		}
		return "check that port 5671 of the namespace can be reached; websockets: true uses port 443 instead"
	}
	return ""
}

// secretKey is the config key that leads to the connection string.
func (h *Hub) secretKey() string {
	switch {
	case h.ConnectionStringFile != "":
		return "connection_string_file " + h.ConnectionStringFile
	case h.ConnectionStringEnv != "":
		return "connection_string_env " + h.ConnectionStringEnv
	}
	return "the connection string"
}
