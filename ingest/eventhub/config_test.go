package eventhub

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"
)

func decode(t *testing.T, text string) Config {
	t.Helper()
	var c Config
	d := yaml.NewDecoder(strings.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&c); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestValidConfigs(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":                  `hubs: []`,
		"connection string":        `hubs: [{connection_string_file: /run/secrets/hub}]`,
		"namespace's string":       `hubs: [{connection_string_env: HUB, hub: insights-logs-auditlogs, consumer_group: phiwatch, start: latest}]`,
		"a time to start at":       `hubs: [{connection_string_env: HUB, start: 2026-01-31T08:00:00Z}]`,
		"default chain":            `hubs: [{namespace: example.servicebus.windows.net, hub: logs, credential: {type: default}}]`,
		"workload identity":        `hubs: [{namespace: example.servicebus.windows.net, hub: logs, credential: {type: workload-identity}}]`,
		"managed identity":         `hubs: [{namespace: example.servicebus.windows.net, hub: logs, credential: {type: managed-identity, client_id: 00000000-0000-0000-0000-000000000001}}]`,
		"client secret":            `hubs: [{namespace: example.servicebus.windows.net, hub: logs, credential: {type: client-secret, tenant_id: a, client_id: b, secret_file: c, cloud: government}}]`,
		"certificate":              `hubs: [{namespace: example.servicebus.windows.net, hub: logs, credential: {type: client-certificate, tenant_id: a, client_id: b, certificate_file: c, certificate_password_file: d}}]`,
		"through a proxy":          `hubs: [{connection_string_env: HUB, websockets: true, proxy: "http://proxy.example.org:3128", ca_file: ca.pem}]`,
		"records without a tenant": `hubs: [{connection_string_env: HUB, tenant: 7D3C2B1A-4e5f-4a6b-8c7d-9e0f1a2b3c4d}]`,
		"an endpoint":              `{prefetch_bytes: 8388608, hubs: [{connection_string_env: HUB, endpoint: "10.0.0.4:5671"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			c := decode(t, text)
			if err := c.Validate(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestWrongConfigsNameTheKeyAndARemedy(t *testing.T) {
	for text, want := range map[string]string{
		`hubs: [{connection_string_env: A, tenant: example.org}]`: `hubs[0].tenant: "example.org" is no tenant id; give the GUID that Entra ID > Overview shows`,
		`hubs: [{}]`: `hubs[0].credential: nothing says how to sign in; set connection_string_file, connection_string_env, or namespace, hub and credential`,
		`hubs: [{connection_string_env: A, connection_string_file: b}]`:                                             `hubs[0].connection_string_env: set with 1 other ways to sign in; keep exactly one of connection_string_file, connection_string_env and credential`,
		`hubs: [{connection_string_env: A, namespace: b}]`:                                                          `hubs[0].namespace: the connection string names it already; leave one of them out`,
		`hubs: [{hub: a, credential: {type: default}}]`:                                                             `hubs[0].namespace: missing; give the fully qualified host, as in example.servicebus.windows.net`,
		`hubs: [{namespace: "sb://a/", hub: a, credential: {type: default}}]`:                                       `hubs[0].namespace: "sb://a/" is not a host name; leave out sb:// and the path`,
		`hubs: [{namespace: a, hub: b, credential: {type: default}}]`:                                               `hubs[0].namespace: "a" is the name alone; give the fully qualified host, as in a.servicebus.windows.net`,
		`hubs: [{namespace: a.example.net, credential: {type: default}}]`:                                           `hubs[0].hub: missing; give the name of the event hub`,
		`hubs: [{namespace: a.example.net, hub: b, credential: {}}]`:                                                `hubs[0].credential.type: ""; use default, workload-identity, managed-identity, client-secret or client-certificate`,
		`hubs: [{namespace: a.example.net, hub: b, credential: {type: client-secret, tenant_id: a, client_id: b}}]`: `hubs[0].credential.secret_file: missing; type client-secret needs it`,
		`hubs: [{namespace: a.example.net, hub: b, credential: {type: managed-identity, tenant_id: a}}]`:            `hubs[0].credential.tenant_id: has no meaning for type managed-identity; leave it out`,
		`hubs: [{namespace: a.example.net, hub: b, credential: {type: default, cloud: mars}}]`:                      `hubs[0].credential.cloud: "mars"; use public, government or china`,
		`hubs: [{connection_string_env: A, start: yesterday}]`:                                                      `hubs[0].start: "yesterday" is neither earliest, latest nor a time such as 2026-01-31T08:00:00Z`,
		`hubs: [{connection_string_env: A, hub: ns/logs}]`:                                                          `hubs[0].hub: "ns/logs" is no hub name; give the hub's name alone, without its namespace`,
		`hubs: [{connection_string_env: A, consumer_group: a/b}]`:                                                   `hubs[0].consumer_group: "a/b" is no consumer group name`,
		`hubs: [{connection_string_env: A, endpoint: "https://x"}]`:                                                 `hubs[0].endpoint: "https://x" is not host or host:port`,
		`hubs: [{connection_string_env: A, proxy: "http://p"}]`:                                                     `hubs[0].proxy: an HTTP proxy carries only WebSockets; set websockets: true`,
		`hubs: [{connection_string_env: A, websockets: true, proxy: "p:3128"}]`:                                     `hubs[0].proxy: not an http:// or https:// URL`,
		`hubs: [{connection_string_env: A, websockets: true, proxy: "http://u:secret@p"}]`:                          `hubs[0].proxy: holds a password; set the environment variable HTTPS_PROXY instead and leave proxy out`,
		`hubs: [{connection_string_env: A, websockets: true, endpoint: e, proxy: "http://p"}]`:                      `hubs[0].proxy: not used with endpoint, which is dialled directly; leave one of them out`,
		`{prefetch_bytes: 1000, hubs: []}`:                                                                          `prefetch_bytes: 1000 is less than 1 MiB; leave it out for 33554432`,
		`hubs: [{connection_string_env: A}, {start: x, connection_string_env: A}]`:                                  `hubs[1].start: "x" is neither earliest, latest nor a time such as 2026-01-31T08:00:00Z`,
	} {
		t.Run(text, func(t *testing.T) {
			c := decode(t, text)
			err := c.Validate()
			if diff := cmp.Diff(want, fmt.Sprint(err)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestStartTimeIsReadFromYAML(t *testing.T) {
	c := decode(t, `hubs: [{connection_string_env: A, start: 2026-01-31T08:00:00Z}]`)
	got, err := parseStart(c.Hubs[0].Start)
	if want := time.Date(2026, 1, 31, 8, 0, 0, 0, time.UTC); err != nil || !got.at.Equal(want) {
		t.Error(got, err)
	}
}

const someKey = "c29tZS1zZWNyZXQta2V5"

// What New refuses: files and connection strings. No error holds a secret.
func TestNewRefusesWhatCannotWork(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	full := "Endpoint=sb://ns.example.net/;SharedAccessKeyName=listen;SharedAccessKey=" + someKey
	t.Setenv("PHIWATCH_TEST_HUB", full+";EntityPath=logs")
	t.Setenv("PHIWATCH_TEST_NAMESPACE", full)
	t.Setenv("PHIWATCH_TEST_BROKEN", "SharedAccessKey="+someKey)
	for name, c := range map[string]struct {
		hub  Hub
		want string
	}{
		"missing file":     {Hub{ConnectionStringFile: filepath.Join(dir, "none")}, "connection_string_file: open "},
		"empty file":       {Hub{ConnectionStringFile: file("empty", " \n")}, "is empty; write the secret into it"},
		"missing variable": {Hub{ConnectionStringEnv: "PHIWATCH_TEST_NONE"}, "connection_string_env: environment variable PHIWATCH_TEST_NONE is not set"},
		"not a string":     {Hub{ConnectionStringEnv: "PHIWATCH_TEST_BROKEN"}, "copy it from Shared access policies in the portal"},
		"no hub":           {Hub{ConnectionStringEnv: "PHIWATCH_TEST_NAMESPACE"}, "hub: missing; the connection string is the namespace's and has no EntityPath"},
		"two hubs":         {Hub{ConnectionStringEnv: "PHIWATCH_TEST_HUB", Hub: "risks"}, `hub: "risks", but the connection string's EntityPath is "logs"; leave hub out`},
		"missing CA":       {Hub{ConnectionStringEnv: "PHIWATCH_TEST_HUB", CAFile: filepath.Join(dir, "none")}, "ca_file: open "},
		"no CA in it":      {Hub{ConnectionStringEnv: "PHIWATCH_TEST_HUB", CAFile: file("ca", "x")}, "holds no PEM certificate"},
		"missing secret":   {Hub{Namespace: "a.example.net", Hub: "b", Credential: &Credential{Type: "client-secret", TenantID: "a", ClientID: "b", SecretFile: filepath.Join(dir, "none")}}, "credential.secret_file: open "},
		"bad certificate":  {Hub{Namespace: "a.example.net", Hub: "b", Credential: &Credential{Type: "client-certificate", TenantID: "a", ClientID: "b", CertificateFile: file("cert", someKey)}}, "it must hold the certificate and its private key"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := newTestSource(t, nil, Config{Hubs: []Hub{c.hub}})
			if err == nil || !strings.HasPrefix(err.Error(), "hubs[0].") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), someKey) {
				t.Errorf("holds the secret: %v", err)
			}
		})
	}
}

func TestNewRefusesAHubTwice(t *testing.T) {
	one := Hub{ConnectionString: "Endpoint=sb://ns.example.net/;SharedAccessKeyName=listen;SharedAccessKey=" + someKey + ";EntityPath=logs"}
	two := one
	two.ConsumerGroup = "second" // is another reader
	_, err := newTestSource(t, nil, Config{Hubs: []Hub{one, two, one}})
	if want := "hubs[2].hub: ns.example.net/logs is already read by another entry; leave one out"; fmt.Sprint(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestEveryCredentialCanBeBuilt(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{"secret": "s", "token": "t"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	writeCertificate(t, dir)
	const id = "00000000-0000-0000-0000-000000000001"
	for _, c := range []Credential{
		{Type: "default"},
		{Type: "workload-identity", TenantID: id, ClientID: id, TokenFile: filepath.Join(dir, "token")},
		{Type: "managed-identity"},
		{Type: "managed-identity", ClientID: id},
		{Type: "client-secret", TenantID: id, ClientID: id, SecretFile: filepath.Join(dir, "secret"), Cloud: "china"},
		{Type: "client-certificate", TenantID: id, ClientID: id, CertificateFile: filepath.Join(dir, "both.pem")},
	} {
		t.Run(c.Type+c.ClientID, func(t *testing.T) {
			if _, err := newTestSource(t, nil, Config{Hubs: []Hub{{Namespace: "ns.example.net", Hub: "logs", Credential: &c}}}); err != nil {
				t.Error(err)
			}
		})
	}
}
