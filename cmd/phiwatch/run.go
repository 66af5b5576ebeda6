package main

// runCmd runs the daemon.
type runCmd struct {
	Config string `name:"config.file" default:"phiwatch.yml" placeholder:"FILE" help:"Configuration file."`
}

// Run implements the command.
func (c *runCmd) Run(e *env) error {
	d, err := newDaemon(e.ctx, func() (*config, error) { return loadConfig(c.Config) }, e.log, e.stdout)
	if err != nil {
		return err
	}
	return d.run(e.ctx)
}
