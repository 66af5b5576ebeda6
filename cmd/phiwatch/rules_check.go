package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"phiwatch/detectors"
	"phiwatch/detectors/sigma"
)

// rulesCheckCmd lints rules.
type rulesCheckCmd struct {
	ruleArgs
	Strict bool   `name:"strict" help:"Warnings count as errors."`
	Output string `name:"output" enum:"text,json" default:"text" help:"${enum}; json prints one object for each problem."`
}

// problem is one error or warning about a rule.
type problem struct {
	Severity string `json:"severity"` // error or warning
	File     string `json:"file,omitempty"`
	Line     int    `json:"line,omitempty"`
	Column   int    `json:"column,omitempty"`
	Message  string `json:"message"`
}

// Run implements the command. It fails with exitUsage when a rule is wrong.
func (c *rulesCheckCmd) Run(e *env) error {
	set, err := c.load()
	var usage usageError
	if err != nil && !errors.As(err, &usage) {
		return err
	}
	problems := problemsIn("error", err)
	rules := 0
	if set != nil {
		rules = len(set.Rules)
		problems = append(problems, problemsIn("warning", errors.Join(set.Warnings...))...)
	}
	if err := c.print(e.stdout, problems, rules); err != nil {
		return err
	}
	for _, p := range problems {
		if p.Severity == "error" || c.Strict {
			return usageError{fmt.Errorf("%s in the rules", counted(len(problems), "problem", "problems"))}
		}
	}
	return nil
}

func (c *rulesCheckCmd) print(w io.Writer, problems []problem, rules int) error {
	if c.Output == "json" {
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		for _, p := range problems {
			if err := enc.Encode(p); err != nil {
				return err
			}
		}
		return nil
	}
	for _, p := range problems {
		fmt.Fprintf(w, "%s: %s\n", p.Severity, p.text())
	}
	_, err := fmt.Fprintf(w, "%d rules, %s\n", rules, counted(len(problems), "problem", "problems"))
	return err
}

func (p problem) text() string {
	if p.File == "" {
		return p.Message
	}
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Message)
}

// problemsIn takes the errors joined in err apart.
func problemsIn(severity string, err error) []problem {
	if err == nil {
		return nil
	}
	if usage, ok := err.(usageError); ok { //nolint:errorlint // unwraps one layer at a time
		return problemsIn(severity, usage.error)
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var out []problem
		for _, e := range joined.Unwrap() {
			out = append(out, problemsIn(severity, e)...)
		}
		return out
	}
	if at, ok := errors.AsType[*sigma.Error](err); ok {
		return []problem{{severity, at.File, at.Line, at.Column, at.Msg}}
	}
	return []problem{{Severity: severity, Message: strings.TrimSpace(err.Error())}}
}

// ruleArgs are what every rules command takes.
type ruleArgs struct {
	Dirs   []string `arg:"" optional:"" name:"dir" help:"Folders of rules, or rule files, read after the built-in catalog."`
	Config string   `name:"config.file" placeholder:"FILE" help:"Configuration that names rule folders and lists."`
}

// config returns the configuration with the folders of the command line.
func (a *ruleArgs) config() (*config, error) {
	cfg := defaultConfig()
	if a.Config != "" {
		var err error
		if cfg, err = loadConfig(a.Config); err != nil {
			return nil, err
		}
	}
	cfg.Rules.Dirs = append(cfg.Rules.Dirs, a.Dirs...)
	if err := cfg.Rules.validate(); err != nil {
		return nil, usageError{err}
	}
	return cfg, nil
}

func (a *ruleArgs) load() (*detectors.Set, error) {
	cfg, err := a.config()
	if err != nil {
		return nil, err
	}
	return cfg.loadRules()
}
