package main

import "fmt"

// checkCmd groups checks.
type checkCmd struct {
	Config checkConfigCmd `cmd:"" help:"Check a configuration file, its secrets and its rules, without connecting anywhere."`
}

type checkConfigCmd struct {
	File string `arg:"" optional:"" name:"file" default:"phiwatch.yml" help:"The configuration file."`
}

// Run implements the command.
func (c *checkConfigCmd) Run(e *env) error {
	cfg, err := loadConfig(c.File)
	if err != nil {
		return err
	}
	set, err := cfg.loadRules()
	if err != nil {
		return err
	}
	for _, w := range set.Warnings {
		fmt.Fprintln(e.stdout, "warning:", w)
	}
	fmt.Fprintf(e.stdout, "%s is valid: %d hubs, %d receivers, %d rules\n", c.File, len(cfg.Sources.Hubs), len(cfg.Receivers), len(set.Rules))
	return nil
}
