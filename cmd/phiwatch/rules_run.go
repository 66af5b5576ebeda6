package main

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"phiwatch/detectors"
)

// rulesTestCmd runs the test events beside rules.
type rulesTestCmd struct {
	ruleArgs
	JUnit string `name:"junit" placeholder:"FILE" help:"Also write the results as JUnit XML."`
}

// ruleResult is what the test events of one rule came to.
type ruleResult struct {
	rule    *detectors.Rule
	took    time.Duration
	failure string // empty: passed
	missing bool   // there are no test events
}

// Run implements the command. Without folders it tests the built-in catalog.
func (c *rulesTestCmd) Run(e *env) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	cfg.Rules.untuned() // tests are of what rules say
	sources := cfg.sources()
	for _, src := range sources {
		if err := addScenarioLists(cfg, src); err != nil {
			return usageError{err}
		}
	}
	set, err := cfg.loadRules()
	if err != nil {
		return err
	}
	results, err := testRules(e, set, sources, len(c.Dirs) > 0)
	if err != nil {
		return err
	}
	if len(results) == 0 {
		return usageError{fmt.Errorf("no rule in %s; name folders of Sigma documents, or rule files", strings.Join(c.Dirs, ", "))}
	}
	if c.JUnit != "" {
		if err := writeJUnit(c.JUnit, results); err != nil {
			return err
		}
	}
	return summarise(e, results)
}

// addScenarioLists lets test events bring the operator lists they need.
func addScenarioLists(cfg *config, src detectors.Source) error {
	lists, err := detectors.ScenarioLists(src.FS)
	if err != nil {
		return err
	}
	if cfg.Lists == nil {
		cfg.Lists = map[string][]string{}
	}
	for name, values := range lists {
		cfg.Lists[name] = append(cfg.Lists[name], values...)
	}
	return nil
}

// testRules plays the scenario of every rule, of the last sources only if own.
func testRules(e *env, set *detectors.Set, sources []detectors.Source, own bool) (results []ruleResult, err error) {
	dir, err := os.MkdirTemp("", "phiwatch-rules-")
	if err != nil {
		return nil, fmt.Errorf("make temporary state: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	db, err := openState(e.ctx, filepath.Join(dir, "state.db"), false)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	engine, err := detectors.New(set, detectors.NewMetrics(prometheus.NewRegistry()))
	if err != nil {
		return nil, err
	}
	order, err := newOrderTest(db, engine, set)
	if err != nil {
		return nil, err
	}
	if own {
		sources = sources[1:]
	}
	for _, r := range engine.Rules() {
		for _, src := range sources {
			if file, ok := r.In(src); ok {
				result, err := testRule(e, order, r, src.FS, file)
				if err != nil {
					return nil, err
				}
				results = append(results, result)
			}
		}
	}
	return results, nil
}

func testRule(e *env, order *orderTest, r *detectors.Rule, fsys fs.FS, file string) (ruleResult, error) {
	began := time.Now()
	result := ruleResult{rule: r}
	s, err := detectors.ReadScenario(fsys, file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		result.missing = true
		return result, nil
	case err != nil:
		result.failure = err.Error()
		return result, nil
	}
	result.failure, err = order.play(e.ctx, r, s)
	result.took = time.Since(began)
	return result, err
}

// compareLines returns the differences between two lists of lines, in the form of a diff.
func compareLines(want, got []string) string {
	var b strings.Builder
	for i := range max(len(want), len(got)) {
		w, g := line(want, i), line(got, i)
		if w == g {
			continue
		}
		if w != "" {
			fmt.Fprintf(&b, "    want %s\n", w)
		}
		if g != "" {
			fmt.Fprintf(&b, "    got  %s\n", g)
		}
	}
	return strings.TrimRight(b.String(), "\n")
}

func line(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return ""
}

// summarise prints what failed and returns an error if anything did.
func summarise(e *env, results []ruleResult) error {
	failed, missing := 0, 0
	for _, r := range results {
		switch {
		case r.failure != "":
			failed++
			fmt.Fprintf(e.stdout, "FAIL %s (%s)\n%s\n", r.rule.Entry, r.rule.File, r.failure)
		case r.missing:
			missing++
			fmt.Fprintf(e.stdout, "no test events: %s (%s)\n", r.rule.Entry, r.rule.File)
		}
	}
	fmt.Fprintf(e.stdout, "%d rules: %d passed, %d failed, %d without test events\n", len(results), len(results)-failed-missing, failed, missing)
	if failed > 0 {
		return fmt.Errorf("%d rules do not find what their test events want", failed)
	}
	return nil
}

// JUnit's XML, as CI systems read it.
type (
	junitSuite struct {
		XMLName  xml.Name    `xml:"testsuite"`
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name    string    `xml:"name,attr"`
		Class   string    `xml:"classname,attr"`
		Time    float64   `xml:"time,attr"`
		Failure *string   `xml:"failure,omitempty"`
		Skipped *struct{} `xml:"skipped,omitempty"`
	}
)

func writeJUnit(file string, results []ruleResult) error {
	suite := junitSuite{Name: "phiwatch rules", Tests: len(results)}
	for _, r := range results {
		c := junitCase{Name: r.rule.Entry, Class: r.rule.File, Time: r.took.Seconds()}
		if r.failure != "" {
			suite.Failures++
			c.Failure = &r.failure
		}
		if r.missing {
			suite.Skipped++
			c.Skipped = &struct{}{}
		}
		suite.Cases = append(suite.Cases, c)
	}
	data, err := xml.MarshalIndent(suite, "", "  ")
	if err != nil {
		return fmt.Errorf("encode JUnit results: %w", err)
	}
	if err := os.WriteFile(file, append([]byte(xml.Header), data...), 0o644); err != nil {
		return fmt.Errorf("write JUnit results: %w", err)
	}
	return nil
}
