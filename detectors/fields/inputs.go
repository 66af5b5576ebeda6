package fields

import (
	"slices"

	"phiwatch/ingest/document"
)

// What computed fields read: where all of it is easy to come by, the walk over the
// record reads it along, and the field is computed of that.

func (o *outside) inputs() []*document.Path  { return []*document.Path{o.path} }
func (r *rank) inputs() []*document.Path     { return []*document.Path{r.path} }
func (l *lowered) inputs() []*document.Path  { return []*document.Path{l.now, l.before} }
func (d *days) inputs() []*document.Path     { return []*document.Path{d.path} }
func (u *unlisted) inputs() []*document.Path { return []*document.Path{u.path} }
func (g *greater) inputs() []*document.Path  { return []*document.Path{g.a, g.b} }
func (u *until) inputs() []*document.Path    { return []*document.Path{u.path} }
func (l *listed) inputs() []*document.Path   { return l.paths }
func (h *host) inputs() []*document.Path     { return []*document.Path{h.path} }
func (c *count) inputs() []*document.Path    { return []*document.Path{c.path} }
func (r *reduced) inputs() []*document.Path  { return r.paths }

func (u *uncovered) inputs() []*document.Path { return []*document.Path{u.by, u.other} }
func (r *ranges) inputs() []*document.Path    { return []*document.Path{r.has, r.lacks} }

func (r *reach) inputs() []*document.Path {
	out := []*document.Path{policyNow, ofConditions.before, ofConditions.now, r.among.section.before, r.among.section.now}
	for i := range r.among.members { // all: it takes them to know whether anything is spared
		out = r.among.members[i].reading(out)
	}
	return out
}

// reading appends the paths that the member and what it depends on are read from.
func (m *member) reading(out []*document.Path) []*document.Path {
	out = append(out, m.before, m.now)
	if m.mode != "" {
		out = append(out, filterModeOf.before, filterModeOf.now)
	}
	for i := range m.guest {
		out = m.guest[i].reading(out)
	}
	for i := range m.users {
		out = m.users[i].reading(out)
	}
	return out
}

func (n *narrow) inputs() []*document.Path {
	out := []*document.Path{policyNow, policyBefore, ofConditions.before, ofConditions.now, filterMode.before, filterMode.now}
	for _, c := range conditions { // all: it takes them to know whether anything narrows
		out = append(out, c.before, c.now)
	}
	return out
}

func (p *plan) inputs() []*document.Path {
	out := slices.Clone(licencePieces)
	for _, c := range licenceChanges {
		out = append(out, c.before, c.now)
	}
	return out
}

func (k *keyName) inputs() []*document.Path {
	if k.name == nil {
		return []*document.Path{k.address}
	}
	return []*document.Path{k.address, k.name}
}
