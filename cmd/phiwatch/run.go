package main

import (
	"os"
	"os/signal"
	"syscall"
)

// runCmd runs the daemon.
type runCmd struct {
	Config string `name:"config.file" default:"phiwatch.yml" placeholder:"FILE" help:"Configuration file; default ${default}."`
}

// Run implements the command.
func (c *runCmd) Run(e *env) error {
	// From here to the end of the process, for what they do by default: a reload
	// during the start or the stop would be the end, and so would be a console whose
	// reader goes away, although the other receivers work.
	hangup, ignored := make(chan os.Signal, 1), make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	signal.Notify(ignored, syscall.SIGPIPE)
	d, err := newDaemon(e.ctx, func() (*config, error) { return loadConfig(c.Config) }, e.log, e.stdout)
	if err != nil {
		return err
	}
	d.hangup = hangup
	return d.run(e.ctx)
}
