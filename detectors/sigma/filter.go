package sigma

import "go.yaml.in/yaml/v4"

// filter reads a filter document: rules stands beside the searches.
func (p *problems) filter(m Meta, root *yaml.Node, keys map[string]*yaml.Node) *Filter {
	f := &Filter{Meta: m, LogSource: p.logSource(root, keys["logsource"])}
	n := keys["filter"]
	if n.Kind != yaml.MappingNode {
		p.errorf(n, "filter must be a map with rules, searches and a condition")
		return f
	}
	body := *n
	body.Content = nil
	var rules *yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == "rules" {
			rules = resolve(n.Content[i+1])
			continue
		}
		body.Content = append(body.Content, n.Content[i], n.Content[i+1])
	}
	switch {
	case rules == nil:
		p.errorf(n, "the filter has no rules: list the ids or names of the rules it is for, or write rules: any")
	case rules.Kind == yaml.ScalarNode && rules.Value == "any":
		f.Any = true
	default:
		f.rulesAt = p.position(rules)
		if f.Rules = p.texts("rules", rules); len(f.Rules) == 0 {
			p.errorf(rules, "rules is empty: list the ids or names of the rules the filter is for, or write rules: any")
		}
	}
	f.Detection = p.detection(&body)
	return f
}
