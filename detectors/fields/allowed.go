package fields

import (
	"fmt"
	"slices"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
	"phiwatch/ingest/document"
)

// allowed compares which keys or certificates a combination of an authentication
// strength takes, before and after a change:
//
//	allowed_more.<member>   those that it takes now and did not; All if the list is gone,
//	                        since one that is empty or not there restricts nothing
//	allowed_less.<member>   the other way round
type allowed struct {
	of   *condition
	less bool
}

// allowances are the lists of
// learn.microsoft.com/graph/api/resources/fido2combinationconfiguration and
// …/x509certificatecombinationconfiguration.
var allowances = []condition{newAllowance("allowedAAGUIDs"), newAllowance("allowedIssuerSkis"), newAllowance("allowedPolicyOIDs")}

func newAllowance(name string) condition {
	p := ofAny(name)
	return condition{member{name: name, before: p.before, now: p.now}, nil}
}

func newAllowed(less bool) func(string, map[string][]string) (computed, error) {
	return func(arg string, _ map[string][]string) (computed, error) {
		i := slices.IndexFunc(allowances, func(c condition) bool { return c.name == arg })
		if i < 0 {
			return nil, fmt.Errorf("%q: write allowedAAGUIDs, allowedIssuerSkis or allowedPolicyOIDs", arg)
		}
		return &allowed{&allowances[i], less}, nil
	}
}

func (a *allowed) inputs() []*document.Path {
	return []*document.Path{anythingBefore, anythingNow, a.of.before, a.of.now}
}

func (a *allowed) append(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	if a.of.unchanged(ev) || !isObject(ev, anythingBefore) || !isObject(ev, anythingNow) {
		return dst
	}
	has, lack := a.of.values(ev, !a.less), a.of.values(ev, a.less)
	for _, v := range a.of.difference(has, lack, !a.less) {
		dst = append(dst, sigma.Value{Kind: sigma.String, Text: v})
	}
	return dst
}
