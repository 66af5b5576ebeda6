package detectors

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"

	"phiwatch/detectors/sigma"
)

// level is a severity that applies when its detection holds; without one, always.
type level struct {
	severity Severity
	match    *sigma.Matcher
	none     bool // of unknown: no finding at all
}

// unknown reads safeguard.unknown: a level, a level with a detection that says
// of which events it is true, or a list of these.
func (b *builder) unknown(sr *sigma.Rule, n *yaml.Node) ([]level, error) {
	if n.IsZero() {
		return nil, nil
	}
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		items = n.Content
	}
	var out []level
	for _, item := range items {
		c := condition{Level: item.Value}
		if item.Kind == yaml.MappingNode {
			if err := item.Load(&c, yaml.WithKnownFields(true)); err != nil {
				return nil, at(sr.File, item, "safeguard.unknown: %v", err)
			}
		}
		l, err := b.level(sr, &c)
		if err != nil {
			return nil, err
		}
		out = append(out, l)
	}
	return out, nil
}

func (b *builder) level(sr *sigma.Rule, c *condition) (level, error) {
	severity, err := parseLevel(c.Level)
	if err != nil && c.Level != "none" {
		return level{}, at(sr.File, &c.Detection, "safeguard: %v", err)
	}
	l := level{severity: severity, none: c.Level == "none"}
	if !c.Detection.IsZero() {
		l.match, err = b.detection(sr, &c.Detection)
		return l, err
	}
	return l, nil
}

// parseLevel reads a Sigma level; a rule without one is medium, as the
// specification's converters assume.
func parseLevel(s string) (Severity, error) {
	switch strings.ToLower(s) {
	case "informational", "info":
		return Info, nil
	case "low":
		return Low, nil
	case "medium", "":
		return Medium, nil
	case "high":
		return High, nil
	case "critical":
		return Critical, nil
	}
	return Info, fmt.Errorf("level %q: use informational, low, medium, high or critical", s)
}
