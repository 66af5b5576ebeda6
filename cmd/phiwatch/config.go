package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"phiwatch/alerting"
	"phiwatch/alerting/console"
	"phiwatch/alerting/pagerduty"
	"phiwatch/alerting/slack"
	"phiwatch/detectors"
	"phiwatch/ingest/eventhub"
)

// config is the configuration file: one YAML document. Every key has a
// default; relative file names are taken from the file's folder.
type config struct {
	// State is the file of the SQLite database that holds positions,
	// violations, deliveries, evidence and the quarantine.
	State string `yaml:"state"`
	// Web is where metrics, health and the API are served.
	Web webConfig `yaml:"web"`
	// Sources are where events come from.
	Sources eventhub.Config `yaml:"sources"`
	// Rules beyond the built-in catalog.
	Rules rulesConfig `yaml:"rules"`
	// Lists are the operator's lists, which rules name as %name%.
	Lists map[string][]string `yaml:"lists"`
	// ListsFiles are files that hold lists, or more of them: see readList. They
	// are read again when they change.
	ListsFiles map[string]string `yaml:"lists_files"`
	// Receivers are where violations are told; without any, the console.
	Receivers []receiverConfig `yaml:"receivers"`
	// Route says which violation goes to which receiver; without it, all go
	// to the first receiver.
	Route *alerting.Route `yaml:"route"`
	// Quarantine bounds what is kept of records that cannot be decoded.
	Quarantine quarantineConfig `yaml:"quarantine"`
	// Evidence bounds how long the records behind violations are kept.
	Evidence evidenceConfig `yaml:"evidence"`
	// Blindness says what counts as silence, delay and damage of the audit trail.
	Blindness blindnessConfig `yaml:"blindness"`

	file   *yamlFile
	dir    string              // folder of the file
	listed map[string][]string // by ListsFiles
	stamps map[string]stamp    // of these files, when they were read
}

type rulesConfig struct {
	// Dirs are folders of Sigma rules, or single files; one with the id of a built-in rule replaces it.
	Dirs []string `yaml:"dirs"`
	// Disable, Enable and Severity are a detectors.Pack.
	Disable  []string          `yaml:"disable"`
	Enable   []string          `yaml:"enable"`
	Severity map[string]string `yaml:"severity"`
}

// receiverConfig is one named receiver; exactly one of its kinds is set.
type receiverConfig struct {
	Name      string            `yaml:"name"`
	Slack     *slack.Config     `yaml:"slack"`
	PagerDuty *pagerduty.Config `yaml:"pagerduty"`
	Console   *consoleConfig    `yaml:"console"`
}

type consoleConfig struct {
	Color bool `yaml:"color"`
}

type quarantineConfig struct {
	MaxAge   duration `yaml:"max_age"`
	MaxBytes int64    `yaml:"max_bytes"`
}

type evidenceConfig struct {
	Retention duration `yaml:"retention"`
}

// defaultConfig is what holds where the file says nothing.
func defaultConfig() *config {
	return &config{
		State:      "phiwatch.db",
		Web:        webConfig{Listen: "127.0.0.1:9746"},
		Quarantine: quarantineConfig{MaxAge: duration(30 * 24 * time.Hour), MaxBytes: 256 << 20},
		Evidence:   evidenceConfig{Retention: duration(2190 * 24 * time.Hour)}, // six years: 45 CFR 164.316(b)(2)(i)
		Blindness:  defaultBlindness(),
	}
}

// loadConfig reads and checks a configuration file. Its errors are usageErrors
// and name file, line and remedy.
func loadConfig(name string) (*config, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, usageError{fmt.Errorf("read configuration: %w; %s", err, readRemedy(err))}
	}
	c := defaultConfig()
	if c.file, err = parseYAML(name, data, c); err != nil {
		return nil, usageError{err}
	}
	c.dir = filepath.Dir(name)
	c.resolve()
	if err := c.validate(); err != nil {
		return nil, usageError{err}
	}
	return c, nil
}

// readRemedy says what to do about a configuration that cannot be read.
func readRemedy(err error) string {
	if errors.Is(err, fs.ErrPermission) {
		return "let the user phiwatch runs as read it"
	}
	return "name an existing file with --config.file"
}

// located says where in the file an error is, if c comes from one.
func (c *config) located(under string, err error) error { return c.file.locate(under, err) }

// resolve takes relative file names from the configuration's folder.
func (c *config) resolve() {
	for _, name := range []*string{&c.State, &c.Web.ConfigFile} {
		*name = c.in(*name)
	}
	for i := range c.Rules.Dirs {
		c.Rules.Dirs[i] = c.in(c.Rules.Dirs[i])
	}
	for name, file := range c.ListsFiles {
		c.ListsFiles[name] = c.in(file)
	}
	c.Sources = c.Sources.In(c.dir)
	for _, r := range c.Receivers {
		if r.Slack != nil {
			*r.Slack = r.Slack.In(c.dir)
		}
		if r.PagerDuty != nil {
			*r.PagerDuty = r.PagerDuty.In(c.dir)
		}
	}
}

func (c *config) in(name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(c.dir, name)
}

// validate checks everything that can be checked without connecting anywhere.
func (c *config) validate() error {
	f := c.file
	errs := []error{
		f.locate("web", c.Web.validate()),
		f.locate("sources", c.Sources.Validate()),
		f.locate("rules", c.Rules.validate()),
		f.locate("receivers", c.validateReceivers()),
		f.locate("lists", errors.Join(checkListNames(c.Lists), checkOperators(c.Lists))),
		f.locate("blindness", c.Blindness.validate()),
		f.locate("lists_files", errors.Join(checkListNames(c.ListsFiles), c.readLists())),
		f.locate("lists_files", checkOperators(c.listed)),
	}
	if c.State == "" {
		errs = append(errs, f.locate("state", errors.New("names no file; name one on a local disk, such as phiwatch.db")))
	}
	if c.Quarantine.MaxAge <= 0 || c.Quarantine.MaxBytes <= 0 {
		errs = append(errs, f.locate("quarantine", errors.New("max_age and max_bytes must be above zero")))
	}
	if c.Evidence.Retention <= 0 {
		errs = append(errs, f.locate("evidence", errors.New("retention: must be above zero")))
	}
	if len(c.Receivers) == 0 {
		c.Receivers = []receiverConfig{{Name: "console", Console: &consoleConfig{}}}
	}
	if c.Route == nil {
		c.Route = &alerting.Route{Receiver: c.Receivers[0].Name}
	}
	return errors.Join(append(errs, f.locate("route", c.Route.Validate(c.receiverNames())))...)
}

func (r rulesConfig) validate() error {
	var errs []error
	for i, dir := range r.Dirs {
		if _, err := os.Stat(dir); err != nil {
			errs = append(errs, fmt.Errorf("dirs[%d]: %w; create the folder or correct the path", i, err))
		}
	}
	return errors.Join(errs...)
}

func (c *config) validateReceivers() error {
	var errs []error
	seen := map[string]bool{}
	for i, r := range c.Receivers {
		at := fmt.Sprintf("[%d]", i)
		fail := func(err error) { errs = append(errs, nested(at, err)...) }
		switch {
		case r.Name == "":
			fail(errors.New("name: missing; routes refer to a receiver by its name"))
		case r.Name == alerting.NoReceiver:
			fail(fmt.Errorf("name: %q is taken: it is the receiver that tells nobody", r.Name))
		case seen[r.Name]:
			fail(fmt.Errorf("name: %q stands twice; names are unique", r.Name))
		}
		seen[r.Name] = true
		switch kinds := r.kinds(); {
		case len(kinds) == 0:
			fail(errors.New("says nowhere to send: set one of slack, pagerduty, console"))
		case len(kinds) > 1:
			fail(fmt.Errorf("has %s; keep one, and make another receiver for the other", strings.Join(kinds, " and ")))
		default:
			fail(r.check())
		}
	}
	return errors.Join(errs...)
}

func (r receiverConfig) kinds() (kinds []string) {
	if r.Slack != nil {
		kinds = append(kinds, "slack")
	}
	if r.PagerDuty != nil {
		kinds = append(kinds, "pagerduty")
	}
	if r.Console != nil {
		kinds = append(kinds, "console")
	}
	return kinds
}

// check validates the receiver's own keys, secrets included: a missing secret
// file is found at start and not at the first page.
func (r receiverConfig) check() error {
	switch {
	case r.Slack != nil:
		if err := r.Slack.Validate(); err != nil {
			return errors.Join(nested("slack", err)...)
		}
		_, err := slack.New(*r.Slack, nil)
		return errors.Join(nested("slack", err)...)
	case r.PagerDuty != nil:
		if err := r.PagerDuty.Validate(); err != nil {
			return errors.Join(nested("pagerduty", err)...)
		}
		_, err := pagerduty.New(*r.PagerDuty, nil)
		return errors.Join(nested("pagerduty", err)...)
	}
	return nil
}

func (c *config) receiverNames() []string {
	var names []string
	for _, r := range c.Receivers {
		names = append(names, r.Name)
	}
	return names
}

// nested puts the key of a block before each of the errors joined in err.
func nested(at string, err error) []error {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var errs []error
		for _, e := range joined.Unwrap() {
			errs = append(errs, nested(at, e)...)
		}
		return errs
	}
	if pathPrefix.MatchString(err.Error()) {
		return []error{fmt.Errorf("%s.%w", at, err)}
	}
	return []error{fmt.Errorf("%s: %w", at, err)}
}

// loadRules loads the catalog and the operator's folders, and tunes them.
func (c *config) loadRules() (*detectors.Set, error) {
	set, err := detectors.Load(c.lists(), c.sources()...)
	if err != nil {
		return nil, usageError{err}
	}
	return set, c.tune(set)
}

// sources are the catalog and the operator's folders.
func (c *config) sources() []detectors.Source {
	sources := []detectors.Source{catalog()}
	for _, dir := range c.Rules.Dirs {
		root := ""
		if info, err := os.Stat(dir); err == nil && !info.IsDir() { // a single rule file
			dir, root = filepath.Split(filepath.Clean(dir))
			dir = filepath.Clean(dir)
		}
		sources = append(sources, detectors.Source{Name: dir, FS: os.DirFS(dir), Root: root})
	}
	return sources
}

// options of a console receiver.
func (c *consoleConfig) options() console.Options { return console.Options{Color: c.Color} }
