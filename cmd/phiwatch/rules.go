package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"phiwatch/detectors"
	"phiwatch/detectors/rules"
)

// catalog is the built-in catalog of rules.
func catalog() detectors.Source { return detectors.Source{FS: rules.FS} }

// rulesCmd groups what looks at rules.
type rulesCmd struct {
	List    rulesListCmd    `cmd:"" help:"List the rules, those that are switched off too."`
	Check   rulesCheckCmd   `cmd:"" help:"Check rules; exit code 2 if one is wrong."`
	Test    rulesTestCmd    `cmd:"" help:"Run the test events beside rules; without folders, those of the built-in catalog."`
	Explain rulesExplainCmd `cmd:"" help:"Show which parts of a rule hold for an event, and which do not."`
}

type rulesListCmd struct {
	ruleArgs
	Output string `name:"output" enum:"text,json" default:"text" help:"Output: ${enum}."`
}

// ruleLine is a rule in JSON output.
type ruleLine struct {
	Entry      string   `json:"entry"`
	ID         string   `json:"id"`
	Title      string   `json:"title"`
	Group      string   `json:"group"`
	Safeguards []string `json:"safeguards"`
	HIPAA      []string `json:"hipaa"`
	Severity   string   `json:"severity"`
	Restorable bool     `json:"restorable"`
	File       string   `json:"file"`
	Enabled    bool     `json:"enabled"`
	DisabledBy string   `json:"disabled_by,omitempty"`
}

func newRuleLine(r *detectors.Rule) ruleLine {
	return ruleLine{
		Entry: r.Entry, ID: r.ID, Title: r.Title, Group: r.Group, Safeguards: r.Safeguards, HIPAA: r.HIPAA, Severity: r.Severity.String(),
		Restorable: r.Restorable, File: r.File, Enabled: r.DisabledBy() == "", DisabledBy: r.DisabledBy(),
	}
}

// Run implements the command.
func (c *rulesListCmd) Run(e *env) error {
	set, err := c.load()
	if err != nil {
		return err
	}
	if c.Output == "json" {
		enc := json.NewEncoder(e.stdout)
		for _, r := range slices.Concat(set.Rules, set.Disabled) {
			if err := enc.Encode(newRuleLine(r)); err != nil {
				return err
			}
		}
		return nil
	}
	w := tabwriter.NewWriter(e.stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "ENTRY\tSAFEGUARDS\tSEVERITY\tRESTORED BY EVENT\tENABLED\tTITLE")
	for _, r := range slices.Concat(set.Rules, set.Disabled) {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", r.Entry, strings.Join(r.Safeguards, ","), r.Severity, yesNo(r.Restorable), yesNo(r.DisabledBy() == ""), r.Title)
	}
	return w.Flush()
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
