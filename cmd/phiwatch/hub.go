package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"phiwatch/alerting/outbound"
	"phiwatch/ingest/localhub"
)

// hubCmd runs the embedded hub on its own.
type hubCmd struct {
	Listen     string   `name:"listen" default:"127.0.0.1:5672" help:"Address to listen on; plain AMQP, so loopback only."`
	Hubs       []string `name:"hubs" default:"audit" help:"Names of the hubs."`
	Partitions int      `name:"partitions" default:"4" help:"Partitions of each hub."`
	Groups     []string `name:"consumer-groups" help:"Consumer groups beside $$Default."`
	KeyFile    string   `name:"key-file" placeholder:"FILE" help:"File with the shared access key; without it a random key is made."`
	Retention  int64    `name:"retention-bytes" default:"67108864" help:"Bytes kept in each partition."`
}

// Run implements the command.
func (c *hubCmd) Run(e *env) error {
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return usageError{fmt.Errorf("--listen %q: use host:port, such as 127.0.0.1:5672", c.Listen)}
	}
	if !outbound.IsLoopback(host) {
		return usageError{fmt.Errorf("--listen %s: the embedded hub speaks plain AMQP: listen on a loopback address", c.Listen)}
	}
	if c.Partitions < 1 || c.Retention < 1 { // which the hub would take for its defaults
		return usageError{errors.New("--partitions and --retention-bytes: give numbers above zero")}
	}
	cfg := localhub.Config{RetentionBytes: c.Retention, Log: e.log.With("component", "hub")}
	for _, name := range c.Hubs {
		cfg.Hubs = append(cfg.Hubs, localhub.HubConfig{Name: name, Partitions: c.Partitions, ConsumerGroups: c.Groups})
	}
	if c.KeyFile != "" {
		if cfg.Key, err = readKey(c.KeyFile); err != nil {
			return usageError{err}
		}
	}
	hub, err := localhub.New(cfg)
	if err != nil {
		return usageError{err}
	}
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w; choose a free address with --listen", c.Listen, err)
	}
	for _, name := range c.Hubs {
		fmt.Fprintf(e.stdout, "hub %s: %s\n", name, hub.ConnectionString(l.Addr().String(), name))
	}
	return ignoreDone(hub.Serve(e.ctx, l))
}

func readKey(file string) (string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read key: %w; create the file or leave --key-file out", err)
	}
	key := strings.TrimSpace(string(data))
	if key == "" {
		return "", fmt.Errorf("read key: %s is empty; write a key into it, or leave --key-file out", file)
	}
	return key, nil
}

// ignoreDone takes the end of a context, or a listener closed for it, as a good end.
func ignoreDone(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
