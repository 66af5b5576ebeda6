package fields

import (
	"fmt"
	"slices"
	"strings"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
	"phiwatch/ingest/document"
)

// trust compares what is taken from another tenant on trust, before and after a
// change of cross-tenant access settings:
//
//	trust.lost   what is accepted now and was not, or was left to the default
//	trust.back   what is no longer accepted
//
// The flags stand in Graph's resource (of the partner, or its inbound trust), or are
// properties of their own. What is gone is left to the default; a value that was cut tells
// of nothing that is, and of a partner that is deleted none is named.
type trust struct{ back bool }

// trustFlag is one of
// learn.microsoft.com/graph/api/resources/crosstenantaccesspolicyinboundtrust.
type trustFlag struct {
	name   string
	nested []policySides // in an object
	own    []policySides
}

var trustFlags = []trustFlag{newTrustFlag("isMfaAccepted"), newTrustFlag("isCompliantDeviceAccepted"), newTrustFlag("isHybridAzureADJoinedDeviceAccepted")}

func newTrustFlag(name string) trustFlag {
	own := func(property string) policySides {
		return policySides{document.MustCompile("modified." + property + ".old"), document.MustCompile("modified." + property + ".new")}
	}
	return trustFlag{name, []policySides{ofAny(name), ofAny("inboundTrust." + name)}, []policySides{own(name), own("inboundTrust." + name)}}
}

func newTrust(arg string, _ map[string][]string) (computed, error) {
	if arg != "lost" && arg != "back" {
		return nil, fmt.Errorf("%q: write trust.lost or trust.back", arg)
	}
	return &trust{arg == "back"}, nil
}

func (c *trust) inputs() []*document.Path {
	out := []*document.Path{anythingNow}
	for i := range trustFlags {
		for _, p := range slices.Concat(trustFlags[i].nested, trustFlags[i].own) {
			out = append(out, p.before, p.now)
		}
	}
	return out
}

func (c *trust) append(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	if deletes(ev) {
		return dst
	}
	cut := slices.ContainsFunc(ev.Find(anythingNow), func(v document.Value) bool { return v.Kind == document.String && strings.HasPrefix(v.Text, "{") })
	for i := range trustFlags {
		f := &trustFlags[i]
		was, is := f.accepted(ev, false), f.accepted(ev, true)
		if !c.back && is && !was || c.back && was && !is && !cut {
			dst = append(dst, sigma.Value{Kind: sigma.String, Text: f.name})
		}
	}
	return dst
}

func (f *trustFlag) accepted(ev *ingest.Event, now bool) bool {
	isTrue := func(p policySides) bool {
		for text := range texts(ev, p.of(now)) {
			if strings.EqualFold(strings.TrimSpace(text), "true") {
				return true
			}
		}
		return false
	}
	return slices.ContainsFunc(f.nested, isTrue) || slices.ContainsFunc(f.own, isTrue)
}
