package fields

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
	"phiwatch/ingest/document"
)

// grants compares what a Conditional Access policy demands before it grants access,
// before and after a change:
//
//	grant_lost.mfa     what the policy no longer asks for: "asked" if multifactor authentication, or an
//	                   authentication strength, was among the controls, "demanded" if nothing else would do
//	grant_lost.device  likewise of managed devices: "managed" if one was demanded of whatever kind, and
//	                   compliantDevice and domainJoinedDevice, that one
//	grant_back.<kind>  likewise, what it asks for again
//	grant_held.<kind>  likewise, what it asks for now, changed or not
//
// A control is demanded if it is the only one, or all of them are (operator AND). The
// portal writes OR where there is one, so who adds a second makes both a choice. Who
// blocks demands everything; who blocks no longer demands no device less than before.
type grants struct {
	device, back, held bool
}

var (
	grantOperator = ofPolicy("grantControls.operator")
	grantControls = ofPolicy("grantControls.builtInControls")
	grantStrength = ofPolicy("grantControls.authenticationStrength.id")
	grantOthers   = []policySides{ofPolicy("grantControls.customAuthenticationFactors"), ofPolicy("grantControls.termsOfUse")}
)

const compliant, domainJoined = "compliantDevice", "domainJoinedDevice"

var deviceControls = []string{compliant, domainJoined}

func newGrants(back, held bool) func(string, map[string][]string) (computed, error) {
	return func(arg string, _ map[string][]string) (computed, error) {
		if arg != "mfa" && arg != "device" {
			return nil, fmt.Errorf("%q: write mfa or device", arg)
		}
		return &grants{arg == "device", back, held}, nil
	}
}

func (g *grants) inputs() []*document.Path {
	out := []*document.Path{policyNow, ofGrants.before, ofGrants.now}
	for _, p := range append([]policySides{grantOperator, grantControls, grantStrength}, grantOthers...) {
		out = append(out, p.before, p.now)
	}
	return out
}

func (g *grants) append(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	if !g.held && ofGrants.same(ev) || !policyTold(ev) {
		return dst
	}
	had, has := readGrant(ev, false), readGrant(ev, true)
	before, now := g.of(&had), g.of(&has)
	if g.device && had.blocks() {
		before = nil // which device one has did not matter
	}
	if g.device && !g.back {
		before = slices.DeleteFunc(before, func(v string) bool { return v != managed && has.makesUpFor(v, &had) })
	}
	if g.back {
		before, now = now, before
	}
	for _, v := range before {
		if g.held || !slices.Contains(now, v) {
			dst = append(dst, sigma.Value{Kind: sigma.String, Text: v})
		}
	}
	return dst
}

// managed is the demand for a device of whatever kind.
const managed = "managed"

// of returns what a policy asks for.
func (g *grants) of(p *grant) (out []string) {
	switch {
	case p.blocks() && g.device:
		return []string{compliant, domainJoined, managed}
	case p.blocks():
		return []string{"asked", "demanded"}
	case !g.device:
		if p.mfa {
			out = append(out, "asked")
		}
		if p.mfa && (!p.choice || p.only(func(c string) bool { return c == "mfa" || c == strengthControl })) {
			out = append(out, "demanded")
		}
		return out
	}
	for _, d := range deviceControls {
		if p.has(d) {
			out = append(out, d)
		}
	}
	if p.managed() {
		out = append(out, managed)
	}
	return out
}

// grant is what a policy demands on one side of a change.
type grant struct {
	controls []string // lower case
	choice   bool     // one of several is enough
	mfa      bool
}

// strengthControl stands among the controls for an authentication strength.
const strengthControl = "authentication strength"

func readGrant(ev *ingest.Event, now bool) (p grant) {
	add := func(path policySides, as string) {
		for v := range texts(ev, path.of(now)) {
			if v = LowerASCII(strings.TrimSpace(v)); v != "" && v != "[]" {
				p.controls = append(p.controls, cmp.Or(as, v))
			}
		}
	}
	add(grantControls, "")
	add(grantStrength, strengthControl)
	for _, o := range grantOthers {
		add(o, "another")
	}
	p.choice = len(p.controls) > 1 && grantOperator.text(ev, now) == "or"
	p.mfa = p.has("mfa") || p.has(strengthControl)
	return p
}

func (p *grant) has(control string) bool { return slices.Contains(p.controls, LowerASCII(control)) }

// only reports whether all the controls are of a kind.
func (p *grant) only(of func(string) bool) bool {
	return !slices.ContainsFunc(p.controls, func(c string) bool { return !of(c) })
}

// makesUpFor reports whether what another policy lost with a kind of device is no
// loss, since p demands a managed one: of the kinds that it had the choice of, or, in
// place of a joined one, one that must be compliant from now on.
func (p *grant) makesUpFor(kind string, other *grant) bool {
	one := func(d string) bool { return p.has(d) && (other.has(d) || d == compliant && kind == domainJoined) }
	chose := other.choice && other.only(isDeviceControl)
	return p.managed() && slices.ContainsFunc(deviceControls, one) && (chose || kind == domainJoined && !other.has(compliant))
}

// blocks reports whether p lets nobody in.
func (p *grant) blocks() bool { return len(p.controls) == 1 && p.has("block") }

// managed reports whether nothing but a managed device will do.
func (p *grant) managed() bool {
	return slices.ContainsFunc(deviceControls, p.has) && (!p.choice || p.only(isDeviceControl))
}

func isDeviceControl(c string) bool {
	return slices.ContainsFunc(deviceControls, func(d string) bool { return LowerASCII(d) == c })
}
