package main

import (
	"fmt"
	"net"
	"os"

	"github.com/prometheus/exporter-toolkit/web"
	"go.yaml.in/yaml/v4"

	"phiwatch/alerting/outbound"
)

type webConfig struct {
	// Listen is host:port. Anything but loopback needs ConfigFile or AllowPlain.
	Listen string `yaml:"listen"`
	// ConfigFile is a Prometheus exporter-toolkit web configuration: TLS, basic auth.
	ConfigFile string `yaml:"config_file"`
	// AllowPlain serves plain HTTP beyond loopback, behind a proxy that adds TLS.
	AllowPlain bool `yaml:"allow_plain"`
}

// validate also reads ConfigFile: that it is damaged, or asks nobody who they
// are, must not show only when the daemon runs.
func (w webConfig) validate() error {
	host, port, err := net.SplitHostPort(w.Listen)
	if err != nil {
		return fmt.Errorf("listen: %q is not host:port, such as 127.0.0.1:9746", w.Listen)
	}
	if _, err := net.LookupPort("tcp", port); err != nil {
		return fmt.Errorf("listen: %q has no port from 0 to 65535", w.Listen)
	}
	guard, err := w.guard()
	switch open := !w.AllowPlain && !outbound.IsLoopback(host); {
	case err != nil:
		return fmt.Errorf("config_file: %w", err)
	case open && w.ConfigFile == "":
		return fmt.Errorf("listen: %s is reachable from other machines over plain HTTP: set config_file (TLS, basic auth), or allow_plain: true behind a proxy that adds TLS", w.Listen)
	case open && !guard.tls:
		return fmt.Errorf("config_file: %s has no tls_server_config, and %s is reachable from other machines: add a certificate, or set allow_plain: true behind a proxy that adds TLS", w.ConfigFile, w.Listen)
	case open && !guard.asks:
		return fmt.Errorf("config_file: %s lets everybody in who reaches %s: add basic_auth_users, or client_auth_type: RequireAndVerifyClientCert with client_ca_file, or set allow_plain: true behind a proxy that says who may come in", w.ConfigFile, w.Listen)
	}
	return nil
}

// webGuard is what the web configuration adds to plain HTTP.
type webGuard struct {
	tls  bool
	asks bool // who somebody is
}

func (w webConfig) guard() (g webGuard, err error) {
	if w.ConfigFile == "" {
		return g, nil
	}
	data, err := os.ReadFile(w.ConfigFile)
	if err != nil {
		return g, fmt.Errorf("%w; create the file or correct the path", err)
	}
	if err := web.Validate(w.ConfigFile); err != nil {
		return g, fmt.Errorf("%s: %w; see https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md", w.ConfigFile, err)
	}
	var has struct {
		TLS struct {
			Cert       string `yaml:"cert"`
			CertFile   string `yaml:"cert_file"`
			ClientAuth string `yaml:"client_auth_type"`
		} `yaml:"tls_server_config"`
		Users map[string]string `yaml:"basic_auth_users"`
	}
	if err := yaml.Unmarshal(data, &has); err != nil {
		return g, fmt.Errorf("%s: %w", w.ConfigFile, err)
	}
	g.tls = has.TLS.Cert != "" || has.TLS.CertFile != "" // else the toolkit serves plain HTTP
	g.asks = len(has.Users) > 0 || g.tls && has.TLS.ClientAuth == "RequireAndVerifyClientCert"
	return g, nil
}

// scheme is what the web server speaks.
func (w webConfig) scheme() string {
	if g, err := w.guard(); err == nil && g.tls {
		return "https"
	}
	return "http"
}
