package main

import (
	"fmt"
	"io"
	"strings"

	"phiwatch/detectors"
)

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
	tellDisabled(e.stdout, set)
	fmt.Fprintf(e.stdout, "%s is valid: %d hubs, %d receivers, %d rules\n", c.File, len(cfg.Sources.Hubs), len(cfg.Receivers), len(set.Rules))
	return nil
}

// fewNames are as many as are told one by one.
const fewNames = 10

// tellDisabled prints what each selector of a pack switches off.
func tellDisabled(w io.Writer, set *detectors.Set) {
	by := map[string][]string{}
	for _, l := range ruleLines(set) {
		if !l.Enabled {
			by[l.DisabledBy] = append(by[l.DisabledBy], l.Entry)
		}
	}
	for _, selector := range sortedKeys(by) {
		what := strings.Join(by[selector], ", ")
		if n := len(by[selector]); n > fewNames {
			what = entries(n) + ", see phiwatch rules list"
		}
		fmt.Fprintf(w, "disabled by %s: %s\n", selector, what)
	}
}
