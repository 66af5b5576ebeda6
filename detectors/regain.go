package detectors

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"phiwatch/detectors/fields"
	"phiwatch/detectors/sigma"
)

// A file whose label was removed is not safe again with a lesser label: some
// restores count only if they give back what was lost. A rule says so with
//
//	safeguard:
//	  regained: {lost: FIELD, now: FIELD, order: LIST, among: LIST, enough: DETECTION}
//
// A restore counts if the value at now is the one that the first weakening since
// the last restore that counted had at lost, or ranks as high in the ordered
// operator list as any of these weakenings' did; where the order does not tell, if
// it is on the list among. One of the detection enough counts whatever was lost.

// regained is what a rule asks of its restores.
type regained struct {
	lost, now int // slots
	order     map[string]int
	among     []string
	always    *sigma.Matcher // restores that count whatever was lost; nil: none
	pruned    int64          // when, unix microseconds
}

type regainedYAML struct {
	Lost  string `yaml:"lost"`
	Now   string `yaml:"now"`
	Order string `yaml:"order"`
	Among string `yaml:"among"`

	Enough yaml.Node `yaml:"enough"`
}

func (b *builder) regained(sr *sigma.Rule, n *yaml.Node) (*regained, error) {
	if n.IsZero() {
		return nil, nil
	}
	var y regainedYAML
	if err := n.Load(&y, yaml.WithKnownFields(true)); err != nil {
		return nil, err
	}
	lists := b.options.Placeholders
	r := &regained{order: fields.Ranks(lists[y.Order]), among: lists[y.Among]}
	var err error
	if !y.Enough.IsZero() {
		if r.always, err = b.detection(sr, &y.Enough); err != nil {
			return nil, err
		}
	}
	if r.lost, err = b.read(y.Lost); err != nil {
		return nil, err
	}
	r.now, err = b.read(y.Now)
	return r, err
}

// value is what an event says was lost, or is in force now.
func (r *regained) value(state State, s *scope) string {
	switch {
	case state != Restored:
		return strings.TrimSpace(s.text(r.lost))
	case r.always != nil && r.always.Match(s):
		return whatever
	}
	return strings.TrimSpace(s.text(r.now))
}

// whatever is the value of a restore that counts whatever was lost.
const whatever = "*"

// enough reports whether now makes up for what was lost.
func (r *regained) enough(lost, now string) bool {
	if now == "" || now == whatever {
		return now == whatever
	}
	lost, now = strings.ToLower(lost), strings.ToLower(now)
	had, ranked := r.order[lost]
	has, both := r.order[now]
	if ranked && both {
		return has >= had
	}
	return lost == now || slices.ContainsFunc(r.among, func(v string) bool { return strings.EqualFold(v, now) })
}

// higher reports whether a ranks above b.
func (r *regained) higher(a, b string) bool {
	x, ranked := r.order[strings.ToLower(a)]
	y, both := r.order[strings.ToLower(b)]
	return ranked && both && x > y
}

// holdRestores lets through the restores that give back what was lost.
func (e *Engine) holdRestores(ctx context.Context, tx *sql.Tx, findings []Finding) ([]Finding, error) {
	out := make([]Finding, 0, len(findings)) // one may become several
	for _, f := range findings {
		r := e.byEntry[f.Rule.Entry]
		if r == nil || r.regained == nil {
			out = append(out, f)
			continue
		}
		judged, err := e.judgeRegained(ctx, tx, r, f)
		if err != nil {
			return nil, fmt.Errorf("judge what %s regains: %w", f.Rule.Entry, err)
		}
		out = append(out, judged...)
	}
	return out, nil
}
