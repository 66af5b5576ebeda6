package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"phiwatch/detectors"
	"phiwatch/detectors/rules"
)

// catalog is the built-in catalog of rules.
func catalog() detectors.Source { return detectors.Source{FS: rules.FS} }

// rulesCmd groups what looks at rules.
type rulesCmd struct {
	List    rulesListCmd    `cmd:"" help:"List the rules in force."`
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
}

// Run implements the command.
func (c *rulesListCmd) Run(e *env) error {
	set, err := c.load()
	if err != nil {
		return err
	}
	if c.Output == "json" {
		enc := json.NewEncoder(e.stdout)
		for _, r := range set.Rules {
			if err := enc.Encode(ruleLine{r.Entry, r.ID, r.Title, r.Group, r.Safeguards, r.HIPAA, r.Severity.String(), r.Restorable, r.File}); err != nil {
				return err
			}
		}
		return nil
	}
	w := tabwriter.NewWriter(e.stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "ENTRY\tSAFEGUARDS\tSEVERITY\tRESTORED BY EVENT\tTITLE")
	for _, r := range set.Rules {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", r.Entry, strings.Join(r.Safeguards, ","), r.Severity, yesNo(r.Restorable), r.Title)
	}
	return w.Flush()
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
