package detectors

import (
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/rogpeppe/go-internal/txtar"
	"go.yaml.in/yaml/v4"
)

// Scenario is the test events of a rule: whole records as they are delivered,
// with what the rule must find in them. It stands beside the rule, in a text
// archive of the same name; package rules describes its sections.
type Scenario struct {
	Story  string              // what happens, for people
	Events []Payload           // in the order of the file
	Lists  map[string][]string // operator lists that the events rely on
	Want   []string            // lines such as "hit: weakened critical SUBJECT"
}

// Payload is one named message of a scenario.
type Payload struct {
	Name string // hit, near-miss, failure, restore, hit-2 …
	Body []byte
}

// Body returns the payload with a name, or nil.
func (s *Scenario) Body(name string) []byte {
	for _, p := range s.Events {
		if p.Name == name {
			return p.Body
		}
	}
	return nil
}

// ReadScenario reads the scenario beside the rule file in fsys. The error is
// fs.ErrNotExist when there is none.
func ReadScenario(fsys fs.FS, ruleFile string) (*Scenario, error) {
	name := strings.TrimSuffix(ruleFile, path.Ext(ruleFile)) + ".txtar"
	data, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, fmt.Errorf("read test events: %w", err)
	}
	a := txtar.Parse(data)
	s := &Scenario{Story: strings.TrimSpace(string(a.Comment))}
	for _, f := range a.Files {
		event, isEvent := strings.CutSuffix(f.Name, ".json")
		switch {
		case isEvent:
			s.Events = append(s.Events, Payload{event, f.Data})
		case f.Name == "lists.yml":
			if err := yaml.Unmarshal(f.Data, &s.Lists); err != nil {
				return nil, fmt.Errorf("%s: lists.yml: %w", name, err)
			}
		case f.Name == "want":
			s.Want = lines(f.Data)
		default:
			return nil, fmt.Errorf("%s: section %q: use NAME.json, lists.yml or want", name, f.Name)
		}
	}
	if len(s.Events) == 0 || len(s.Want) == 0 {
		return nil, fmt.Errorf("%s: holds no events or no want: add sections -- hit.json -- and -- want --", name)
	}
	return s, nil
}

// ScenarioLists joins the operator lists of all scenarios in fsys.
func ScenarioLists(fsys fs.FS) (map[string][]string, error) {
	names, err := fs.Glob(fsys, "*/*.txtar")
	if err != nil {
		return nil, err
	}
	joined := map[string][]string{}
	for _, name := range names {
		s, err := ReadScenario(fsys, name)
		if err != nil {
			return nil, err
		}
		for list, values := range s.Lists {
			joined[list] = append(joined[list], values...)
		}
	}
	return joined, nil
}

// lines returns the lines of a section that say something.
func lines(data []byte) []string {
	var out []string
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			out = append(out, line)
		}
	}
	return out
}
