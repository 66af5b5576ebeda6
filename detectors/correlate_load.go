package detectors

import (
	"path"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"phiwatch/detectors/sigma"
)

// correlationKey is the key safeguard of a correlation document. Further documents of
// the same file and entry are steps of the same violation: more severe ones, and
// with restores: true those that end it.
type correlationKey struct {
	Entry    string    `yaml:"entry"`
	Codes    []string  `yaml:"codes"`
	HIPAA    []string  `yaml:"hipaa"`
	Subject  yaml.Node `yaml:"subject"` // fields or aliases; default: the values of group-by
	Name     yaml.Node `yaml:"name"`    // likewise; what a person calls the subject
	Incident bool      `yaml:"incident"`
	Quiet    string    `yaml:"quiet"`
	Lateness string    `yaml:"lateness"`
	Runbook  []string  `yaml:"runbook"`
	Evidence string    `yaml:"evidence"`

	Restores  bool   `yaml:"restores"`   // the condition says that the entry's violation is over
	Of        string `yaml:"of"`         // of the rules: whose event names the subject; default: the last event's
	By        string `yaml:"by"`         // likewise: whose event tells who did it, from where, and what
	WhileOpen bool   `yaml:"while_open"` // how special correlations are judged: see special
	Raises    bool   `yaml:"raises"`
	Report    bool   `yaml:"report"`     // of while_open, as the following
	AnyTenant bool   `yaml:"any_tenant"` // events are of one group in whatever tenant: vaults' records name none
	Unseen    string `yaml:"unseen"`
	Known     string `yaml:"known"`

	Baseline *baseline `yaml:"baseline"` // further condition: see baseline

	Sides []string `yaml:"sides"` // of the violation: over when each is restored; with restores: those that are
	Parts []string `yaml:"parts"` // likewise, as events name them: see parts
	group *parts   // what the documents of the entry share
}

// endless is the quiet of a step that does not end by itself though others of its entry do.
const endless = "never"

// maxLateness bounds how far back late events may change windows.
const maxLateness = 30 * 24 * time.Hour

func decodeCorrelationKey(c *sigma.Correlation, n *yaml.Node) (*correlationKey, error) {
	s := &correlationKey{Incident: true}
	if err := load(c.File, n, s, "safeguard"); err != nil {
		return nil, err
	}
	switch {
	case s.Entry == "":
		return nil, at(c.File, n, "safeguard.entry is missing: give the correlation's catalog id, such as mass-download")
	case !isName(s.Entry):
		return nil, at(c.File, n, "safeguard.entry %q: use lower-case letters, digits and hyphens", s.Entry)
	case s.Evidence != "" && !slices.Contains(grades, s.Evidence):
		return nil, at(c.File, n, "safeguard.evidence %q: use one of %s", s.Evidence, strings.Join(grades, ", "))
	case s.Quiet != "" && !s.Incident:
		return nil, at(c.File, n, "safeguard.quiet needs incident: true: a violation never closes because time passed")
	case s.Of != "" && (!c.Ranked() || !slices.Contains(c.Rules, s.Of)):
		return nil, at(c.File, n, "safeguard.of %q: name one of the rules, of a correlation that tells them apart (temporal, temporal_ordered)", s.Of)
	case s.By != "" && (!c.Ranked() || !slices.Contains(c.Rules, s.By)):
		return nil, at(c.File, n, "safeguard.by %q: name one of the rules, of a correlation that tells them apart (temporal, temporal_ordered)", s.By)
	case s.By != "" && s.special():
		return nil, at(c.File, n, "safeguard.by is not for while_open and raises: they tell of each event by itself; leave it out")
	}
	return s, nil
}

// correlation compiles a document, except for what feeds it.
func (b *builder) correlation(doc *sigma.Correlation) (*correlation, error) {
	severity, err := parseLevel(doc.Level)
	if err != nil {
		return nil, doc.Errorf("%v", err)
	}
	r := &Rule{File: doc.File, Meta: Meta{
		ID: doc.ID, Title: doc.Title, Description: doc.Description, Tags: doc.Tags, Severity: severity,
		Group: path.Base(path.Dir(doc.File)),
	}}
	c := &correlation{rule: r, doc: doc, state: Incident, span: doc.Span(), waits: !doc.Monotone()}
	r.correlation = c
	lateness := lateness
	if c.waits {
		lateness = settling
	}
	c.lateness = lateness.Microseconds()
	if n := doc.Extra["safeguard"]; n != nil {
		if err := b.correlationKey(c, n); err != nil {
			return nil, err
		}
	}
	c.capacity = defaultBounds.window
	if most := doc.Largest(); most*2 > float64(c.capacity) {
		c.capacity = int(most * 2)
	}
	switch {
	case doc.Largest()*2 > float64(defaultBounds.largest):
		return nil, doc.Errorf("the condition needs more than %d events of one group: compare with less, or chain two correlations", defaultBounds.largest/2)
	case doc.Ranked() && len(doc.Rules) > sigma.MaxRules:
		return nil, doc.Errorf("the correlation names %d rules: %s takes %d", len(doc.Rules), doc.Type, sigma.MaxRules)
	}
	return c, nil
}

// tenant is that of a group which an event of a tenant belongs to.
func (c *correlation) tenant(of string) string {
	if c.key != nil && c.key.AnyTenant {
		return ""
	}
	return of
}

// fields returns the names that subject and name give.
func (s *correlationKey) fields() []string {
	var out []string
	for _, n := range []yaml.Node{s.Subject, s.Name} {
		for _, item := range append(n.Content, &n) {
			if item.Kind == yaml.ScalarNode {
				out = append(out, item.Value)
			}
		}
	}
	return append(out, s.Parts...)
}

// inherit takes what s does not say from another document of the same entry.
func (s *correlationKey) inherit(from *correlationKey) {
	if len(s.Codes) == 0 {
		s.Codes = from.Codes
	}
	if len(s.HIPAA) == 0 {
		s.HIPAA = from.HIPAA
	}
	if len(s.Runbook) == 0 {
		s.Runbook = from.Runbook
	}
	if s.Subject.IsZero() {
		s.Subject = from.Subject
	}
	if s.Name.IsZero() {
		s.Name = from.Name
	}
	if s.Quiet == "" && s.Incident {
		s.Quiet = from.Quiet
	}
	if s.Sides == nil && !s.Restores {
		s.Sides = from.Sides
	}
	if s.Parts == nil && !s.Restores {
		s.Parts = from.Parts
	}
	s.group = from.group
}

// correlationKey completes c from its safeguard key. Several correlations of a file
// may be of one entry, as steps of one incident: the later ones say only what is
// different.
func (b *builder) correlationKey(c *correlation, n *yaml.Node) error {
	s, err := decodeCorrelationKey(c.doc, n)
	if err != nil {
		return err
	}
	first := c.doc.File + "#" + s.Entry
	if before := b.entries[first]; before != nil {
		s.inherit(before)
	} else {
		s.group = new(parts)
		b.entries[first] = s
	}
	if !s.group.declare(s) {
		return at(c.doc.File, n, "safeguard.parts restores parts, and no document of entry %q before it has any: add parts there", s.Entry)
	}
	c.key = s
	r := c.rule
	r.Entry, r.Safeguards, r.HIPAA, r.Runbook, r.at = s.Entry, s.Codes, s.HIPAA, s.Runbook, entryAt(n)
	if s.Quiet != endless {
		if r.Quiet, err = (&safeguard{Quiet: s.Quiet}).quiet(); err != nil {
			return at(c.doc.File, n, "%v", err)
		}
	}
	switch {
	case s.Restores:
		c.state = Restored
	case !s.Incident:
		c.state = Weakened
	}
	if s.Lateness != "" {
		d, err := time.ParseDuration(s.Lateness)
		if err != nil || d <= 0 || d > maxLateness {
			return at(c.doc.File, n, "safeguard.lateness %q: use a duration such as 15m or 24h, up to %s", s.Lateness, maxLateness)
		}
		c.lateness = d.Microseconds()
	}
	return nil
}
