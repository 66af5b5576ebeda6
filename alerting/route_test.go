package alerting

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"phiwatch/detectors"
)

func parseRoute(t testing.TB, text string) *Route {
	t.Helper()
	var r Route
	if err := yaml.Unmarshal([]byte(text), &r); err != nil {
		t.Fatal(err)
	}
	return &r
}

func validRoute(t testing.TB, text string) *Route {
	t.Helper()
	r := parseRoute(t, text)
	if err := r.Validate([]string{"chat", "pager", "siem"}); err != nil {
		t.Fatal(err)
	}
	return r
}

const routes = `
receiver: chat
group_wait: 30s
routes:
- matchers: ['severity=~"high|critical"']
  receiver: pager
  group_by: [tenant, entry, subject]
  group_wait: 0s
  continue: true
  routes:
  - matchers: [entry = emergency-signin]
    receiver: siem
- matchers: ['group="integrity"', tenant!~"test-.*"]
  receiver: siem
  group_interval: 5m
- matchers: [subject!=""]
- matchers: [safeguard="TLS"]
  receiver: none
`

func TestRoutesAreTakenAsInAlertmanager(t *testing.T) {
	r := validRoute(t, routes)
	for _, tt := range []struct{ labels, want string }{
		{"severity=low", "chat"},
		{"severity=high", "pager"},
		{"severity=critical subject=x", "pager chat"},
		{"severity=highest", "chat"},
		{"severity=high entry=emergency-signin", "siem"},
		{"severity=high group=integrity", "pager siem"},
		{"severity=low group=integrity tenant=test-1", "chat"},
		{"severity=low group=integrity tenant=a-test-1", "siem"},
		{"safeguard=TLS", "none"},
		{"safeguard=CA,TLS", "none"},
		{"safeguard=CA,MFA", "chat"},
	} {
		labels := map[string][]string{}
		for s := range strings.FieldsSeq(tt.labels) {
			k, v, _ := strings.Cut(s, "=")
			labels[k] = strings.Split(v, ",")
		}
		var got []string
		for _, r := range r.match(labels) {
			got = append(got, r.Receiver)
		}
		if got := strings.Join(got, " "); got != tt.want {
			t.Errorf("%s goes to %s, want %s", tt.labels, got, tt.want)
		}
	}
}

func TestMatcherOnALabelWithSeveralValues(t *testing.T) {
	ca := (&change{after: Violation{Safeguard: "CA", Safeguards: []string{"CA", "CA-APPS"}, Severity: "info"}}).matched()
	none := (&change{after: Violation{Severity: "low"}}).matched()
	for _, tt := range []struct {
		matcher    string
		ca, absent bool
	}{
		{"safeguard=CA-APPS", true, false},
		{"safeguard=CA", true, false},
		{"safeguard=MFA", false, false},
		{"safeguard!=CA-APPS", false, true},
		{"safeguard!=MFA", true, true},
		{`safeguard=~"CA-.*"`, true, false},
		{`safeguard!~"CA-.*"`, false, true},
		{`safeguard!~"M.*"`, true, true},
		{`safeguard=""`, false, true},
		{"severity=info", true, false},
		{"severity=informational", true, false},
		{"severity!=informational", false, true},
		{`severity=~"informational|high"`, true, false},
		{`severity!~"info"`, false, true},
	} {
		m, err := parseMatcher(tt.matcher)
		if err != nil {
			t.Fatal(err)
		}
		if got := m.holds(ca[m.label]); got != tt.ca {
			t.Errorf("%s holds for CA and CA-APPS, info: %v", tt.matcher, got)
		}
		if got := m.holds(none[m.label]); got != tt.absent {
			t.Errorf("%s holds for no safeguard, low: %v", tt.matcher, got)
		}
	}
}

func TestViolationOfSeveralSafeguardsIsInOneGroup(t *testing.T) {
	l := newLedger(t, sqlite(t).open(t), Options{Route: validRoute(t,
		"{receiver: chat, routes: [{receiver: pager, matchers: [safeguard=MFA], group_by: [safeguard]}]}")})
	apply(t, l, weak("p", "e1", h), finding(labelDeleted, detectors.Weakened, "l", "e2", h))
	checkOwed(t, l, fmt.Sprintf(`chat {"entry":"label-deleted","tenant":"%s"} generation 1 wanted 1`, tenant),
		`pager {"safeguard":"CA"} generation 1 wanted 1`)
}

func TestRoutesInherit(t *testing.T) {
	var got []string
	validRoute(t, routes).all(func(r *Route) {
		got = append(got, fmt.Sprintf("%s %v %v %s", r.Receiver, r.wait, r.interval, strings.Join(r.GroupBy, "+")))
	})
	want := []string{
		"chat 30s 0s tenant+entry",
		"pager 0s 0s tenant+entry+subject",
		"siem 0s 0s tenant+entry+subject",
		"siem 30s 5m0s tenant+entry",
		"chat 30s 0s tenant+entry",
		"none 30s 0s tenant+entry",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("routes (-want +got):\n%s", diff)
	}
}

func TestRouteIdentitySurvivesMovingAndRespelling(t *testing.T) {
	ids := func(text string) []string {
		var out []string
		validRoute(t, text).all(func(r *Route) { out = append(out, r.id) })
		slices.Sort(out)
		return out
	}
	a := ids("{receiver: chat, routes: [{matchers: ['severity=\"high\"', 'entry=\"x\"'], receiver: pager}, {matchers: ['severity=info']}]}")
	b := ids("{receiver: chat, routes: [{matchers: ['severity=\"informational\"']}, {matchers: ['entry = x', 'severity=high'], receiver: pager}]}")
	if diff := cmp.Diff(a, b); diff != "" {
		t.Errorf("identities (-a +b):\n%s", diff)
	}
	if len(slices.Compact(a)) != 3 {
		t.Errorf("identities are not distinct: %q", a)
	}
}

func TestRouteFaultsNameTheKeyAndTheRemedy(t *testing.T) {
	for _, tt := range []struct{ route, path, want string }{
		{"{}", "receiver", "needs a receiver: one of chat, pager, siem, none"},
		{"{receiver: chat, matchers: [entry=x]}", "matchers", "move the matchers"},
		{"{receiver: chat, continue: true}", "continue", "remove it"},
		{"{receiver: slack}", "receiver", `receiver "slack" is not defined: use one of chat, pager, siem, none`},
		{"{receiver: chat, group_by: [tenant, policy]}", "group_by[1]", `unknown label "policy": use one of entry, group, safeguard, severity, subject, tenant`},
		{"{receiver: chat, routes: [{}, {matchers: [entry=a, sevrity=high]}]}", "routes[1].matchers[1]", `matcher "sevrity=high": unknown label "sevrity": use one of`},
		{"{receiver: chat, routes: [{routes: [{matchers: [severity]}]}]}", "routes[0].routes[0].matchers[0]", "has no operator: write label"},
		{"{receiver: chat, routes: [{matchers: ['entry>3']}]}", "routes[0].matchers[0]", "has no operator"},
		{"{receiver: chat, routes: [{matchers: ['entry!3']}]}", "routes[0].matchers[0]", "has no operator"},
		{"{receiver: chat, routes: [{matchers: ['entry=\"x']}]}", "routes[0].matchers[0]", "is not a quoted string"},
		{"{receiver: chat, routes: [{matchers: ['entry=~\"(x\"']}]}", "routes[0].matchers[0]", "missing closing )"},
		{"{receiver: chat, routes: [{matchers: ['severity=hgih']}]}", "routes[0].matchers[0]", `"hgih" is no severity: use info, low, medium, high, critical`},
		{"{receiver: chat, routes: [{matchers: ['severity=~\"urgent|worse\"']}]}", "routes[0].matchers[0]", "is no severity"},
		{"{receiver: chat, routes: [{matchers: ['severity!=hgih']}]}", "routes[0].matchers[0]", "is no severity"},
		{"{receiver: chat, routes: [{matchers: ['group=auth']}]}", "routes[0].matchers[0]", "is no group: use integrity, authentication"},
		{"{receiver: chat, group_wait: 30ns}", "group_wait", "write a number and a unit"},
		{"{receiver: chat, routes: [{group_interval: 48h}]}", "routes[0].group_interval", "is not between 1ms and 24h"},
		{"{receiver: chat, routes: [null]}", "routes[0]", "the route is empty"},
	} {
		err := parseRoute(t, tt.route).Validate([]string{"chat", "pager", "siem"})
		var fault *RouteError
		if !errors.As(err, &fault) || fault.Path != tt.path || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v\nwant %s: …%s…", tt.route, err, tt.path, tt.want)
		}
	}
}

func TestEveryRouteFaultIsReported(t *testing.T) {
	err := parseRoute(t, "{receiver: x, group_by: [a, b], routes: [{matchers: [c=d]}]}").Validate(nil)
	if n := len(strings.Split(err.Error(), "\n")); n != 4 {
		t.Errorf("%d faults, want 4:\n%v", n, err)
	}
}

func TestRoutesMustBeValidated(t *testing.T) {
	if err := new(Ledger).SetRoute(&Route{Receiver: "chat"}); err == nil {
		t.Error("routes that were never validated were taken")
	}
}

func FuzzParseMatcher(f *testing.F) {
	for _, s := range []string{`severity=~"high|critical"`, `entry!="a\"b"`, "tenant!~x", "subject=", "=", `group="`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, err := parseMatcher(s)
		if err != nil {
			return
		}
		again, err := parseMatcher(m.String())
		if err != nil {
			t.Fatalf("%q reads as %s, which is an error: %v", s, m, err)
		}
		if again.String() != m.String() || again.holds([]string{"x"}) != m.holds([]string{"x"}) {
			t.Fatalf("%q reads as %s, and that as %s", s, m, again)
		}
	})
}
