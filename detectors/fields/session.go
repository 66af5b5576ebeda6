package fields

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
	"phiwatch/ingest/document"
)

// sessions compares how a Conditional Access policy limits sessions, before and
// after a change:
//
//	session.lost   the controls that are off now
//	session.back   those that are on again
//	session.held   those that are on, changed or not
//
// A control that is on and says the contrary is off: a browser that always keeps
// people signed in. One that says less has lost a part, which is named, too: a proxy
// that only monitors, and a sign-in frequency that was within an hour, eight hours, a
// day, a week or a month and is not, so what only shifts between these is no loss.
type sessions struct{ back, held bool }

var (
	signInFrequency   = control("signInFrequency")
	frequencyInterval = ofPolicy("sessionControls.signInFrequency.frequencyInterval")
	frequencyUnit     = ofPolicy("sessionControls.signInFrequency.type")
	frequencyValue    = ofPolicy("sessionControls.signInFrequency.value")
	persistentBrowser = control("persistentBrowser")
	browserMode       = ofPolicy("sessionControls.persistentBrowser.mode")
	cloudAppSecurity  = control("cloudAppSecurity")
	cloudAppKind      = ofPolicy("sessionControls.cloudAppSecurity.cloudAppSecurityType")
	appRestrictions   = control("applicationEnforcedRestrictions")
	tokenProtection   = control("secureSignInSession")
	accessEvaluation  = ofPolicy("sessionControls.continuousAccessEvaluation.mode")
)

func control(name string) policySides { return ofPolicy("sessionControls." + name + ".isEnabled") }

func newSessions(arg string, _ map[string][]string) (computed, error) {
	switch arg {
	case "lost", "back", "held":
		return &sessions{arg != "lost", arg == "held"}, nil
	}
	return nil, fmt.Errorf("%q: write session.lost, session.back or session.held", arg)
}

func (c *sessions) inputs() []*document.Path {
	out := []*document.Path{policyNow, ofSessions.before, ofSessions.now}
	for _, p := range []policySides{
		signInFrequency, frequencyInterval, frequencyUnit, frequencyValue, persistentBrowser, browserMode,
		cloudAppSecurity, cloudAppKind, appRestrictions, tokenProtection, accessEvaluation,
	} {
		out = append(out, p.before, p.now)
	}
	return out
}

func (c *sessions) append(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	if !c.held && unchanged(ev, ofSessions.before, ofSessions.now) || !policyTold(ev) {
		return dst
	}
	before, now := sessionOf(ev, false), sessionOf(ev, true)
	if !c.held && !bothTold(ev) {
		before, now = slices.DeleteFunc(before, isFrequency), slices.DeleteFunc(now, isFrequency)
	}
	if c.back {
		before, now = now, before
	}
	for _, v := range before {
		if c.held && v != evaluated || !slices.Contains(now, v) {
			dst = append(dst, sigma.Value{Kind: sigma.String, Text: v})
		}
	}
	return dst
}

// frequencies are those by whose loss a sign-in frequency is told to be less, in hours.
var frequencies = []struct {
	hours int
	name  string
}{
	{0, "signInFrequency every time"}, {1, "signInFrequency 1h"}, {8, "signInFrequency 8h"},
	{24, "signInFrequency 1d"}, {7 * 24, "signInFrequency 7d"}, {30 * 24, "signInFrequency 30d"},
}

func isFrequency(v string) bool { return strings.HasPrefix(v, "signInFrequency ") }

// bothTold reports whether a sign-in frequency is told on both sides of a change, or
// not in force on one.
func bothTold(ev *ingest.Event) bool {
	_, had := frequencyOf(ev, false)
	_, has := frequencyOf(ev, true)
	return had && has || !on(ev, signInFrequency, false) || !on(ev, signInFrequency, true)
}

// evaluated is what every session is unless a policy says otherwise.
const evaluated = "continuousAccessEvaluation"

// sessionOf returns the limits that hold on one side of a change.
func sessionOf(ev *ingest.Event, now bool) (out []string) {
	if on(ev, signInFrequency, now) {
		out = append(out, "signInFrequency")
		hours, known := frequencyOf(ev, now)
		for _, f := range frequencies {
			if known && hours <= f.hours {
				out = append(out, f.name)
			}
		}
	}
	if on(ev, persistentBrowser, now) && browserMode.text(ev, now) != "always" {
		out = append(out, "persistentBrowser")
	}
	if on(ev, cloudAppSecurity, now) {
		out = append(out, "cloudAppSecurity")
		if cloudAppKind.text(ev, now) != "monitoronly" {
			out = append(out, "cloudAppSecurity more than monitoring")
		}
	}
	if on(ev, appRestrictions, now) {
		out = append(out, "applicationEnforcedRestrictions")
	}
	if on(ev, tokenProtection, now) {
		out = append(out, "secureSignInSession")
	}
	out = append(out, otherControls(ev, now)...)
	switch accessEvaluation.text(ev, now) {
	case "disabled":
	case "", "unknownfuturevalue":
		out = append(out, evaluated)
	default:
		out = append(out, evaluated, evaluated+" strict")
	}
	return out
}

// on reports whether a control is: a value that is missing or null is off.
func on(ev *ingest.Event, p policySides, now bool) bool { return p.text(ev, now) == "true" }

// frequencyOf returns after how many hours people must sign in again.
func frequencyOf(ev *ingest.Event, now bool) (hours int, known bool) {
	if frequencyInterval.text(ev, now) == "everytime" {
		return 0, true
	}
	n, err := strconv.Atoi(frequencyValue.text(ev, now))
	switch frequencyUnit.text(ev, now) {
	case "hours":
		return n, err == nil
	case "days":
		return n * 24, err == nil
	}
	return 0, false
}
