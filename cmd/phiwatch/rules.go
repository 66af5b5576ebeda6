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

// ruleLine is an entry as it is listed. Without a file it goes by the clock.
type ruleLine struct {
	Entry      string   `json:"entry"`
	ID         string   `json:"id"`
	Title      string   `json:"title"`
	Group      string   `json:"group"`
	Safeguards []string `json:"safeguards"`
	HIPAA      []string `json:"hipaa"`
	Severity   string   `json:"severity"`
	Restorable bool     `json:"restorable"`
	File       string   `json:"file,omitempty"`
	Enabled    bool     `json:"enabled"`
	DisabledBy string   `json:"disabled_by,omitempty"`
}

func newRuleLine(m *detectors.Meta, file, disabledBy string) ruleLine {
	return ruleLine{
		Entry: m.Entry, ID: m.ID, Title: m.Title, Group: m.Group, Safeguards: m.Safeguards, HIPAA: m.HIPAA, Severity: m.Severity.String(),
		Restorable: m.Restorable, File: file, Enabled: disabledBy == "", DisabledBy: disabledBy,
	}
}

// ruleLines lists the rules of a set and what goes by the clock: what is in
// force, then what is switched off.
func ruleLines(set *detectors.Set) (on []ruleLine) {
	var off []ruleLine
	add := func(l ruleLine) {
		if l.Enabled {
			on = append(on, l)
		} else {
			off = append(off, l)
		}
	}
	for _, r := range slices.Concat(set.Rules, set.Disabled) {
		add(newRuleLine(&r.Meta, r.File, r.DisabledBy()))
	}
	for _, c := range set.Clock {
		add(newRuleLine(&c.Meta, "", c.DisabledBy()))
	}
	return append(on, off...)
}

// Run implements the command.
func (c *rulesListCmd) Run(e *env) error {
	set, err := c.load()
	if err != nil {
		return err
	}
	if c.Output == "json" {
		enc := json.NewEncoder(e.stdout)
		for _, l := range ruleLines(set) {
			if err := enc.Encode(l); err != nil {
				return err
			}
		}
		return nil
	}
	w := tabwriter.NewWriter(e.stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "ENTRY\tSAFEGUARDS\tSEVERITY\tRESTORED BY EVENT\tENABLED\tTITLE")
	for _, l := range ruleLines(set) {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", l.Entry, strings.Join(l.Safeguards, ","), l.Severity, yesNo(l.Restorable), yesNo(l.Enabled), l.Title)
	}
	return w.Flush()
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
