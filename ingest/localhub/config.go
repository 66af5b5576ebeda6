package localhub

import (
	"cmp"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// DefaultConsumerGroup exists in every hub.
const DefaultConsumerGroup = "$Default"

// Config describes a namespace. Every field but Hubs has a default.
type Config struct {
	// Hubs are the hubs of the namespace; their names differ in more than case.
	Hubs []HubConfig
	// KeyName and Key are the shared access policy that clients sign their
	// tokens with. Defaults: RootManageSharedAccessKey and a random key, which
	// ConnectionString tells.
	KeyName, Key string
	// AcceptJWT decides on tokens of Microsoft Entra. nil refuses them all.
	AcceptJWT func(token string) error
	// TLS makes every listener speak TLS. It needs a certificate.
	TLS *tls.Config
	// RetentionBytes bounds what each partition keeps; the oldest events go
	// first. Default 64 MiB.
	RetentionBytes int64
	// MaxMessageBytes bounds one message, or one batch of them. Default 1 MiB,
	// as the service's standard tier.
	MaxMessageBytes int
	// MaxConnections bounds connections; further ones are closed at once.
	// Default 1,000.
	MaxConnections int
	// IdleTimeout is how long a client may be silent. Default 1 minute.
	IdleTimeout time.Duration
	// Now is the clock that stamps events. Default time.Now.
	Now func() time.Time
	// Log gets what an operator may want to know. Default: nothing is logged.
	Log *slog.Logger
}

// HubConfig describes one hub.
type HubConfig struct {
	Name string
	// Partitions is their number, named "0", "1", …; 1 to 1,024. Default 4.
	Partitions int
	// ConsumerGroups exist beside DefaultConsumerGroup.
	ConsumerGroups []string
}

func (c Config) withDefaults() Config {
	c.KeyName = cmp.Or(c.KeyName, "RootManageSharedAccessKey")
	if c.Key == "" {
		var key [32]byte
		rand.Read(key[:])
		c.Key = base64.StdEncoding.EncodeToString(key[:])
	}
	c.RetentionBytes = cmp.Or(c.RetentionBytes, 64<<20)
	c.MaxMessageBytes = cmp.Or(c.MaxMessageBytes, 1<<20)
	c.MaxConnections = cmp.Or(c.MaxConnections, 1000)
	c.IdleTimeout = cmp.Or(c.IdleTimeout, time.Minute)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

func (c Config) validate() error {
	if len(c.Hubs) == 0 {
		return errors.New("localhub: no hubs")
	}
	if c.RetentionBytes < 0 || c.MaxMessageBytes < 0 || c.MaxConnections < 0 || c.IdleTimeout < 0 {
		return errors.New("localhub: negative limit")
	}
	if c.TLS != nil && len(c.TLS.Certificates) == 0 && c.TLS.GetCertificate == nil && c.TLS.GetConfigForClient == nil {
		return errors.New("localhub: TLS without a certificate")
	}
	return nil
}

func (h HubConfig) validate() error {
	if h.Name == "" || strings.ContainsAny(h.Name, "/$;=") {
		return fmt.Errorf("localhub: hub name %q", h.Name)
	}
	if h.Partitions < 1 || h.Partitions > 1024 {
		return fmt.Errorf("localhub: hub %s: %d partitions, 1 to 1024 are possible", h.Name, h.Partitions)
	}
	return nil
}
