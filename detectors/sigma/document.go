package sigma

import (
	"time"

	"go.yaml.in/yaml/v4"
)

// Document is a *[Rule], a *[Correlation] or a *[Filter].
type Document interface {
	// Head returns what every kind of document has.
	Head() *Meta
}

// Meta is what every kind of document has.
type Meta struct {
	Title, ID, Name        string
	Status, Level          string // of the specification's lists, or ""
	Description, Author    string
	License, Taxonomy      string
	Date, Modified         string // YYYY-MM-DD
	References, Tags       []string
	FalsePositives, Fields []string
	Scope                  []string
	Related                []Related
	Extra                  map[string]*yaml.Node // top-level keys that are not Sigma's
	File                   string
	Line                   int // of the document's first key
	Warnings               []*Error
}

// Head returns m.
func (m *Meta) Head() *Meta { return m }

// Related refers to another rule. Type is derived, obsolete, merged, renamed or
// similar.
type Related struct{ ID, Type string }

// LogSource says which logs a rule is for. At least one of the first three is
// set.
type LogSource struct {
	Category, Product, Service, Definition string
	Custom                                 map[string]string // keys that are not Sigma's
}

// Contains reports whether everything that l asks for is asked for by other
// too, so that a filter for l applies to a rule for other.
func (l LogSource) Contains(other LogSource) bool {
	return (l.Category == "" || l.Category == other.Category) &&
		(l.Product == "" || l.Product == other.Product) &&
		(l.Service == "" || l.Service == other.Service)
}

// Rule is a detection rule.
type Rule struct {
	Meta
	LogSource LogSource
	Detection *Detection
}

// Filter is a condition that is added with "and" to the condition of other
// rules (Sigma filters specification).
type Filter struct {
	Meta
	LogSource LogSource
	Any       bool     // rules: any, every rule of the log source
	Rules     []string // ids or names
	Detection *Detection

	rulesAt position
}

// Applies reports whether the filter names r and its log source covers that of
// r.
func (f *Filter) Applies(r *Rule) bool {
	if !f.LogSource.Contains(r.LogSource) {
		return false
	}
	for _, name := range f.Rules {
		if name != "" && (name == r.ID || name == r.Name) {
			return true
		}
	}
	return f.Any
}

// CorrelationType names what a correlation computes over its window.
type CorrelationType string

// The correlation types.
const (
	EventCount      CorrelationType = "event_count"
	ValueCount      CorrelationType = "value_count"
	Temporal        CorrelationType = "temporal"
	TemporalOrdered CorrelationType = "temporal_ordered"
	ValueSum        CorrelationType = "value_sum"
	ValueAvg        CorrelationType = "value_avg"
	ValuePercentile CorrelationType = "value_percentile"
	ValueMedian     CorrelationType = "value_median"
)

// Correlation relates the matches of other rules in a span of time (Sigma
// correlation rules specification).
type Correlation struct {
	Meta
	Type      CorrelationType
	Rules     []string                     // ids or names of rules or correlations
	Aliases   map[string]map[string]string // alias → rule name → field
	GroupBy   []string                     // fields or aliases
	Timespan  time.Duration
	Condition Range
	Field     []string // what value_* types look at; several count as a tuple
	Percent   float64  // of value_percentile, 0 to 100; median is 50
	Generate  bool     // the rules referred to also report on their own

	rulesAt position
}

// Range is a conjunction of comparisons. A temporal correlation without a
// condition has none: all its rules must match.
type Range []Bound

// Bound is one comparison; Op is one of gt, gte, lt, lte, eq, neq.
type Bound struct {
	Op    string
	Value float64
}

// Holds reports whether x satisfies every bound.
func (r Range) Holds(x float64) bool {
	for _, b := range r {
		if !b.holds(x) {
			return false
		}
	}
	return true
}

func (b Bound) holds(x float64) bool {
	switch b.Op {
	case "gt":
		return x > b.Value
	case "gte":
		return x >= b.Value
	case "lt":
		return x < b.Value
	case "lte":
		return x <= b.Value
	case "eq":
		return x == b.Value
	default:
		return x != b.Value
	}
}
