package eventhub

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"

	"phiwatch/ingest"
)

// target is a Hub resolved: what it is called and how it is reached.
type target struct {
	namespace, hub, group string
	plain                 bool // an emulator or embedded hub: no TLS
}

// name is the hub's Partition.Hub.
func (t target) name() string { return ingest.HubName(t.namespace, t.hub, t.group) }

// resolve reads the connection string, if there is one, for the names it holds.
func (h *Hub) resolve() (target, error) {
	t := target{namespace: h.Namespace, hub: h.Hub, group: h.ConsumerGroup}
	if t.group == "" {
		t.group = azeventhubs.DefaultConsumerGroup
	}
	if h.Credential != nil {
		return t, nil
	}
	_, props, err := h.connectionString()
	if err != nil {
		return t, err
	}
	t.namespace, t.plain = props.FullyQualifiedNamespace, props.Emulator
	if props.EntityPath != nil {
		t.hub = *props.EntityPath
	}
	return t, nil
}

// connectionString reads and checks the hub's connection string. Errors do not hold any of it.
func (h *Hub) connectionString() (string, azeventhubs.ConnectionStringProperties, error) {
	key, text, err := "connection_string", h.ConnectionString, error(nil)
	switch {
	case h.ConnectionStringFile != "":
		key = "connection_string_file"
		text, err = readSecret(key, h.ConnectionStringFile)
	case h.ConnectionStringEnv != "":
		key = "connection_string_env"
		if text = os.Getenv(h.ConnectionStringEnv); text == "" {
			err = fmt.Errorf("%s: environment variable %s is not set", key, h.ConnectionStringEnv)
		}
	}
	if err != nil {
		return "", azeventhubs.ConnectionStringProperties{}, err
	}
	props, err := azeventhubs.ParseConnectionString(text)
	switch {
	case err != nil:
		return "", props, fmt.Errorf("%s: not a connection string (%w); copy it from Shared access policies in the portal", key, err)
	case props.EntityPath == nil && h.Hub == "":
		return "", props, errors.New("hub: missing; the connection string is the namespace's and has no EntityPath")
	case props.EntityPath != nil && h.Hub != "" && h.Hub != *props.EntityPath:
		return "", props, fmt.Errorf("hub: %q, but the connection string's EntityPath is %q; leave hub out", h.Hub, *props.EntityPath)
	}
	return text, props, nil
}

// defaultRetries go on inside the SDK for some 12 s, which covers a broken
// connection or a busy server. Beyond that the hub is built anew.
var defaultRetries = azeventhubs.RetryOptions{MaxRetries: 5, RetryDelay: 200 * time.Millisecond, MaxRetryDelay: 6 * time.Second}

// connect makes a client; nothing is dialled yet. owner names this consumer to
// the service and in the ownership table.
func (h *Hub) connect(t target, owner string, retries azeventhubs.RetryOptions) (*azeventhubs.ConsumerClient, error) {
	options, err := h.options(t, owner, retries)
	if err != nil {
		return nil, err
	}
	if h.Credential != nil {
		cred, err := h.Credential.token()
		if err != nil {
			return nil, err
		}
		return azeventhubs.NewConsumerClient(t.namespace, t.hub, t.group, cred, options)
	}
	text, props, err := h.connectionString()
	if err != nil {
		return nil, err
	}
	hub := h.Hub
	if props.EntityPath != nil {
		hub = "" // the SDK wants it in one place
	}
	if props.FullyQualifiedNamespace != t.namespace || props.EntityPath != nil && *props.EntityPath != t.hub {
		return nil, errors.New("the connection string names another hub than at start; restart to read that one")
	}
	return azeventhubs.NewConsumerClientFromConnectionString(text, hub, t.group, options)
}

func (h *Hub) options(t target, owner string, retries azeventhubs.RetryOptions) (*azeventhubs.ConsumerClientOptions, error) {
	conf, err := h.tlsConfig(t)
	if err != nil {
		return nil, err
	}
	options := &azeventhubs.ConsumerClientOptions{
		ApplicationID:  "phiwatch",
		CustomEndpoint: h.Endpoint,
		InstanceID:     owner,
		TLSConfig:      conf,
		RetryOptions:   retries,
	}
	if h.WebSockets {
		dialer := webSocketDialer{plain: t.plain, endpoint: h.Endpoint, proxy: h.Proxy, tls: conf}
		options.NewWebSocketConn = dialer.dial
	}
	return options, nil
}

// tlsConfig trusts the system and CAFile. The server's name is set because the
// SDK would verify "host:port" for a namespace with a port.
func (h *Hub) tlsConfig(t target) (*tls.Config, error) {
	host := t.namespace
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	conf := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host}
	if h.CAFile == "" {
		return conf, nil
	}
	pem, err := os.ReadFile(h.CAFile)
	if err != nil {
		return nil, fmt.Errorf("ca_file: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool() // no system pool: CAFile alone
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("ca_file: %s holds no PEM certificate", h.CAFile)
	}
	conf.RootCAs = pool
	return conf, nil
}
