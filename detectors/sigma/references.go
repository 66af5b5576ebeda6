package sigma

import "slices"

// CheckReferences reports what no document can know by itself: an id or name
// that two documents share, and correlations and filters that name a rule that
// is not among the documents, or correlations that refer to each other in a
// circle.
func CheckReferences(docs []Document) []*Error {
	c := &referenceCheck{byName: make(map[string]Document)}
	for _, d := range docs {
		m := d.Head()
		c.define(d, m.ID)
		if m.Name != m.ID {
			c.define(d, m.Name)
		}
	}
	for _, d := range docs {
		switch d := d.(type) {
		case *Correlation:
			c.correlation(d)
		case *Filter:
			c.filter(d)
		}
	}
	return c.errs
}

type referenceCheck struct {
	byName map[string]Document
	errs   []*Error
}

func (c *referenceCheck) errorf(at position, format string, args ...any) {
	c.errs = append(c.errs, at.errorf(format, args...))
}

func (c *referenceCheck) define(d Document, name string) {
	if name == "" {
		return
	}
	if other, ok := c.byName[name]; ok {
		m := other.Head()
		c.errorf(position{file: d.Head().File, line: d.Head().Line}, "id or name %q is that of %s:%d too: give each document its own", name, m.File, m.Line)
		return
	}
	c.byName[name] = d
}

func (c *referenceCheck) names() []string {
	out := make([]string, 0, len(c.byName))
	for name := range c.byName {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

func (c *referenceCheck) correlation(d *Correlation) {
	for _, name := range d.Rules {
		switch other := c.byName[name].(type) {
		case nil:
			c.errorf(d.rulesAt, "the correlation names rule %q, which no document has as its id or name%s", name, didYouMean(name, c.names()))
		case *Filter:
			c.errorf(d.rulesAt, "the correlation names %q, which is a filter: name rules and correlations", name)
		case *Correlation:
			if c.reaches(other, d, make(map[*Correlation]bool)) {
				c.errorf(d.rulesAt, "the correlation refers to itself through %q: break the circle", name)
			}
		}
	}
}

// reaches reports whether from refers to target, directly or not.
func (c *referenceCheck) reaches(from, target *Correlation, seen map[*Correlation]bool) bool {
	if from == target {
		return true
	}
	if seen[from] {
		return false
	}
	seen[from] = true
	for _, name := range from.Rules {
		if next, ok := c.byName[name].(*Correlation); ok && c.reaches(next, target, seen) {
			return true
		}
	}
	return false
}

func (c *referenceCheck) filter(d *Filter) {
	for _, name := range d.Rules {
		switch other := c.byName[name].(type) {
		case nil:
			c.errorf(d.rulesAt, "the filter names rule %q, which no document has as its id or name%s", name, didYouMean(name, c.names()))
		case *Rule:
			if !d.LogSource.Contains(other.LogSource) {
				c.errorf(d.rulesAt, "the filter has another logsource than rule %q and does not apply to it", name)
			}
		default:
			c.errorf(d.rulesAt, "the filter names %q, which is not a rule: filters apply to rules", name)
		}
	}
}
