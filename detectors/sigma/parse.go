package sigma

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

var (
	statuses     = []string{"stable", "test", "experimental", "deprecated", "unsupported"}
	levels       = []string{"informational", "low", "medium", "high", "critical"}
	relatedTypes = []string{"derived", "obsolete", "merged", "renamed", "similar"}
	sigmaKeys    = []string{"title", "id", "name", "related", "taxonomy", "status", "description", "license", "author",
		"references", "date", "modified", "logsource", "detection", "correlation", "filter", "fields", "falsepositives",
		"level", "tags", "scope", "action", "generate"}
	isoDate = regexp.MustCompile(`^\d{4}-\d\d-\d\d$`)
)

// Parse reads a file of one or more YAML documents. The error joins one *[Error]
// for each mistake of the file; documents without a mistake are returned all the
// same. A global document (action: global) is merged into those that follow it.
func Parse(file string, data []byte) ([]Document, error) {
	p := &problems{file: file}
	roots := loadYAML(p, data)
	if len(roots) == 0 && len(p.errs) == 0 {
		p.errorf(nil, "the file holds no document: a rule needs title, logsource and detection")
	}
	var docs []Document
	for _, root := range p.actions(roots) {
		before := len(p.errs)
		if d := p.document(root); d != nil && len(p.errs) == before {
			docs = append(docs, d)
		}
	}
	return docs, errors.Join(p.errs...)
}

// document reads one document whose kind is told by the key that only it has.
func (p *problems) document(root *yaml.Node) Document {
	if root.Kind != yaml.MappingNode {
		p.errorf(root, "a rule is a map with the keys title, logsource and detection")
		return nil
	}
	p.warnings = nil
	keys := make(map[string]*yaml.Node)
	meta := Meta{File: p.file, Line: root.Line}
	for _, kv := range p.pairs(root) {
		keys[kv.key.Value] = kv.value
		p.meta(&meta, kv)
	}
	p.title(&meta, root, keys["title"])
	var d Document
	switch {
	case keys["correlation"] != nil:
		d = p.correlation(meta, keys)
	case keys["filter"] != nil:
		d = p.filter(meta, root, keys)
	default:
		d = p.rule(meta, root, keys)
	}
	d.Head().Warnings = p.warnings
	return d
}

func (p *problems) title(m *Meta, root, n *yaml.Node) {
	switch {
	case m.Title == "" && n == nil:
		p.errorf(root, "the document has no title: add one that says what it detects")
	case m.Title == "":
		p.errorf(n, "the title is empty: say what the rule detects")
	case len(m.Title) > 256:
		p.warnf(n, "the title has %d characters: Sigma allows 256", len(m.Title))
	}
}

func (p *problems) rule(m Meta, root *yaml.Node, keys map[string]*yaml.Node) *Rule {
	r := &Rule{Meta: m, LogSource: p.logSource(root, keys["logsource"])}
	if n := keys["detection"]; n == nil {
		p.errorf(root, "the rule has no detection: add searches and a condition under detection")
	} else {
		r.Detection = p.detection(n)
	}
	return r
}

// meta reads a key that every kind of document may have.
func (p *problems) meta(m *Meta, kv pair) {
	key, n := kv.key.Value, kv.value
	switch key {
	case "title":
		m.Title = strings.TrimSpace(p.text(key, n))
	case "id":
		m.ID = p.text(key, n)
	case "name":
		m.Name = p.text(key, n)
	case "status":
		m.Status = p.oneOf(key, n, statuses)
	case "level":
		m.Level = p.oneOf(key, n, levels)
	case "description":
		m.Description = p.text(key, n)
	case "license":
		m.License = p.text(key, n)
	case "taxonomy":
		m.Taxonomy = p.text(key, n)
	case "author":
		m.Author = strings.Join(p.texts(key, n), ", ")
	case "date":
		m.Date = p.date(key, n)
	case "modified":
		m.Modified = p.date(key, n)
	case "references":
		m.References = p.texts(key, n)
	case "tags":
		m.Tags = p.texts(key, n)
	case "falsepositives":
		m.FalsePositives = p.texts(key, n)
	case "fields":
		m.Fields = p.texts(key, n)
	case "scope":
		m.Scope = p.texts(key, n)
	case "related":
		m.Related = p.related(n)
	default:
		p.extra(m, kv)
	}
}

func (p *problems) extra(m *Meta, kv pair) {
	key := kv.key.Value
	if slices.Contains(sigmaKeys, key) {
		return
	}
	if hint := didYouMean(key, sigmaKeys); hint != "" {
		p.warnf(kv.key, "key %q is not Sigma's%s", key, hint)
	}
	if m.Extra == nil {
		m.Extra = make(map[string]*yaml.Node)
	}
	m.Extra[key] = kv.value
}

func (p *problems) date(key string, n *yaml.Node) string {
	s := p.text(key, n)
	if s != "" && !isoDate.MatchString(s) {
		p.warnf(n, "%s %q is not written YYYY-MM-DD", key, s)
	}
	return s
}

func (p *problems) related(n *yaml.Node) []Related {
	if n.Kind != yaml.SequenceNode {
		p.errorf(n, "related must be a list of maps with id and type")
		return nil
	}
	var out []Related
	for _, c := range n.Content {
		c = resolve(c)
		if c.Kind != yaml.MappingNode {
			p.errorf(c, "an item of related must be a map with id and type")
			continue
		}
		var r Related
		for _, kv := range p.pairs(c) {
			switch kv.key.Value {
			case "id":
				r.ID = p.text("id", kv.value)
			case "type":
				r.Type = p.oneOf("type", kv.value, relatedTypes)
			}
		}
		out = append(out, r)
	}
	return out
}

func (p *problems) logSource(root, n *yaml.Node) LogSource {
	var l LogSource
	if n == nil || n.Kind != yaml.MappingNode {
		at := n
		if at == nil {
			at = root
		}
		p.errorf(at, "the document has no logsource: add a map with product, category or service")
		return l
	}
	for _, kv := range p.pairs(n) {
		key := kv.key.Value
		switch key {
		case "category":
			l.Category = p.text(key, kv.value)
		case "product":
			l.Product = p.text(key, kv.value)
		case "service":
			l.Service = p.text(key, kv.value)
		case "definition":
			l.Definition = p.text(key, kv.value)
		default:
			if l.Custom == nil {
				l.Custom = make(map[string]string)
			}
			l.Custom[key] = p.text(key, kv.value)
		}
	}
	if l.Category == "" && l.Product == "" && l.Service == "" {
		p.errorf(n, "the logsource names none of product, category and service: name at least one")
	}
	return l
}
