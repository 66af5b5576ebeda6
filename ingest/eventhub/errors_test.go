package eventhub

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/go-amqp"

	"phiwatch/ingest/localhub"
)

// tokenError is azidentity's error, as far as anybody can tell from outside.
type tokenError struct{ error }

func (tokenError) NonRetriable() {}

// code is the SDK's unexported RPC error, likewise.
type code int

func (c code) RPCCode() int  { return int(c) }
func (c code) Error() string { return fmt.Sprintf("rpc: failed, status code %d", int(c)) }

func TestErrorsAreClassified(t *testing.T) {
	condition := func(c amqp.ErrCond) error { return &amqp.Error{Condition: c} }
	for _, c := range []struct {
		err  error
		want Class
	}{
		{errors.New("something"), ClassOther},
		{condition(amqp.ErrCondUnauthorizedAccess), ClassAuth},
		{condition(amqp.ErrCondNotFound), ClassNotFound},
		{condition("com.microsoft:argument-out-of-range"), ClassNotFound},
		{condition("com.microsoft:server-busy"), ClassBusy},
		{condition("com.example:new"), ClassOther},
		{&amqp.LinkError{RemoteErr: &amqp.Error{Condition: amqp.ErrCondStolen}}, ClassStolen},
		{&amqp.LinkError{}, ClassConnection},
		{&amqp.SessionError{}, ClassConnection},
		{&amqp.ConnError{}, ClassConnection},
		{code(401), ClassAuth},
		{code(404), ClassNotFound},
		{code(503), ClassBusy},
		{code(500), ClassConnection},
		{tokenError{errors.New("no managed identity here")}, ClassAuth},
		{errNoAnswer(time.Second), ClassConnection},
		{io.EOF, ClassConnection},
		{&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, ClassConnection},
		{&net.DNSError{Err: "no such host", IsNotFound: true}, ClassNotFound},
		{&net.DNSError{Err: "server misbehaving", IsTemporary: true}, ClassConnection},
		{&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, ClassTLS},
		{x509.HostnameError{Certificate: &x509.Certificate{}, Host: "ns.example.net"}, ClassTLS},
	} {
		t.Run(fmt.Sprintf("%T %v", c.err, c.want), func(t *testing.T) {
			if got := classify(fmt.Errorf("wrapped: %w", c.err)); got != c.want {
				t.Errorf("%v is %s, want %s", c.err, got, c.want)
			}
		})
	}
}

// tokens is a credential whose answer can be changed.
type tokens struct{ answer atomic.Value } // of a wrapped

func (c *tokens) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	if err, ok := c.answer.Load().(wrapped); ok && err.error != nil {
		return azcore.AccessToken{}, err.error
	}
	return azcore.AccessToken{Token: c.answer.Load().(wrapped).text, ExpiresOn: time.Now().Add(time.Hour)}, nil
}

type wrapped struct {
	text  string
	error error
}

// An identity: no token at first, then one without the role, then all is well.
func TestAnEntraIdentityIsTriedUntilItHasTheRole(t *testing.T) {
	conf, ca := certificate(t)
	h, addr := serve(t, localhub.Config{TLS: conf, AcceptJWT: func(token string) error {
		if token != "with the role" {
			return errors.New("the claim 'Listen' is required")
		}
		return nil
	}})
	publish(t, h, "logs", "0", numbered(0, 3)...)
	cred := &tokens{}
	cred.answer.Store(wrapped{error: tokenError{errors.New("no managed identity here")}})
	db := sqlite(t)
	d := newDecider(t, db)
	s, _ := run(t, db, Config{Hubs: []Hub{{Namespace: addr, Hub: "logs", CAFile: ca, Credential: &Credential{Type: "default", fixed: cred}}}}, d.handle)
	said := func(part string) func() bool {
		return func() bool {
			e := s.Hubs()[0].LastError
			return e != nil && e.Class == ClassAuth && strings.Contains(e.Error(), part) &&
				e.Remedy == "check credential (type default), and that its identity has the role Azure Event Hubs Data Receiver on logs"
		}
	}
	eventually(t, "no token", said("no managed identity here"))
	cred.answer.Store(wrapped{text: "without the role"})
	eventually(t, "no role", said("401"))
	cred.answer.Store(wrapped{text: "with the role"})
	d.wait(3)
}
