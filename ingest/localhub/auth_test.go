package localhub_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"

	"phiwatch/ingest/localhub"
)

func unauthorized(err error) bool {
	var e *azeventhubs.Error
	return errors.As(err, &e) && e.Code == azeventhubs.ErrorCodeUnauthorizedAccess
}

func TestWrongKeyIsRefused(t *testing.T) {
	h, addr := serve(t, localhub.Config{KeyName: "send", Key: "right"})
	right := h.ConnectionString(addr, "logs")
	for name, connection := range map[string]string{
		"key":      strings.Replace(right, "=right", "=wrong", 1),
		"key name": strings.Replace(right, "=send", "=listen", 1),
	} {
		p := newProducer(t, connection)
		if _, err := p.NewEventDataBatch(deadline(t), nil); !unauthorized(err) {
			t.Errorf("%s: producer: %v", name, err)
		}
		if _, err := p.GetEventHubProperties(deadline(t), nil); err == nil || !strings.Contains(err.Error(), "401") && !strings.Contains(err.Error(), "signature") {
			t.Errorf("%s: properties: %v", name, err)
		}
		pc, err := newConsumer(t, connection, "$Default").NewPartitionClient("0", nil)
		if err == nil {
			_, err = pc.ReceiveEvents(deadline(t), 1, nil)
		}
		if !unauthorized(err) {
			t.Errorf("%s: consumer: %v", name, err)
		}
	}
	send(t, newProducer(t, right), azeventhubs.EventDataBatchOptions{}, numbered(0, 1)...)
}

func TestRandomKeyIsMadeWhenNoneIsGiven(t *testing.T) {
	one, err := localhub.New(localhub.Config{Hubs: []localhub.HubConfig{{Name: "logs"}}})
	if err != nil {
		t.Fatal(err)
	}
	two, err := localhub.New(localhub.Config{Hubs: []localhub.HubConfig{{Name: "logs"}}})
	if err != nil {
		t.Fatal(err)
	}
	if one.ConnectionString("a", "logs") == two.ConnectionString("a", "logs") {
		t.Error("two namespaces have the same key")
	}
}

func TestSignedConnectionStringWorksWithinItsScope(t *testing.T) {
	_, addr := serve(t, localhub.Config{Key: "k"})
	for _, tt := range []struct {
		resource string
		expiry   time.Duration
		ok       bool
	}{
		{"amqp://" + addr + "/logs", time.Hour, true},
		{"amqp://" + addr, time.Hour, true},
		{"amqp://" + addr + "/logs", -time.Hour, false},
		{"amqp://" + addr + "/log", time.Hour, false},
		{"amqp://" + addr + "/other", time.Hour, false},
	} {
		sas := localhub.Sign("RootManageSharedAccessKey", "k", tt.resource, time.Now().Add(tt.expiry))
		connection := "Endpoint=sb://" + addr + ";SharedAccessSignature=" + sas + ";EntityPath=logs;UseDevelopmentEmulator=true"
		_, err := newProducer(t, connection).NewEventDataBatch(deadline(t), nil)
		if tt.ok && err != nil || !tt.ok && !unauthorized(err) {
			t.Errorf("%s for %v: %v", tt.resource, tt.expiry, err)
		}
	}
}

type fixedToken string

func (f fixedToken) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: string(f), ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// TestTLSAndEntraTokens: a token credential always means TLS to the SDK.
func TestTLSAndEntraTokens(t *testing.T) {
	server, pool := certificate(t)
	for _, tt := range []struct {
		name   string
		accept func(string) error
		ok     bool
	}{
		{"no decision", nil, false},
		{"accepted", func(token string) error {
			if token != "jwt" {
				return errors.New("unknown token")
			}
			return nil
		}, true},
		{"denied", func(string) error { return errors.New("not today") }, false},
	} {
		_, addr := serve(t, localhub.Config{TLS: server, AcceptJWT: tt.accept})
		p, err := azeventhubs.NewProducerClient(addr, "logs", fixedToken("jwt"), &azeventhubs.ProducerClientOptions{
			RetryOptions: retries, TLSConfig: &tls.Config{RootCAs: pool, ServerName: "127.0.0.1"}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = p.NewEventDataBatch(deadline(t), nil)
		if tt.ok && err != nil || !tt.ok && !unauthorized(err) {
			t.Errorf("%s: %v", tt.name, err)
		}
		p.Close(t.Context())
	}
}

func TestTLSCarriesEventsBothWays(t *testing.T) {
	server, pool := certificate(t)
	h, addr := serve(t, localhub.Config{TLS: server})
	config := func(roots *x509.CertPool) *tls.Config {
		return &tls.Config{RootCAs: roots, ServerName: "hub.example.org"}
	}
	p, err := azeventhubs.NewProducerClientFromConnectionString(h.ConnectionString(addr, "logs"), "",
		&azeventhubs.ProducerClientOptions{RetryOptions: retries, TLSConfig: config(pool)})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close(context.Background())
	body := strings.Repeat("0123456789", 50_000)
	send(t, p, azeventhubs.EventDataBatchOptions{PartitionID: new("0")}, &azeventhubs.EventData{Body: []byte(body)})
	c, err := azeventhubs.NewConsumerClientFromConnectionString(h.ConnectionString(addr, "logs"), "", "$Default",
		&azeventhubs.ConsumerClientOptions{RetryOptions: retries, TLSConfig: config(pool)})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	pc := open(t, c, "0", azeventhubs.PartitionClientOptions{StartPosition: fromStart})
	if got := receive(t, pc, 1)[0]; got != body {
		t.Errorf("received %d bytes, sent %d", len(got), len(body))
	}

	stranger, err := azeventhubs.NewProducerClientFromConnectionString(h.ConnectionString(addr, "logs"), "",
		&azeventhubs.ProducerClientOptions{RetryOptions: azeventhubs.RetryOptions{MaxRetries: -1}, TLSConfig: config(x509.NewCertPool())})
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close(context.Background())
	if _, err := stranger.GetEventHubProperties(deadline(t), nil); err == nil {
		t.Error("a client that does not trust the certificate got through")
	}
}
