package fields

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"phiwatch/ingest"
	"phiwatch/ingest/document"
)

// Since April 2026 a change of an authentication method is told by the properties that changed and no others
// (learn.microsoft.com/entra/fundamentals/whats-new); what concerns all methods may still come with the whole policy. How
// the properties are called no published record shows. So the names of target, property and members in its value are
// read as one path, whichever of them names the method and the switch: "Fido2.state", Fido2 {"state": …}, {"id": "Fido2", …}.

// toldMethods is what such a record tells: values by path, both in lower case.
type toldMethods struct{ before, now map[string]string }

var (
	methodsBefore  = document.MustCompile("modified.AuthenticationMethodsPolicy.old.authenticationMethodConfigurations.id")
	methodsNow     = document.MustCompile("modified.AuthenticationMethodsPolicy.new.authenticationMethodConfigurations.id")
	methodsTargets = document.MustCompile("properties.targetResources")
)

type toldTarget struct {
	DisplayName        string
	ModifiedProperties []struct {
		DisplayName        string
		OldValue, NewValue any
	}
}

// methodsTold returns nil for a record in the layout of Graph's resource.
func methodsTold(ev *ingest.Event) *toldMethods {
	if ev.Doc.Text(methodsBefore) != "" && ev.Doc.Text(methodsNow) != "" {
		return nil
	}
	t := &toldMethods{map[string]string{}, map[string]string{}}
	for _, v := range ev.Doc.Values(methodsTargets, nil) {
		text := v.Text
		if !strings.HasPrefix(text, "[") { // rows of Log Analytics have the list as a text
			text = "[" + text + "]"
		}
		var targets []toldTarget
		if json.Unmarshal([]byte(text), &targets) != nil {
			continue
		}
		for _, target := range targets {
			for _, p := range target.ModifiedProperties {
				at := named(named("", target.DisplayName), p.DisplayName)
				tell(t.before, at, p.OldValue, 0)
				tell(t.now, at, p.NewValue, 0)
			}
		}
	}
	return t
}

// tell adds a value with all of its members.
func tell(to map[string]string, at string, v any, depth int) {
	const deepest = 12
	if depth > deepest {
		return
	}
	switch v := v.(type) {
	case string:
		var inner any
		if text := strings.TrimSpace(v); text != "" && strings.ContainsRune(`{["`, rune(text[0])) && json.Unmarshal([]byte(text), &inner) == nil {
			tell(to, at, inner, depth+1)
			return
		}
		tellOne(to, at, strings.ToLower(strings.TrimSpace(v)))
	case bool:
		tellOne(to, at, strconv.FormatBool(v))
	case float64:
		tellOne(to, at, strconv.FormatFloat(v, 'f', -1, 64))
	case []any:
		for _, e := range v {
			tell(to, at, e, depth+1)
		}
	case map[string]any:
		for _, name := range []string{"id", "@odata.type"} { // what it is of
			if of, ok := v[name].(string); ok {
				at = named(at, of)
				break
			}
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if name != "id" && name != "@odata.type" {
				tell(to, named(at, name), v[name], depth+1)
			}
		}
	}
}

// tellOne adds a value to those at a path, as long as they are few.
func tellOne(to map[string]string, at, text string) {
	const enough = 4 << 10
	if len(to[at]) < enough {
		to[at] += text
	}
}

// named appends the parts of a name to a path, each with a dot before it. Blanks are no part of names.
func named(at, name string) string {
	name = strings.ReplaceAll(strings.ToLower(name), " ", "")
	for part := range strings.FieldsFuncSeq(name, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') }) {
		at += "." + part
	}
	return at
}

// below returns what a path says of a method, and whether it is about it: the rest of the part that begins with the
// method's name, as in Fido2AuthenticationMethodConfiguration, is left out.
func below(path, method string) (string, bool) {
	_, rest, ok := strings.Cut(path, "."+strings.ToLower(method))
	_, rest, _ = strings.Cut(rest, ".")
	return rest, ok
}

// stands reports whether a path is that of the switch. A method's state may have no name, as in Fido2: disabled.
func (s *methodSwitch) stands(path string) bool {
	at, ok := below(path, s.method)
	switch feature, state := strings.CutSuffix(s.at, ".state"); {
	case !ok:
		return false
	case s.at == "state":
		return at == "" || at == "state" || strings.HasSuffix(at, ".state") && !strings.HasSuffix(at, "state.state")
	case state:
		_, feature, _ = strings.Cut(feature, ".")
		return strings.HasSuffix(strings.TrimSuffix(at, ".state"), feature)
	}
	return strings.HasSuffix("."+at, "."+s.at) || s.at == attestation && strings.HasSuffix(at, "attestationenforcement") // of a profile
}

// attestation is where that of passkeys stands; profiles of them, of which some users have another, have their own.
const attestation = "isattestationenforced"

// told returns the values of the switch before and after: those that differ, where a method has it several times.
func (s *methodSwitch) told(t *toldMethods) (before, now string) {
	for _, path := range slices.Sorted(maps.Keys(t.now)) {
		if !s.stands(path) {
			continue
		}
		if was, is := t.before[path], t.now[path]; now == "" || was != is {
			before, now = was, is
			if was != is {
				break
			}
		}
	}
	return before, now
}

// otherMethods are those of which a change is neither a loss nor a gain.
var otherMethods = []string{"HardwareOath", "SoftwareOath", "TemporaryAccessPass", "VerifiableCredentials", "X509Certificate"}

// understood reports whether a record tells what it changes in words that are known. Of a method that has switches, any
// other thing that is on or off may be one by another name.
func (t *toldMethods) understood() bool {
	changed := false
	for path := range t.now {
		t.before[path] += "" // each has both sides
	}
	for path, was := range t.before {
		if is := t.now[path]; was != is && !strings.HasSuffix(path, "modifieddatetime") && !strings.Contains(path, ".includedupdatedproperties") {
			changed = true
			if !t.knows(path, was, is) {
				return false
			}
		}
	}
	return changed
}

func (t *toldMethods) knows(path, was, is string) bool {
	for _, name := range otherMethods {
		if _, ok := below(path, name); ok {
			return true
		}
	}
	for i := range methodTable {
		at, ok := below(path, methodTable[i].id)
		if !ok {
			continue
		}
		for k := range methodTable[i].switches {
			if s := &methodTable[i].switches[k]; s.stands(path) {
				_, before := s.read(was)
				_, now := s.read(is)
				return before && now
			}
		}
		return strings.Contains(at, "targets.") || !isSwitched(was) && !isSwitched(is)
	}
	return false
}

func isSwitched(text string) bool {
	return slices.Contains([]string{"enabled", "disabled", "default", "true", "false", "0", "1", "2"}, text)
}

// Numbers stand for the words of Graph's enumerations, as in records of whole policies that people have written about.
var (
	methodStates  = []string{"enabled", "disabled"}
	featureStates = []string{"default", "enabled", "disabled"}
)

// read reads a switch. What Microsoft manages ("default") is known of number matching only, which it has switched on
// for everybody.
func (s *methodSwitch) read(text string) (on, known bool) {
	words := featureStates
	switch {
	case s.at == "state":
		words = methodStates
	case !strings.HasSuffix(s.at, ".state"):
		words = nil
	}
	if n, err := strconv.Atoi(text); err == nil && n >= 0 && n < len(words) {
		text = words[n]
	}
	switch strings.ToLower(text) {
	case "enabled", "true", "registrationonly":
		return true, true
	case "disabled", "false":
		return false, true
	case "default":
		known = strings.HasSuffix(s.name, ": number matching")
	}
	return known, known
}
