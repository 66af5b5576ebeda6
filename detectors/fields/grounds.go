package fields

import (
	"slices"
	"strings"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
	"phiwatch/ingest/document"
)

// A derived field is dear to compute of every event. So the index is over the
// fields of the record that it is derived from: a ground is something without
// which, or without another of a list, the field does not say a text. Events that
// have a ground are looked at in full.

// ground is a requirement of a field of the record.
type ground struct {
	field string
	kind  sigma.RequirementKind
	texts []string
}

func is(field string, texts ...string) ground { return ground{field, sigma.Exact, texts} }

func has(field, text string) ground { return ground{field, sigma.Substring, []string{text}} }

func there(field string) ground { return ground{field: field} }

// asked is what a rule requires of a derived field: one of some folded texts,
// or of texts that contain one.
type asked struct {
	kind  sigma.RequirementKind
	texts []string
}

// of is the same of another field.
func (w asked) of(field string) ground { return ground{field, w.kind, w.texts} }

// meets reports whether it would be met by a text that is said.
func (w asked) meets(text string) bool {
	for _, v := range say(nil, strings.ToLower(text)) {
		if slices.ContainsFunc(w.texts, func(t string) bool {
			return v.Text == t || w.kind == sigma.Substring && strings.Contains(v.Text, t)
		}) {
			return true
		}
	}
	return false
}

// meetsAny is meets of any of some texts.
func (w asked) meetsAny(texts ...string) bool { return slices.ContainsFunc(texts, w.meets) }

// exact reports whether whole texts are asked.
func (w asked) exact() bool { return w.kind == sigma.Exact }

// derivation is how a derived field may be looked for without computing it.
type derivation struct {
	says   []*document.Path // whose texts it repeats
	others []string         // further fields that grounds are of
	// further lists what else makes it say what is asked for; false: that cannot be
	// told.
	further func(w asked) ([]ground, bool)
}

const (
	saysAction   = "said.action"
	hasOutcome   = "event.outcome"
	hasErrorCode = "any.resultType | properties.status.errorCode"
)

func saidOf(p *document.Path) string { return "said." + p.String() }

// derivationsByName holds them; a field that is not in it is computed of every
// event if a rule can be filed under nothing else.
var derivationsByName = map[string]derivation{
	"audit-activity":    {says: []*document.Path{pathActivity}, others: []string{saysAction}, further: activityGrounds},
	"audit-message":     {says: []*document.Path{pathActivity, pathReason, pathReasonLA, pathReasonNew}, others: append(changeTexts, saysAction), further: messageGrounds},
	"audit-status":      {says: []*document.Path{pathResult, pathReason, pathReasonLA, pathReasonNew}},
	"audit-reason":      {says: []*document.Path{pathReason, pathReasonLA, pathReasonNew, pathExecution, pathExecuted}, further: exceptionGrounds},
	"audit-initiator":   {says: []*document.Path{pathByUPN, pathByUser, pathByUserID, pathByApp, pathByAppID}, further: upnGrounds(pathByUPN)},
	"audit-target":      {says: []*document.Path{pathTargetUPN, pathTargetName, pathTargetID}, further: upnGrounds(pathTargetUPN)},
	"audit-target-type": {says: []*document.Path{pathTargetType}, further: wordGrounds(map[string]string{"serviceprincipal": "Service Principal"}, pathTargetType)},
	"pim-alert": {others: []string{saysAction}, further: func(asked) ([]ground, bool) {
		return []ground{has(saysAction, "add member to role outside of pim"), has(saysAction, "triggered pim alert")}, true
	}},

	"signin-description": {says: []*document.Path{pathReasonLA, pathFailure, pathMoreDetails}, others: []string{hasOutcome, hasErrorCode}, further: errorGrounds},
	"signin-status":      {says: []*document.Path{pathFailure, pathMoreDetails, pathStepDetail}, others: []string{hasOutcome, pathStatus.String()}, further: statusGrounds},
	"signin-access":      {says: []*document.Path{pathAccess}, further: wordGrounds(accessWords, pathAccess)},
	"signin-client":      {says: []*document.Path{pathClientApp}, further: wordGrounds(clientWords, pathClientApp)},
	"signin-user":        {says: []*document.Path{pathSignInUPN, pathSignInUser, pathSignInUserID}, further: upnGrounds(pathSignInUPN)},
	"signin-report": {others: []string{saysAction}, further: func(w asked) ([]ground, bool) {
		return []ground{w.of(saysAction)}, !w.meets(signInReports)
	}},
	"signin-message": {says: []*document.Path{pathProtocol, pathReasonLA, pathFailure, pathMoreDetails}, others: []string{pathTransfer.String(), pathSignInAgent.String()}, further: protocolGrounds},

	"risk-type": {says: pathRiskType, further: cloudAppGrounds},

	"activity-category": {says: pathCategories, further: wordGrounds(olderCategories, pathCategories...)},
	"activity-provider": {says: pathProviders, others: []string{saysAction}, further: providerGrounds},
	"activity-status":   {says: pathActResults, others: []string{hasOutcome}, further: outcomeGrounds},
	"activity-title":    {says: []*document.Path{pathLocalized}, others: []string{saysAction}, further: operationGrounds(activityTitles)},
	"vault-permission":  {others: []string{saysAction}, further: operationGrounds(vaultOperations)},
	"m365-name":         {says: []*document.Path{pathAlertName}, others: []string{saysAction}, further: operationGrounds(nil)},
	"m365-status":       {says: []*document.Path{pathM365Result, pathM365Status}, others: []string{hasOutcome}, further: outcomeGrounds},
}

// activityGrounds: the activity's name, or a name that the guide has a wording for.
func activityGrounds(w asked) ([]ground, bool) {
	out := []ground{w.of(saysAction)}
	for _, x := range wordings {
		if w.meets(x.says) {
			out = append(out, has(saysAction, x.begins))
		}
	}
	return out, true
}

// messageGrounds: only updates tell of changed properties, and the guide's
// sentence begins with the activity.
func messageGrounds(w asked) ([]ground, bool) {
	out, _ := activityGrounds(w)
	for _, text := range w.texts {
		switch {
		case !w.exact():
			out = append(out, changeGrounds(text)...)
		case strings.HasPrefix(text, `"displayname":`):
			out = append(out, jsonGround(text))
		}
		for _, words := range []string{" success- property name ", " sucess- property name "} { //nolint:misspell // as rules have it
			for i := range text {
				if strings.HasPrefix(text[i:], words) {
					out = append(out, is(saysAction, text[:i]))
				}
			}
		}
	}
	return out, true
}

// changeGrounds: a text that a changed property's JSON contains stands in one of
// its three texts, unless it holds what is between them or what is escaped. Of a
// line break and the like, n, r or t is left.
func changeGrounds(text string) []ground {
	for _, between := range []string{"displayname", "oldvalue", "newvalue", "null"} {
		if strings.Contains(between, text) {
			return []ground{has(saysAction, "update ")}
		}
	}
	if strings.ContainsAny(text, `"\:,`) || len(text) < 2 {
		return []ground{has(saysAction, "update ")}
	}
	out := []ground{has(saysAction, "update application"), has(saysAction, "update service principal")} // the guide's sentence
	for _, path := range changeTexts {
		out = append(out, has(path, strings.TrimLeft(text, "nrt")))
	}
	return out
}

// jsonGround: the JSON of a changed property begins with its name.
func jsonGround(text string) ground {
	name, _, found := strings.Cut(strings.TrimPrefix(text, `"displayname":"`), `"`)
	if !found || name == "" || strings.Contains(name, `\`) {
		return has(saysAction, "update ")
	}
	return is(changeTexts[0], name)
}

var changeTexts = []string{pathChanges.String() + ".displayName", pathChanges.String() + ".oldValue", pathChanges.String() + ".newValue"}

// exceptionGrounds: the guide puts an s behind an exception's name.
func exceptionGrounds(w asked) ([]ground, bool) {
	var out []ground
	for _, text := range w.texts {
		if bare, plural := strings.CutSuffix(text, "s"); plural && w.exact() {
			for _, p := range []*document.Path{pathReason, pathReasonLA, pathReasonNew, pathExecution, pathExecuted} {
				out = append(out, is(saidOf(p), bare))
			}
		}
	}
	return out, w.exact()
}

// upnGrounds: "UPN" stands for any name at a path.
func upnGrounds(p *document.Path) func(asked) ([]ground, bool) {
	return func(w asked) ([]ground, bool) {
		if w.meets(byUPN) {
			return []ground{there(saidOf(p))}, true
		}
		return nil, true
	}
}

// wordGrounds: what is said for words that records have at some paths.
func wordGrounds(words map[string]string, list ...*document.Path) func(asked) ([]ground, bool) {
	return func(w asked) ([]ground, bool) {
		var out []ground
		for word, says := range words {
			if w.meets(says) {
				for _, p := range list {
					out = append(out, is(saidOf(p), strings.ToLower(word)))
				}
			}
		}
		return out, true
	}
}

func outcomeGrounds(w asked) ([]ground, bool) { return []ground{w.of(hasOutcome)}, true }

// errorGrounds: the outcome, and the texts that error codes are documented with.
func errorGrounds(w asked) ([]ground, bool) {
	out := []ground{w.of(hasOutcome)}
	for code, texts := range signInErrors {
		if w.meetsAny(texts...) {
			out = append(out, is(hasErrorCode, code))
		}
	}
	return out, true
}

func statusGrounds(w asked) ([]ground, bool) {
	return []ground{w.of(hasOutcome), w.of(pathStatus.String())}, true
}

func protocolGrounds(w asked) ([]ground, bool) {
	var out []ground
	if w.meets("Device Code") {
		out = append(out, is(saidOf(pathProtocol), "devicecode"), is(pathTransfer.String(), "devicecodeflow"))
	}
	if w.meets("ROPC") {
		out = append(out, has(pathSignInAgent.String(), "bav2ropc"))
	}
	return out, true
}

// cloudAppGrounds: types of Defender for Cloud Apps are also said without their prefix.
func cloudAppGrounds(w asked) ([]ground, bool) {
	var out []ground
	for _, text := range w.texts {
		for _, p := range pathRiskType {
			out = append(out, ground{saidOf(p), w.kind, []string{"mcas" + text}})
		}
	}
	return out, w.exact()
}

// providerGrounds: an operation's name begins with its provider.
func providerGrounds(w asked) ([]ground, bool) {
	return []ground{{saysAction, sigma.Substring, w.texts}}, true
}

// operationGrounds: an operation's name, or one that is known by other names.
func operationGrounds(others map[string][]string) func(asked) ([]ground, bool) {
	return func(w asked) ([]ground, bool) {
		out := []ground{w.of(saysAction)}
		for operation, texts := range others {
			if w.meetsAny(texts...) {
				out = append(out, is(saysAction, operation))
			}
		}
		return out, true
	}
}

// derivationOf returns the derivation of a field by its name.
func derivationOf(field string) (derivation, bool) {
	name, mapped := strings.CutPrefix(field, "mapped.")
	d, ok := derivationsByName[name]
	return d, ok && mapped
}

// addGrounds gives the fields that grounds are of their slots.
func addGrounds(fields *sigma.Fields) {
	for _, name := range fields.Names() {
		d, _ := derivationOf(name)
		for _, p := range d.says {
			fields.Slot(saidOf(p))
		}
		for _, field := range d.others {
			fields.Slot(field)
		}
	}
}

// instead returns the grounds of what is required of a derived field.
func (t *Table) instead(r sigma.Requirement) []sigma.Requirement {
	d, ok := derivationOf(t.list[r.Slot])
	if !ok || r.Kind == sigma.Present {
		return nil
	}
	var list []ground
	w := asked{r.Kind, r.Values}
	for _, p := range d.says {
		list = append(list, w.of(saidOf(p)))
	}
	if d.further != nil {
		further, known := d.further(w)
		if !known {
			return nil
		}
		list = append(list, further...)
	}
	out := make([]sigma.Requirement, len(list))
	for i, g := range list {
		out[i] = sigma.Requirement{Slot: t.slots.Slot(g.field), Kind: g.kind, Values: g.texts}
	}
	return out
}

// said is a field with the texts at a path as derived fields have them.
type said struct{ path *document.Path }

func newSaid(arg string, _ map[string][]string) (computed, error) {
	if "said."+arg == saysAction {
		return saidAction{}, nil
	}
	p, err := document.Compile(arg)
	return &said{p}, err
}

func (s *said) append(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	return sayAll(dst, ev, s.path)
}

// saidAction is the action in all spellings that derived fields have or go by.
type saidAction struct{}

func (saidAction) append(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	dst = say(dst, ev.Action)
	if len(ev.Op) != len(ev.Action) || !isASCII(ev.Action) {
		dst = say(dst, strings.ReplaceAll(ev.Action, "–", "-"))
		dst = append(dst, sigma.Value{Kind: sigma.String, Text: ev.Op})
	}
	return dst
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
