package detectors

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"phiwatch/detectors/sigma"
	"phiwatch/detectors/strict"
)

// safeguard is the key that phiwatch adds to a Sigma rule.
type safeguard struct {
	Entry           string      `yaml:"entry"`
	Codes           []string    `yaml:"codes"`
	HIPAA           []string    `yaml:"hipaa"`
	Subject         yaml.Node   `yaml:"subject"`
	Name            yaml.Node   `yaml:"name"`
	Outcome         string      `yaml:"outcome"`
	Restored        yaml.Node   `yaml:"restored"`
	RestoredSubject yaml.Node   `yaml:"restored_subject"`
	Regained        yaml.Node   `yaml:"regained"`
	Severity        []condition `yaml:"severity"`
	Unknown         yaml.Node   `yaml:"unknown"`
	Known           yaml.Node   `yaml:"known"`
	Sides           yaml.Node   `yaml:"sides"`
	Memory          yaml.Node   `yaml:"memory"`
	Alias           yaml.Node   `yaml:"alias"`
	Incident        bool        `yaml:"incident"`
	Quiet           string      `yaml:"quiet"`
	Lapses          yaml.Node   `yaml:"lapses"`
	Runbook         []string    `yaml:"runbook"`
	Evidence        string      `yaml:"evidence"`
}

// condition gives a finding another severity when its detection holds.
type condition struct {
	Level     string    `yaml:"level"`
	Detection yaml.Node `yaml:"detection"`
}

// outcomes that a rule may ask for; success is what changes a safeguard's state.
var outcomes = []string{"success", "failure", "any"}

// grades of evidence, as in the catalog.
var grades = []string{"proven", "documented", "inferred"}

// decodeSafeguard reads and checks the safeguard key of a rule.
func decodeSafeguard(r *sigma.Rule, n *yaml.Node) (*safeguard, error) {
	s := &safeguard{Outcome: "success"}
	if err := load(r.File, n, s, "safeguard"); err != nil {
		return nil, err
	}
	switch {
	case s.Entry == "":
		return nil, at(r.File, n, "safeguard.entry is missing: give the rule's catalog id, such as ca-policy-disabled")
	case !isName(s.Entry):
		return nil, at(r.File, n, "safeguard.entry %q: use lower-case letters, digits and hyphens", s.Entry)
	case s.Subject.IsZero():
		return nil, at(r.File, n, "safeguard.subject is missing: name the field that identifies what is weakened, such as properties.targetResources.id")
	case !slices.Contains(outcomes, s.Outcome):
		return nil, at(r.File, n, "safeguard.outcome %q: use one of %s", s.Outcome, strings.Join(outcomes, ", "))
	case s.Evidence != "" && !slices.Contains(grades, s.Evidence):
		return nil, at(r.File, n, "safeguard.evidence %q: use one of %s", s.Evidence, strings.Join(grades, ", "))
	case s.Incident && !s.Restored.IsZero():
		return nil, at(r.File, n, "safeguard has both incident: true and restored: an incident has no restoring event; remove one")
	case !s.Unknown.IsZero() && s.Restored.IsZero() && s.Known.IsZero():
		return nil, at(r.File, n, "safeguard.unknown needs restored or known: only a strong value, seen before, makes a weak one a change")
	case !s.Known.IsZero() && s.Unknown.IsZero():
		return nil, at(r.File, n, "safeguard.known needs unknown: how severe a weak value is while nothing is known")
	case s.Quiet != "" && !s.Incident:
		return nil, at(r.File, n, "safeguard.quiet needs incident: true: a violation never closes because time passed, but for what lapses")
	case !s.Lapses.IsZero() && s.Incident:
		return nil, at(r.File, n, "safeguard.lapses is for what an event weakens: give an incident quiet")
	}
	return s, nil
}

// quiet parses the quiet period of an incident; empty means none.
func (s *safeguard) quiet() (time.Duration, error) {
	if s.Quiet == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(s.Quiet)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("safeguard.quiet %q: use a positive duration such as 1h or 30m", s.Quiet)
	}
	return d, nil
}

func isName(s string) bool {
	for _, c := range s {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return s != ""
}

// at makes an error that names file, line and column.
func at(file string, n *yaml.Node, format string, args ...any) error {
	return strict.At(file, n, format, args...)
}
