package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"phiwatch/detectors"
	"phiwatch/ingest/eventhub"
)

// checkCmd groups checks.
type checkCmd struct {
	Config checkConfigCmd `cmd:"" default:"withargs" help:"Check a configuration file, its secrets and its rules, without connecting anywhere."`
}

type checkConfigCmd struct {
	File string `arg:"" optional:"" name:"file" default:"phiwatch.yml" help:"The configuration file; default ${default}."`
}

// Run implements the command.
func (c *checkConfigCmd) Run(e *env) error {
	cfg, err := loadConfig(c.File)
	if err != nil {
		return err
	}
	set, errRules := cfg.loadRules()
	if err := errors.Join(cfg.checkHubs(), errRules); err != nil {
		return usageError{err}
	}
	for _, w := range set.Warnings {
		fmt.Fprintln(e.stdout, "warning:", w)
	}
	tellEmpty(e.stdout, coveredLists(set.Rules, cfg.lists()))
	tellDisabled(e.stdout, set)
	fmt.Fprintf(e.stdout, "%s is valid: %d hubs, %d receivers, %d rules\n", c.File, len(cfg.Sources.Hubs), len(cfg.Receivers), len(set.Rules))
	return nil
}

// checkHubs reads what the hubs are signed in with, as the daemon does at its
// start, and dials nothing.
func (c *config) checkHubs() error {
	_, err := eventhub.New(c.Sources, nil, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	return c.located("sources", err)
}

// fewNames are as many as are told one by one.
const fewNames = 10

// tellEmpty warns of the lists of the catalog without which some entry sees
// nothing, or never its end; of lists that it does not know, loading warns.
func tellEmpty(w io.Writer, lists []coveredList) {
	for _, l := range lists {
		if len(l.Blind) > 0 && l.Holds != "" {
			fmt.Fprintf(w, "warning: lists.%s is empty, so that nothing is seen by %s; it holds %s\n", l.List, few(l.Blind), l.Holds)
		}
		if len(l.Opened) > 0 && l.Holds != "" {
			fmt.Fprintf(w, "warning: lists.%s is empty, so that no event restores what is found by %s; it holds %s\n", l.List, few(l.Opened), l.Holds)
		}
	}
}

// tellDisabled prints what each selector of a pack switches off.
func tellDisabled(w io.Writer, set *detectors.Set) {
	by := map[string][]string{}
	for _, l := range ruleLines(set) {
		if !l.Enabled {
			by[l.DisabledBy] = append(by[l.DisabledBy], l.Entry)
		}
	}
	for _, selector := range sortedKeys(by) {
		fmt.Fprintf(w, "disabled by %s: %s\n", selector, few(by[selector]))
	}
}

// few names entries, or where they are named.
func few(names []string) string {
	if n := len(names); n > fewNames {
		return entries(n) + ", see phiwatch rules list"
	}
	return strings.Join(names, ", ")
}
