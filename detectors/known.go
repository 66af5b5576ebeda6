package detectors

import (
	"slices"

	"go.yaml.in/yaml/v4"

	"phiwatch/detectors/fields"
	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
)

// Some feeds tell only the new value, and tell it at every save. A rule with
// safeguard.unknown says how severe a weak value is while nothing shows that
// the subject was ever strong; once a strong value from before is known, even
// one that arrives later, the weakening has the rule's full severity. With the
// level none there is no finding until then.
//
// A strong value is what restores, or what a rule says in
//
//	safeguard:
//	  known: {detection: DETECTION, key: SUBJECT, of: SUBJECT}
//
// An event of the detection makes its key known; a weakening asks for the one
// that it has at of. So an inventory is kept: the mail-flow rules that encrypt,
// the groups that a policy excludes. Where the rule has an alias, its names are
// keys, too: what was made by name may be enabled by its id.
//
// What shows that it is so no longer stands in
//
//	  known: {…, forgotten: {detection: DETECTION, key: SUBJECT}}
//
// where key, if it is left out, is that of known. From such an event on its key is
// unknown, until a newer event makes it known again; of one instant, what makes it
// known counts. When a record that comes late tells that a subject was not known,
// what was found is taken back; what correlations have made of it by then stays.
//
// What is so in several ways is known until the last of them has ended: a group that
// two policies exclude, a rule that forwards mail twice. With by: SUBJECT each value
// is such a way; with by: sides each side of the safeguard that an event of known
// shows weak, or one of forgotten strong. An event that tells none is about all.

// known is what makes a subject known to have been strong. Its detections are halves of
// the rule, in the states knows and forgets.
type known struct {
	of        subject // of a weakening: what must be known
	by        subject // in which ways; nil: by the sides, or there is one
	bySides   bool
	mayForget bool // something shows that it is so no longer
}

// The states of matches that only tell what is known.
const (
	knows   State = "knows"
	forgets State = "forgets"
)

type knownYAML struct {
	Detection yaml.Node     `yaml:"detection"`
	Key       yaml.Node     `yaml:"key"`
	Of        yaml.Node     `yaml:"of"`
	By        yaml.Node     `yaml:"by"`
	Forgotten forgottenYAML `yaml:"forgotten"`
}

type forgottenYAML struct {
	Detection yaml.Node `yaml:"detection"`
	Key       yaml.Node `yaml:"key"`
}

// known reads safeguard.known.
func (b *builder) known(r *Rule, sr *sigma.Rule, n *yaml.Node, weakened half) error {
	if n.IsZero() {
		return nil
	}
	var y knownYAML
	if err := n.Load(&y, yaml.WithKnownFields(true)); err != nil {
		return at(sr.File, n, "safeguard.known: %v", err)
	}
	if y.Key.IsZero() || y.Of.IsZero() {
		return at(sr.File, n, "safeguard.known: write {detection: DETECTION, key: SUBJECT, of: SUBJECT}")
	}
	if y.Forgotten.Detection.IsZero() && !y.Forgotten.Key.IsZero() {
		return at(sr.File, &y.Forgotten.Key, "safeguard.known.forgotten: write {detection: DETECTION, key: SUBJECT}: nothing says what shows that it is so no longer")
	}
	r.known = &known{bySides: y.By.Value == "sides", mayForget: !y.Forgotten.Detection.IsZero()}
	if r.known.bySides && r.sides == nil {
		return at(sr.File, &y.By, "safeguard.known: by: sides: the rule has none; name them in safeguard.sides")
	}
	var err error
	if r.known.of, err = b.subject(sr.File, &y.Of); err != nil {
		return err
	}
	if !r.known.bySides {
		if r.known.by, err = b.subject(sr.File, &y.By); err != nil {
			return err
		}
	}
	key, err := b.subject(sr.File, &y.Key)
	if err != nil {
		return err
	}
	if err := b.tells(r, sr, half{state: knows, subject: key, kinds: weakened.kinds}, &y.Detection); err != nil || !r.known.mayForget {
		return err
	}
	if !y.Forgotten.Key.IsZero() {
		if key, err = b.subject(sr.File, &y.Forgotten.Key); err != nil {
			return err
		}
	}
	return b.tells(r, sr, half{state: forgets, subject: key, kinds: weakened.kinds}, &y.Forgotten.Detection)
}

// tells adds a half to r whose matches are no findings, but tell something of its
// subject.
func (b *builder) tells(r *Rule, sr *sigma.Rule, h half, detection *yaml.Node) error {
	h.rule, h.outcome = r, ingest.Success
	d, err := sigma.ParseDetection(sr.File, detection)
	if err != nil {
		return err
	}
	h.joined = readsRequest(d)
	if h.match, _, err = b.compileOver(sr, d, h.kinds); err != nil {
		return err
	}
	r.halves = append(r.halves, h)
	return nil
}

// presumes reports whether what the rule finds is nothing unless something is known of
// its subject: such as a new member of a group, of whatever group.
func (r *Rule) presumes() bool {
	return slices.ContainsFunc(r.unknown, func(l level) bool { return l.none && l.match == nil })
}

// ways returns in which ways an event shows that something is known, or is so no
// longer.
func (h *half) ways(s *scope, subject string) []string {
	r := h.rule
	switch {
	case r.known.bySides && h.state == knows:
		weak, _ := r.sides.of(s, Weakened, subject)
		return weak
	case r.known.bySides:
		_, strong := r.sides.of(s, Restored, subject)
		return strong
	}
	if way := r.known.by.first(s); way != "" {
		return []string{s.keep.text(fields.Lower(way))}
	}
	return nil
}

// mayForget reports whether what the rule knows of a subject may be so no longer.
func (r *Rule) mayForget() bool { return r.known != nil && r.known.mayForget }
