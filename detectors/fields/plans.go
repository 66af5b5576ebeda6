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

// plans compares the licences of a user before and after a change of them:
//
//	plans.lost   service plans that are switched off in a licence and were not before
//	plans.back   service plans that are on again in a licence that had them off
//
// AssignedLicense has them by name, LicenseAssignmentDetail by id. What is back in
// one licence is not lost in another. Which plans a licence has nobody says, so one
// that is taken or given as a whole tells of none of them.
//
// The change of a licence with many plans is too long for one record. It comes in
// pieces, without modified properties: seq counts them, and b is one's part of a
// text that would be JSON if it were whole. It begins with AssignedLicense.
type plans struct{ of string }

func newPlans(arg string, _ map[string][]string) (computed, error) {
	switch arg {
	case "lost", "back":
		return &plans{arg}, nil
	}
	return nil, fmt.Errorf("%q: write plans.lost or plans.back", arg)
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

func (c *plans) append(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	var lost, back []string
	compare := func(before, now []licence) {
		lost, back = append(lost, lostPlans(before, now)...), append(back, switchedOff(before, now)...)
	}
	for _, of := range licenceChanges {
		compare(licencesAt(ev, of.before), licencesAt(ev, of.now))
	}
	for _, path := range licencePieces {
		for text := range texts(ev, path) {
			compare(licencesInPiece(text))
		}
	}
	wanted, seen := back, map[string]bool{}
	if c.of == "lost" {
		for _, plan := range back {
			seen[plan] = true
		}
		wanted = lost
	}
	for _, plan := range wanted {
		dst = sayOnce(dst, seen, plan)
	}
	return dst
}

// licence is one of a user's.
type licence struct {
	id    string
	off   []string // plans
	isOff map[string]bool
}

// maxLicences is more than a user has; records may be made to hold any number.
const maxLicences = 256

func newLicence(id, off string) licence {
	l := licence{id: LowerASCII(strings.TrimSpace(id)), off: slices.Collect(itemsOf(off)), isOff: map[string]bool{}}
	for _, plan := range l.off {
		l.isOff[plan] = true
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

// lostPlans returns the plans that are off now in a licence that had them on, or
// that is new, if no licence had them off.
func lostPlans(before, now []licence) []string {
	lost := switchedOff(now, before)
	for _, l := range now {
		if len(same(before, l)) > 0 {
			continue
		}
		for _, plan := range l.off {
			if !off(before, plan) {
				lost = append(lost, plan)
			}
		}
	}
	return lost
}

// switchedOff returns the plans that are off in a licence which others have with
// these plans on.
func switchedOff(in, others []licence) []string {
	var out []string
	for _, l := range in {
		there := same(others, l)
		for _, plan := range l.off {
			if len(there) > 0 && !off(there, plan) {
				out = append(out, plan)
			}
		}
	}
	return out
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
	return slices.ContainsFunc(list, func(l licence) bool { return l.isOff[plan] })
}
