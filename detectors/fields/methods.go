package fields

import (
	"fmt"
	"strings"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
	"phiwatch/ingest/document"
)

// methods compares the two sides of a change of the authentication methods
// policy, in the layout of Graph's resource: configurations with id and state.
// A strong method that is disabled, or asks for less, is weaker; so is a weak
// one that is enabled.
//
//	methods.weakened      the methods that are weaker
//	methods.strengthened  those that are stronger, and weaker in nothing
//	methods.lost          "METHOD: SWITCH", what made them weaker
//	methods.back          likewise, what is strong after the change
//	methods.understood    true if nothing else may have changed: in Graph's layout, or one that tells little more; see toldMethods
type methods struct{ of string }

func newMethods(arg string, _ map[string][]string) (computed, error) {
	switch arg {
	case "weakened", "strengthened", "lost", "back", "understood":
		return &methods{arg}, nil
	}
	return nil, fmt.Errorf("%q: write methods.weakened, methods.strengthened, methods.lost, methods.back or methods.understood", arg)
}

// method is an authentication method and its switches.
type method struct {
	id       string
	weak     bool // the less it is on, the better
	switches []methodSwitch
}

type methodSwitch struct {
	name        string // METHOD: SWITCH
	method, at  string // at is its path in the method's configuration, in lower case
	before, now *document.Path
}

var methodTable = []method{
	newMethod("Email", true),
	newMethod("Fido2", false, "attestation", "isAttestationEnforced", "key restrictions", "keyRestrictions.isEnforced"),
	newMethod("MicrosoftAuthenticator", false, "number matching", "featureSettings.numberMatchingRequiredState.state",
		"app name", "featureSettings.displayAppInformationRequiredState.state", "location", "featureSettings.displayLocationInformationRequiredState.state"),
	newMethod("QRCodePin", true),
	newMethod("Sms", true),
	newMethod("Voice", true),
}

// newMethod makes a method of its state and of further switches, each a name and
// a path.
func newMethod(id string, weak bool, more ...string) method {
	m := method{id: id, weak: weak}
	all := append([]string{"state", "state"}, more...)
	for i := 0; i < len(all); i += 2 {
		path := func(side string) *document.Path {
			return document.MustCompile("modified.AuthenticationMethodsPolicy." + side + ".authenticationMethodConfigurations[id=" + id + "]." + all[i+1])
		}
		m.switches = append(m.switches, methodSwitch{id + ": " + all[i], id, strings.ToLower(all[i+1]), path("old"), path("new")})
	}
	return m
}

func (c *methods) append(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	told := methodsTold(ev)
	if c.of == "understood" {
		if told == nil || told.understood() {
			dst = append(dst, sigma.Value{Kind: sigma.True, Text: "true"})
		}
		return dst
	}
	for i := range methodTable {
		m := &methodTable[i]
		var weaker, stronger bool
		for k := range m.switches {
			s := &m.switches[k]
			before, now := ev.Doc.Text(s.before), ev.Doc.Text(s.now)
			if told != nil {
				before, now = s.told(told)
			}
			was, known := s.read(before)
			is, both := s.read(now)
			changed := known && both && was != is
			weaker = weaker || changed && is == m.weak
			stronger = stronger || changed && is != m.weak
			if c.of == "lost" && changed && is == m.weak || c.of == "back" && both && is != m.weak {
				dst = append(dst, sigma.Value{Kind: sigma.String, Text: s.name})
			}
		}
		if c.of == "weakened" && weaker || c.of == "strengthened" && stronger && !weaker {
			dst = append(dst, sigma.Value{Kind: sigma.String, Text: m.id})
		}
	}
	return dst
}
