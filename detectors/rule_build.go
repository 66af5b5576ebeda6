package detectors

import (
	"path"
	"strings"

	"go.yaml.in/yaml/v4"

	"phiwatch/detectors/fields"
	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
)

// builder compiles the rules of one set, which share their field slots.
type builder struct {
	options  sigma.Options
	filters  []*sigma.Filter
	warnings []error
	entries  map[string]*correlationKey // of correlations, by file and entry
}

// build compiles a Sigma rule.
func (b *builder) build(sr *sigma.Rule) (*Rule, error) {
	severity, err := parseLevel(sr.Level)
	if err != nil {
		return nil, &sigma.Error{File: sr.File, Line: sr.Line, Column: 1, Msg: err.Error()}
	}
	r := &Rule{File: sr.File, at: position{sr.Line, 1}, Meta: Meta{
		Entry: strings.TrimSuffix(path.Base(sr.File), path.Ext(sr.File)), ID: sr.ID, Title: sr.Title,
		Description: sr.Description, Tags: sr.Tags, Severity: severity, Group: path.Base(path.Dir(sr.File)),
	}}
	for _, w := range sr.Warnings {
		b.warnings = append(b.warnings, w)
	}
	views, ok := fields.ViewsOf(sr.LogSource)
	if !ok {
		b.warn(sr, "log source product %q service %q is not one phiwatch reads, so the rule never matches: use %s", sr.LogSource.Product, sr.LogSource.Service, knownLogSources())
	}
	n := sr.Extra["safeguard"]
	if n == nil {
		return r, b.plain(r, sr, views)
	}
	kinds, _ := fields.KindsOf(sr.LogSource)
	matcher, never, err := b.compileOver(sr, b.filtered(sr), kinds)
	if err != nil {
		return nil, err
	}
	if r.never = never; !ok {
		r.never = neverLogSource
	}
	return r, b.safeguard(r, sr, n, half{rule: r, state: Weakened, kinds: kinds, match: matcher, joined: readsRequest(sr.Detection)})
}

// safeguard completes r from its safeguard key; weakened is the rule's own detection.
func (b *builder) safeguard(r *Rule, sr *sigma.Rule, n *yaml.Node, weakened half) error {
	s, err := decodeSafeguard(sr, n)
	if err != nil {
		return err
	}
	r.Entry, r.Safeguards, r.HIPAA, r.Runbook, r.at = s.Entry, s.Codes, s.HIPAA, s.Runbook, entryAt(n)
	if r.Quiet, err = s.quiet(); err != nil {
		return at(sr.File, n, "%v", err)
	}
	if !s.Lapses.IsZero() {
		if r.Quiet, err = b.lapses(sr, &s.Lapses); err != nil {
			return err
		}
	}
	if r.subject, err = b.subject(sr.File, &s.Subject); err != nil {
		return err
	}
	if r.name, err = b.subject(sr.File, &s.Name); err != nil {
		return err
	}
	if r.unknown, err = b.unknown(sr, &s.Unknown); err != nil {
		return err
	}
	if r.regained, err = b.regained(sr, &s.Regained); err != nil {
		return at(sr.File, n, "safeguard.regained: %v", err)
	}
	if r.sides, err = b.sides(sr, &s.Sides); err != nil {
		return err
	}
	if r.alias, err = b.alias(sr, &s.Alias); err != nil {
		return err
	}
	for i := range s.Severity {
		l, err := b.level(sr, &s.Severity[i])
		if err != nil {
			return err
		}
		r.severity = append(r.severity, l)
	}
	weakened.subject, weakened.outcome = r.subject, parseOutcome(s.Outcome)
	if s.Incident {
		weakened.state = Incident
	}
	r.halves = []half{weakened}
	if !s.Restored.IsZero() {
		if err := b.restored(r, sr, s, weakened); err != nil {
			return err
		}
	}
	if err := b.known(r, sr, &s.Known, weakened); err != nil {
		return err
	}
	if err := b.renamed(r, sr, &s.Alias, weakened); err != nil {
		return err
	}
	if err := b.memory(r, sr, &s.Memory, weakened); err != nil {
		return err
	}
	b.joinRequests(r)
	return nil
}

// restored compiles the restoring half. It reads the rule's own log source
// unless it names another, and only a success restores.
func (b *builder) restored(r *Rule, sr *sigma.Rule, s *safeguard, weakened half) error {
	h := half{rule: r, state: Restored, kinds: weakened.kinds, outcome: ingest.Success, subject: r.subject}
	var err error
	if h.kinds, err = restoreKinds(sr, &s.Restored, h.kinds); err != nil {
		return err
	}
	d, err := sigma.ParseDetection(sr.File, &s.Restored)
	if err != nil {
		return err
	}
	if h.match, _, err = b.compileOver(sr, d, h.kinds); err != nil {
		return err
	}
	h.joined = readsRequest(d)
	if !s.RestoredSubject.IsZero() {
		if h.subject, err = b.subject(sr.File, &s.RestoredSubject); err != nil {
			return err
		}
	}
	r.Restorable = true
	r.halves = append(r.halves, h)
	return nil
}

// restoreSource is the log source of what restores, where it is another.
type restoreSource struct {
	Product  string `yaml:"product"`
	Service  string `yaml:"service"`
	Category string `yaml:"category"`
}

// restoreKinds takes the optional logsource key out of a restored block.
func restoreKinds(sr *sigma.Rule, n *yaml.Node, kinds []ingest.Kind) ([]ingest.Kind, error) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value != "logsource" {
			continue
		}
		var l restoreSource
		if err := load(sr.File, n.Content[i+1], &l, "safeguard.restored.logsource"); err != nil {
			return nil, err
		}
		other, ok := fields.KindsOf(sigma.LogSource{Product: l.Product, Service: l.Service})
		if !ok {
			return nil, at(sr.File, n.Content[i+1], "restored.logsource is not one phiwatch reads: use %s", knownLogSources())
		}
		n.Content = append(n.Content[:i:i], n.Content[i+2:]...)
		return other, nil
	}
	return kinds, nil
}

func parseOutcome(outcome string) ingest.Outcome {
	switch outcome {
	case "success":
		return ingest.Success
	case "failure":
		return ingest.Failure
	}
	return ingest.OutcomeUnknown
}

// position is a place in the rule's file.
type position struct{ line, column int }

// entryAt returns where a safeguard key says what its entry is.
func entryAt(n *yaml.Node) position {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == "entry" {
			return position{n.Content[i+1].Line, n.Content[i+1].Column}
		}
	}
	return position{n.Line, n.Column}
}
