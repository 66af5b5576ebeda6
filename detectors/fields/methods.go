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
// one that is enabled. Its values are the methods that changed in that way.
type methods struct{ weakened bool }

func newMethods(arg string, _ map[string][]string) (computed, error) {
	if arg != "weakened" && arg != "strengthened" {
		return nil, fmt.Errorf("%q: write methods.weakened or methods.strengthened", arg)
	}
	return &methods{arg == "weakened"}, nil
}

// method is an authentication method and its switches.
type method struct {
	id       string
	weak     bool                // the less it is on, the better
	switches [][2]*document.Path // before, after
}

var methodTable = []method{
	newMethod("Email", true, "state"),
	newMethod("Fido2", false, "state", "isAttestationEnforced", "keyRestrictions.isEnforced"),
	newMethod("MicrosoftAuthenticator", false, "state", "featureSettings.numberMatchingRequiredState.state",
		"featureSettings.displayAppInformationRequiredState.state", "featureSettings.displayLocationInformationRequiredState.state"),
	newMethod("Sms", true, "state"),
	newMethod("Voice", true, "state"),
}

func newMethod(id string, weak bool, switches ...string) method {
	m := method{id: id, weak: weak}
	for _, s := range switches {
		path := func(side string) *document.Path {
			return document.MustCompile("modified.AuthenticationMethodsPolicy." + side + ".authenticationMethodConfigurations[id=" + id + "]." + s)
		}
		m.switches = append(m.switches, [2]*document.Path{path("old"), path("new")})
	}
	return m
}

func (c *methods) append(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	for i := range methodTable {
		m := &methodTable[i]
		var weaker, stronger bool
		for _, s := range m.switches {
			was, known := switched(ev, s[0])
			is, both := switched(ev, s[1])
			if known && both && was != is {
				weaker = weaker || is == m.weak
				stronger = stronger || is != m.weak
			}
		}
		if c.weakened && weaker || !c.weakened && stronger && !weaker {
			dst = append(dst, sigma.Value{Kind: sigma.String, Text: m.id})
		}
	}
	return dst
}

// switched reads a setting that is on or off.
func switched(ev *ingest.Event, p *document.Path) (on, known bool) {
	switch strings.ToLower(ev.Doc.Text(p)) {
	case "enabled", "true":
		return true, true
	case "disabled", "false":
		return false, true
	}
	return false, false
}
