package fields

import (
	"slices"
	"strings"

	"phiwatch/ingest"
	"phiwatch/ingest/document"
)

// policySides are a member of a policy before and after a change.
type policySides struct{ before, now *document.Path }

// ofPolicy makes the sides of the member at a path.
func ofPolicy(path string) policySides {
	side := func(name string) *document.Path {
		return document.MustCompile("modified.ConditionalAccessPolicy." + name + "." + path)
	}
	return policySides{side("old"), side("new")}
}

// of returns the path after the change, or before it.
func (p policySides) of(now bool) *document.Path {
	if now {
		return p.now
	}
	return p.before
}

// text returns a member's text, in lower case and without blanks around it.
func (p policySides) text(ev *ingest.Event, now bool) string {
	return LowerASCII(strings.TrimSpace(ev.Text(p.of(now))))
}

// The sections of a policy. Most changes are of something else, which one look tells.
var (
	ofConditions = ofPolicy("conditions")
	ofGrants     = ofPolicy("grantControls")
	ofSessions   = ofPolicy("sessionControls")
)

// same reports whether a section is told on both sides of a change, and alike.
func (p policySides) same(ev *ingest.Event) bool { return ev.Alike(p.now, p.before) }

// policyNow is the policy as a change left it, policyBefore as it was.
var (
	policyNow    = document.MustCompile("modified.ConditionalAccessPolicy.new")
	policyBefore = document.MustCompile("modified.ConditionalAccessPolicy.old")
)

// policyTold reports whether a record tells the policy as it is now. One whose value
// is missing, or was cut and so is no object, has neither weakened nor restored
// anything that is not there to read.
func policyTold(ev *ingest.Event) bool { return isObject(ev, policyNow) }

func isObject(ev *ingest.Event, p *document.Path) bool {
	return slices.ContainsFunc(ev.Find(p), func(v document.Value) bool { return v.Kind == document.Object })
}

// deletes reports whether an event deletes what it is about.
func deletes(ev *ingest.Event) bool { return strings.HasPrefix(ev.Op, "delete") }
