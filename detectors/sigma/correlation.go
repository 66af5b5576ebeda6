package sigma

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

var (
	correlationTypes = []string{"event_count", "value_count", "temporal", "temporal_ordered", "value_sum", "value_avg",
		"value_percentile", "value_median"}
	bounds       = []string{"gt", "gte", "lt", "lte", "eq", "neq"}
	timespanForm = regexp.MustCompile(`^([0-9]{1,6})([smhd])$`)
	timespanUnit = map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour}
)

func (p *problems) correlation(m Meta, keys map[string]*yaml.Node) *Correlation {
	c := &Correlation{Meta: m}
	n := keys["correlation"]
	if keys["detection"] != nil {
		p.errorf(keys["detection"], "a document has a detection or a correlation, not both: part them by ---")
	}
	if g := keys["generate"]; g != nil {
		c.Generate = p.boolean("generate", g)
	}
	if n.Kind != yaml.MappingNode {
		p.errorf(n, "correlation must be a map with type, rules, timespan and condition")
		return c
	}
	seen := make(map[string]*yaml.Node)
	for _, kv := range p.pairs(n) {
		seen[kv.key.Value] = kv.value
		p.correlationKey(c, kv)
	}
	p.checkCorrelation(c, n, seen)
	return c
}

func (p *problems) correlationKey(c *Correlation, kv pair) {
	key, n := kv.key.Value, kv.value
	switch key {
	case "type":
		c.Type = CorrelationType(p.oneOf(key, n, correlationTypes))
	case "rules":
		c.Rules, c.rulesAt = p.texts(key, n), p.position(n)
	case "group-by":
		c.GroupBy = p.texts(key, n)
	case "timespan", "timeframe":
		c.Timespan = p.timespan(n)
	case "aliases":
		c.Aliases = p.aliases(n)
	case "condition":
		p.correlationCondition(c, n)
	case "generate":
		c.Generate = p.boolean(key, n)
	default:
		known := []string{"type", "rules", "group-by", "timespan", "aliases", "condition", "generate"}
		p.errorf(kv.key, "key %q is not one of a correlation's (%s)%s", key, strings.Join(known, ", "), didYouMean(key, known))
	}
}

func (p *problems) boolean(key string, n *yaml.Node) bool {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" {
		p.errorf(n, "%s must be true or false", key)
		return false
	}
	return strings.EqualFold(n.Value, "true")
}

func (p *problems) timespan(n *yaml.Node) time.Duration {
	s := p.text("timespan", n)
	m := timespanForm.FindStringSubmatch(s)
	if m == nil {
		p.errorf(n, "timespan %q must be a number and one of s, m, h, d, for example 90m", s)
		return 0
	}
	count, _ := strconv.Atoi(m[1])
	if count == 0 {
		p.errorf(n, "timespan %q must be longer than nothing", s)
	}
	if m[2] == "d" && count > 36500 {
		p.errorf(n, "timespan %q is longer than a century", s)
		return 0
	}
	return time.Duration(count) * timespanUnit[m[2]]
}

func (p *problems) aliases(n *yaml.Node) map[string]map[string]string {
	if n.Kind != yaml.MappingNode {
		p.errorf(n, "aliases must be a map of alias to a map of rule name to field")
		return nil
	}
	out := make(map[string]map[string]string)
	for _, alias := range p.pairs(n) {
		if alias.value.Kind != yaml.MappingNode {
			p.errorf(alias.value, "alias %q must be a map of rule name to field", alias.key.Value)
			continue
		}
		fields := make(map[string]string)
		for _, kv := range p.pairs(alias.value) {
			fields[kv.key.Value] = p.text("the field of rule "+kv.key.Value, kv.value)
		}
		out[alias.key.Value] = fields
	}
	return out
}

func (p *problems) correlationCondition(c *Correlation, n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		p.errorf(n, "the condition of a correlation is a map such as {gte: 10}")
		return
	}
	for _, kv := range p.pairs(n) {
		key := kv.key.Value
		switch {
		case key == "field":
			c.Field = p.texts(key, kv.value)
		case key == "percentile":
			c.Percent = p.number(key, kv.value)
			if c.Percent < 0 || c.Percent > 100 {
				p.errorf(kv.value, "percentile is a number from 0 to 100")
			}
		case slices.Contains(bounds, key):
			c.Condition = append(c.Condition, Bound{key, p.number(key, kv.value)})
		default:
			p.errorf(kv.key, "key %q is not one of a correlation condition's (%s, field, percentile)", key, strings.Join(bounds, ", "))
		}
	}
}

func (p *problems) number(key string, n *yaml.Node) float64 {
	x, err := strconv.ParseFloat(p.text(key, n), 64)
	if err != nil || x != x {
		p.errorf(n, "%s must be a number", key)
	}
	return x
}

// checkCorrelation reports what the type needs and lacks, or has and must not.
func (p *problems) checkCorrelation(c *Correlation, n *yaml.Node, seen map[string]*yaml.Node) {
	for _, key := range []string{"type", "rules", "timespan"} {
		if seen[key] == nil && (key != "timespan" || seen["timeframe"] == nil) {
			p.errorf(n, "the correlation has no %s: add it", key)
		}
	}
	if r := seen["rules"]; r != nil && len(c.Rules) == 0 {
		p.errorf(r, "rules is empty: name at least one rule by id or name")
	}
	if seen["group-by"] == nil {
		p.warnf(n, "the correlation has no group-by and counts over all events together: add the fields that part them")
	}
	at := seen["condition"]
	if at == nil {
		at = n
	}
	values := strings.HasPrefix(string(c.Type), "value_")
	temporal := strings.HasPrefix(string(c.Type), "temporal")
	switch {
	case c.Type == "":
	case len(c.Condition) == 0 && !temporal:
		p.errorf(at, "type %s needs a condition such as {gte: 10}", c.Type)
	case values && len(c.Field) == 0:
		p.errorf(at, "type %s needs field in its condition: the field whose values it looks at", c.Type)
	case !values && len(c.Field) > 0:
		p.errorf(at, "type %s has no field in its condition: use value_count for distinct values", c.Type)
	case values && c.Type != ValueCount && len(c.Field) > 1:
		p.errorf(at, "type %s takes one field", c.Type)
	case c.Percent != 0 && c.Type != ValuePercentile:
		p.errorf(at, "percentile belongs to value_percentile, not to %s", c.Type)
	}
	if temporal && len(c.Rules) == 1 {
		p.errorf(seen["rules"], "type %s needs two rules or more: use event_count for one", c.Type)
	}
	p.checkAliases(c, seen["aliases"])
}

func (p *problems) checkAliases(c *Correlation, n *yaml.Node) {
	for alias, fields := range c.Aliases {
		for rule := range fields {
			if !slices.Contains(c.Rules, rule) {
				p.errorf(n, "alias %q names rule %q, which is not among rules%s", alias, rule, didYouMean(rule, c.Rules))
			}
		}
		if !slices.Contains(c.GroupBy, alias) && !slices.Contains(c.Field, alias) {
			p.warnf(n, "alias %q is not used by group-by or field", alias)
		}
	}
}
