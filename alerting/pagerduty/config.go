package pagerduty

import (
	"errors"
	"fmt"

	"phiwatch/alerting/outbound"
	"phiwatch/alerting/secret"
)

// DefaultURL takes Events API v2 events; accounts in the European region use
// https://events.eu.pagerduty.com/v2/enqueue.
const DefaultURL = "https://events.pagerduty.com/v2/enqueue"

// Config names one integration of one PagerDuty service.
type Config struct {
	// RoutingKeyFile holds the 32-character Integration Key of an "Events API
	// V2" integration. It is read for each event: rotation needs no restart.
	RoutingKeyFile secret.File `yaml:"routing_key_file"`
	// URL replaces DefaultURL.
	URL string `yaml:"url"`
	// ClientURL is a link shown on the alert, to this phiwatch for example.
	ClientURL string `yaml:"client_url"`
}

// In returns c with relative file names taken from dir.
func (c Config) In(dir string) Config {
	c.RoutingKeyFile = c.RoutingKeyFile.In(dir)
	return c
}

// Validate reports all that is wrong with c without touching a file. Each of
// the joined errors begins with the key it is about and a colon.
func (c Config) Validate() error {
	var errs []error
	if c.RoutingKeyFile == "" {
		errs = append(errs, errors.New("routing_key_file: missing; name a file with the Integration Key (service, Integrations, Events API V2)"))
	}
	if c.URL != "" {
		if err := outbound.CheckURL(c.URL); err != nil {
			errs = append(errs, fmt.Errorf("url: %w", err))
		}
	}
	if c.ClientURL != "" {
		if err := outbound.CheckURL(c.ClientURL); err != nil {
			errs = append(errs, fmt.Errorf("client_url: %w", err))
		}
	}
	return errors.Join(errs...)
}

// key reads the routing key and checks its form, so that a REST API token or an
// account name is found at start and not by PagerDuty at night.
func (c Config) key() (secret.Secret, error) {
	k, err := c.RoutingKeyFile.Read()
	if err != nil {
		return "", err
	}
	if n := len(k.Reveal()); n != 32 {
		return "", fmt.Errorf("routing key in %s has %d characters instead of 32; copy the Integration Key of the service's Events API V2 integration", c.RoutingKeyFile, n)
	}
	return k, nil
}
