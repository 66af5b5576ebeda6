package eventhub

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// DefaultPrefetchBytes bounds the message bytes held by all partitions together
// when Config.PrefetchBytes is 0.
const DefaultPrefetchBytes = 32 << 20

// Config says which hubs to read.
type Config struct {
	// Hubs are read at the same time. Azure makes one hub per log category
	// when a diagnostic setting names none.
	Hubs []Hub `yaml:"hubs"`

	// PrefetchBytes bounds the bytes of messages received and not yet decided,
	// over all partitions of all hubs; 0 is DefaultPrefetchBytes. The SDK
	// holds each message about three times for a moment: expect up to four
	// times this in memory.
	PrefetchBytes int64 `yaml:"prefetch_bytes"`

	// Sole says that no other process uses the state database (SQLite). What
	// a crashed predecessor owned is then taken over at once; otherwise only
	// when its ownership expires, 30 s later.
	Sole bool `yaml:"-"`
}

// Hub is one event hub and how to reach it. Exactly one of
// ConnectionStringFile, ConnectionStringEnv and Credential is set.
type Hub struct {
	// ConnectionStringFile is a file with the connection string of a policy
	// that has the Listen claim. Read again at every reconnect, so that a
	// rotated key needs no restart.
	ConnectionStringFile string `yaml:"connection_string_file"`
	// ConnectionStringEnv names the environment variable that holds it.
	ConnectionStringEnv string `yaml:"connection_string_env"`
	// ConnectionString is for hubs inside this process; not in files, as it is a secret.
	ConnectionString string `yaml:"-"`

	// Namespace is the fully qualified host, example.servicebus.windows.net.
	// With a connection string it is left empty.
	Namespace string `yaml:"namespace"`
	// Hub is the hub's name; not needed when a connection string has an EntityPath.
	Hub string `yaml:"hub"`
	// Credential is how to sign in to Entra ID.
	Credential *Credential `yaml:"credential"`

	// ConsumerGroup defaults to $Default.
	ConsumerGroup string `yaml:"consumer_group"`
	// Tenant is that of records which name none, as those of key vaults: the id of
	// the directory whose resources send to the hub.
	Tenant string `yaml:"tenant"`
	// Start is where a partition without a stored position begins: earliest
	// (default), latest or a time in RFC 3339.
	Start string `yaml:"start"`

	// WebSockets speaks AMQP over port 443, through an HTTP proxy if there is one.
	WebSockets bool `yaml:"websockets"`
	// Proxy is the proxy's URL; without it HTTPS_PROXY and NO_PROXY decide.
	// Only with WebSockets.
	Proxy string `yaml:"proxy"`
	// CAFile is a PEM file of certificate authorities trusted beside the system's.
	CAFile string `yaml:"ca_file"`
	// Endpoint is dialled instead of the namespace: host or host:port of a
	// private endpoint or gateway. The certificate is still the namespace's.
	Endpoint string `yaml:"endpoint"`
}

// Validate reports everything that is wrong with c, each with its key and a remedy.
func (c *Config) Validate() error {
	var errs []error
	if c.PrefetchBytes < 0 || c.PrefetchBytes > 0 && c.PrefetchBytes < 1<<20 {
		errs = append(errs, fmt.Errorf("prefetch_bytes: %d is less than 1 MiB; leave it out for %d", c.PrefetchBytes, DefaultPrefetchBytes))
	}
	for i := range c.Hubs {
		for _, err := range c.Hubs[i].check() {
			errs = append(errs, fmt.Errorf("hubs[%d].%w", i, err))
		}
	}
	return errors.Join(errs...)
}

var tenantID = regexp.MustCompile(`(?i)^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// check returns what is wrong with h; each error begins with the key.
func (h *Hub) check() []error {
	errs := h.checkAuth()
	if _, err := parseStart(h.Start); err != nil {
		errs = append(errs, err)
	}
	if strings.ContainsAny(h.ConsumerGroup, "/ ") {
		errs = append(errs, fmt.Errorf("consumer_group: %q is no consumer group name", h.ConsumerGroup))
	}
	if strings.ContainsAny(h.Hub, "/ ") {
		errs = append(errs, fmt.Errorf("hub: %q is no hub name; give the hub's name alone, without its namespace", h.Hub))
	}
	if strings.ContainsAny(h.Endpoint, "/ ") {
		errs = append(errs, fmt.Errorf("endpoint: %q is not host or host:port", h.Endpoint))
	}
	if h.Tenant != "" && !tenantID.MatchString(h.Tenant) {
		errs = append(errs, fmt.Errorf("tenant: %q is no tenant id; give the GUID that Entra ID > Overview shows", h.Tenant))
	}
	if err := h.checkProxy(); err != nil {
		errs = append(errs, err)
	}
	return errs
}

func (h *Hub) checkAuth() []error {
	var ways []string
	for key, set := range map[string]bool{
		"connection_string_file": h.ConnectionStringFile != "",
		"connection_string_env":  h.ConnectionStringEnv != "",
		"connection_string":      h.ConnectionString != "",
		"credential":             h.Credential != nil,
	} {
		if set {
			ways = append(ways, key)
		}
	}
	switch {
	case len(ways) == 0:
		return []error{errors.New("credential: nothing says how to sign in; set connection_string_file, connection_string_env, or namespace, hub and credential")}
	case len(ways) > 1:
		return []error{fmt.Errorf("%s: set with %d other ways to sign in; keep exactly one of connection_string_file, connection_string_env and credential", minOf(ways), len(ways)-1)}
	case h.Credential == nil && h.Namespace != "":
		return []error{errors.New("namespace: the connection string names it already; leave one of them out")}
	case h.Credential == nil:
		return nil
	}
	return h.checkCredential()
}

func (h *Hub) checkCredential() []error {
	var errs []error
	if h.Namespace == "" {
		errs = append(errs, errors.New("namespace: missing; give the fully qualified host, as in example.servicebus.windows.net"))
	} else if strings.ContainsAny(h.Namespace, "/ ") {
		errs = append(errs, fmt.Errorf("namespace: %q is not a host name; leave out sb:// and the path", h.Namespace))
	} else if !strings.Contains(h.Namespace, ".") {
		errs = append(errs, fmt.Errorf("namespace: %q is the name alone; give the fully qualified host, as in %s.servicebus.windows.net", h.Namespace, h.Namespace))
	}
	if h.Hub == "" {
		errs = append(errs, errors.New("hub: missing; give the name of the event hub"))
	}
	return append(errs, h.Credential.check()...)
}

func (h *Hub) checkProxy() error {
	if h.Proxy == "" {
		return nil
	}
	u, err := url.Parse(h.Proxy)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return errors.New("proxy: not an http:// or https:// URL")
	case u.User != nil:
		return errors.New("proxy: holds a password; set the environment variable HTTPS_PROXY instead and leave proxy out")
	case h.Endpoint != "":
		return errors.New("proxy: not used with endpoint, which is dialled directly; leave one of them out")
	case !h.WebSockets:
		return errors.New("proxy: an HTTP proxy carries only WebSockets; set websockets: true")
	}
	return nil
}

// start is where a partition without a position begins.
type start struct {
	latest bool
	at     time.Time // zero: from the earliest message
}

func parseStart(s string) (start, error) {
	switch s {
	case "", "earliest":
		return start{}, nil
	case "latest":
		return start{latest: true}, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return start{}, fmt.Errorf("start: %q is neither earliest, latest nor a time such as 2026-01-31T08:00:00Z", s)
	}
	return start{at: t}, nil
}

func minOf(names []string) string {
	least := names[0]
	for _, n := range names {
		least = min(least, n)
	}
	return least
}
