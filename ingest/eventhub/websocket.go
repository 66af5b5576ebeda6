package eventhub

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"
	"github.com/coder/websocket"
)

// webSocketDialer carries AMQP over WebSockets, through an HTTP proxy if one is set.
type webSocketDialer struct {
	plain    bool   // ws: instead of wss:
	endpoint string // dialled instead of the host, if set
	proxy    string // URL; empty: as the environment says
	tls      *tls.Config
}

// dial is the SDK's NewWebSocketConn. ctx bounds the handshake, not the connection.
func (d webSocketDialer) dial(ctx context.Context, args azeventhubs.WebSocketConnParams) (net.Conn, error) {
	address := args.Host
	if d.plain {
		address = strings.Replace(address, "wss://", "ws://", 1)
	}
	transport := d.transport()
	conn, response, err := websocket.Dial(ctx, address, &websocket.DialOptions{ //nolint:bodyclose // by the library: "you never need to close resp.Body yourself"
		HTTPClient:      &http.Client{Transport: transport},
		Subprotocols:    []string{"amqp"},
		CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		transport.CloseIdleConnections()
		if response != nil {
			return nil, fmt.Errorf("open websocket: %s: %w", response.Status, err)
		}
		return nil, fmt.Errorf("open websocket: %w", err)
	}
	return websocket.NetConn(context.WithoutCancel(ctx), conn, websocket.MessageBinary), nil
}

func (d webSocketDialer) transport() *http.Transport {
	t := &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: d.tls.Clone()}
	t.TLSClientConfig.ServerName = "" // net/http fills in each hop's name, the proxy's too
	if u, err := url.Parse(d.proxy); err == nil && d.proxy != "" {
		t.Proxy = http.ProxyURL(u)
	}
	if d.endpoint != "" {
		t.Proxy = nil // the endpoint is the way
		t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, withPort(d.endpoint, address))
		}
	}
	return t
}

// withPort gives endpoint the port of address unless it has one.
func withPort(endpoint, address string) string {
	if _, _, err := net.SplitHostPort(endpoint); err == nil {
		return endpoint
	}
	_, port, _ := net.SplitHostPort(address)
	return net.JoinHostPort(endpoint, port)
}
