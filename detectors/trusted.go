package detectors

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"phiwatch/detectors/fields"
	"phiwatch/ingest"
	"phiwatch/ingest/document"
)

// TrustedOperators names the operator list of those whose changes are planned ones:
// automation, mostly. What they do is one step less severe, down to low. It is never
// hidden, since whoever steals their credential acts as they do.
const TrustedOperators = "trusted_operators"

// trusted is that list: object and application ids and sign-in names, in lower case.
// Nil: nobody.
type trusted map[string]bool

var guid = regexp.MustCompile(`(?i)^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

func newTrusted(list []string) (trusted, error) {
	t := trusted{}
	var errs []error
	for _, name := range list {
		if err := CheckOperator(name); err != nil {
			errs = append(errs, fmt.Errorf("list %s: %w", TrustedOperators, err))
		}
		t[fields.Lower(name)] = true
	}
	return t, errors.Join(errs...)
}

// CheckOperator refuses a value of [TrustedOperators] that anybody could call
// themselves.
func CheckOperator(name string) error {
	if guid.MatchString(name) || strings.Contains(name, "@") {
		return nil
	}
	return fmt.Errorf("%q may be anybody's display name; give the object id, the application id or the sign-in name", name)
}

// spare lowers what f says of a change that one of t made: also how severe it is at
// most while no stronger value is known.
func (t trusted) spare(f *Finding, ev *ingest.Event) {
	if f.State == Restored || !t.did(ev) {
		return
	}
	for _, s := range []*Severity{&f.Severity, &f.Lower} {
		if *s > Low {
			*s--
		}
	}
}

// did reports whether one of t caused ev. Nobody plans how they sign in, or whether
// they are at risk.
func (t trusted) did(ev *ingest.Event) bool {
	if len(t) == 0 || passive(ev.Kind) {
		return false
	}
	return t.has(ev.Actor.ID) || !chosen(ev) && t.has(ev.Actor.Name) || t.has(application(ev))
}

// application returns the application id of an actor that the event names by the
// object id of its service principal, if it has both. A person acts through an
// application, too, which plans nothing; Azure's records may call a person the group
// that has the role.
func application(ev *ingest.Event) string {
	if ev.Actor.Type == "User" || strings.Contains(ev.Actor.Name, "@") {
		return ""
	}
	switch ev.Kind {
	case ingest.EntraAudit:
		return ev.Doc.Text(auditAppID)
	case ingest.AzureActivity:
		return ev.Doc.Text(activityAppID)
	}
	return ""
}

var (
	auditAppID    = document.MustCompile("properties.initiatedBy.app.appId")
	activityAppID = document.MustCompile("identity.claims.appid")
)

// chosen reports whether the actor's name is one that its owner chose: of
// applications, Entra ID and Intune tell the display name.
func chosen(ev *ingest.Event) bool {
	return (ev.Kind == ingest.EntraAudit || ev.Kind == ingest.Intune) && ev.Actor.Type != "User"
}

func (t trusted) has(actor string) bool {
	var room [64]byte
	low := fields.AppendLower(room[:0], actor)
	return t[string(low)] || t[string(bytes.TrimPrefix(low, servicePrincipal))]
}

// servicePrincipal is what the unified audit log puts before an application's id.
var servicePrincipal = []byte("serviceprincipal_")

// passive reports whether events of a kind tell what befalls somebody.
func passive(k ingest.Kind) bool {
	return k >= ingest.EntraSignIn && k <= ingest.EntraRisk
}

// HeedsOperators reports whether findings of the rule are less severe where one of
// [TrustedOperators] is behind them.
func (r *Rule) HeedsOperators() bool {
	if r.trusted == nil {
		return false
	}
	for _, k := range r.Kinds() {
		if !passive(k) {
			return true
		}
	}
	return false
}
