package fields

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
	"phiwatch/ingest/document"
)

// plan tells what a change of a user's licences makes of a service plan, which is
// named in all the ways that records name it: "lost" if it is switched off in a
// licence and was not before, "back" if it is on again in one that had it off.
//
// AssignedLicense has plans by name, LicenseAssignmentDetail by id. What is back in
// one licence is not lost in another. Which plans a licence has nobody says, so one
// that is taken or given as a whole tells of none of them.
//
// The change of a licence with many plans is too long for one record. It comes in
// pieces, without modified properties: seq counts them, and b is one's part of a
// text that would be JSON if it were whole. It begins with AssignedLicense.
type plan struct {
	names   []string // in lower case
	spelled []string // as records spell them
}

func newPlan(arg string, _ map[string][]string) (computed, error) {
	p := &plan{names: strings.Split(strings.ToLower(arg), ",")}
	if slices.Contains(p.names, "") {
		return nil, fmt.Errorf("%q: write licence_plan.NAME,ID", arg)
	}
	p.spelled = append(strings.Split(strings.ToUpper(arg), ","), p.names...)
	return p, nil
}

// licenceChange is where a property has a user's licences.
type licenceChange struct{ before, now *document.Path }

var (
	licenceChanges = []licenceChange{changeOf("AssignedLicense"), changeOf("LicenseAssignmentDetail")}
	licencePieces  = []*document.Path{document.MustCompile("detail.b"), document.MustCompile("detail.additionalDetails.b")} // Entra's, the unified audit log's
)

func changeOf(property string) licenceChange {
	return licenceChange{document.MustCompile("modified." + property + ".old"), document.MustCompile("modified." + property + ".new")}
}

func (p *plan) append(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	var lost, back bool
	compare := func(before, now []licence) {
		for _, name := range p.names {
			lost, back = lost || lostIn(before, now, name), back || offIn(before, now, name)
		}
	}
	for _, of := range licenceChanges {
		if p.namedAt(ev, of.before) || p.namedAt(ev, of.now) {
			compare(licencesAt(ev, of.before), licencesAt(ev, of.now))
		}
	}
	for _, path := range licencePieces {
		if p.namedAt(ev, path) {
			for text := range texts(ev, path) {
				compare(licencesInPiece(text))
			}
		}
	}
	switch {
	case back:
		return append(dst, sigma.Value{Kind: sigma.String, Text: "back"})
	case lost:
		return append(dst, sigma.Value{Kind: sigma.String, Text: "lost"})
	}
	return dst
}

// namedAt reports whether a text at a path names the plan; most changes are of
// others, and to know that costs no memory.
func (p *plan) namedAt(ev *ingest.Event, path *document.Path) (found bool) {
	buf := valueBuffers.Get().(*[]document.Value)
	*buf = ev.Values(path, (*buf)[:0])
	for _, v := range *buf {
		for _, name := range p.spelled {
			found = found || strings.Contains(v.Text, name)
		}
	}
	clear(*buf)
	valueBuffers.Put(buf)
	return found
}

// licence is one of a user's.
type licence struct {
	id  string
	off map[string]bool // plans
}

// maxLicences is more than a user has; records may be made to hold any number.
const maxLicences = 256

func newLicence(id, off string) licence {
	l := licence{LowerASCII(strings.TrimSpace(id)), map[string]bool{}}
	for plan := range itemsOf(off) {
		l.off[LowerASCII(plan)] = true
	}
	return l
}

func licencesAt(ev *ingest.Event, path *document.Path) (out []licence) {
	for text := range texts(ev, path) {
		out = appendLicences(out, text)
	}
	return out
}

// licencesInPiece reads the licences of the first piece of a long change.
func licencesInPiece(text string) (before, now []licence) {
	_, text, _ = strings.Cut(text, "AssignedLicense")
	_, text, _ = strings.Cut(text, "OldValue")
	old, text, _ := strings.Cut(text, "NewValue")
	text, _, _ = strings.Cut(text, "OldValue") // of the next property
	return appendLicences(nil, old), appendLicences(nil, text)
}

// appendLicences reads the licences that a text holds whole: an object, or
// [SkuName=…, AccountId=…, SkuId=…, DisabledPlans=[A,B]], one or several.
func appendLicences(out []licence, text string) []licence {
	if strings.HasPrefix(text, "{") {
		return appendAssignment(out, text)
	}
	for len(out) < maxLicences {
		_, rest, found := strings.Cut(text, "SkuName=")
		id, rest, hasPlans := strings.Cut(rest, "DisabledPlans=[")
		list, rest, whole := strings.Cut(rest, "]")
		if !found || !hasPlans || !whole {
			return out
		}
		text = rest
		out = append(out, newLicence(id, list))
	}
	return out
}

// appendAssignment reads a licence that is an object.
func appendAssignment(out []licence, text string) []licence {
	var a struct {
		SkuID         string          `json:"SkuId"`
		DisabledPlans json.RawMessage `json:"DisabledPlans"`
	}
	if len(out) == maxLicences || json.Unmarshal([]byte(text), &a) != nil {
		return out
	}
	return append(out, newLicence(a.SkuID, string(a.DisabledPlans)))
}

// lostIn reports whether a plan is off now in a licence that had it on, or that is
// new, if no licence had it off.
func lostIn(before, now []licence, plan string) bool {
	return offIn(now, before, plan) || slices.ContainsFunc(now, func(l licence) bool {
		return l.off[plan] && len(same(before, l)) == 0 && !off(before, plan)
	})
}

// offIn reports whether a plan is off in a licence which others have with it on.
func offIn(in, others []licence, plan string) bool {
	return slices.ContainsFunc(in, func(l licence) bool {
		if !l.off[plan] {
			return false
		}
		there := same(others, l)
		return len(there) > 0 && !off(there, plan)
	})
}

// same returns those of a list that are the same licence: it may be given twice,
// to the user and to a group.
func same(list []licence, l licence) (out []licence) {
	for _, other := range list {
		if other.id == l.id {
			out = append(out, other)
		}
	}
	return out
}

// off reports whether any of some licences has a plan switched off.
func off(list []licence, plan string) bool {
	return slices.ContainsFunc(list, func(l licence) bool { return l.off[plan] })
}
