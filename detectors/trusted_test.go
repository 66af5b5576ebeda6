package detectors

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/prometheus/client_golang/prometheus"

	"phiwatch/detectors/rules"
	"phiwatch/ingest"
)

func TestWhatTrustedOperatorsDoIsLessSevere(t *testing.T) {
	const (
		audit    = `"operationName":"MFA off","category":"AuditLogs","tenantId":"t1"`
		byApp    = `"initiatedBy":{"app":{"displayName":"Deploy","servicePrincipalId":"EEEEEEEE-0000-4000-8000-000000000005"}}`
		posing   = `"initiatedBy":{"app":{"displayName":"deploy@example.org","servicePrincipalId":"ffffffff-0000-4000-8000-000000000006"}}`
		byBoth   = `"initiatedBy":{"app":{"displayName":"Deploy","appId":"AAAAAAAA-0000-4000-8000-000000000007","servicePrincipalId":"eeeeeeee-0000-4000-8000-000000000005"}}`
		byPerson = `"initiatedBy":{"user":{"id":"p1","userPrincipalName":"Deploy@example.org"}}`
	)
	for _, test := range []struct {
		name, by string
		list     []string
		pinned   bool
		unknown  string
		want     string
	}{
		{name: "nobody is trusted", by: byApp, want: "weakened critical"},
		{name: "object id, in any case", by: byApp, list: []string{"eeeeeeee-0000-4000-8000-000000000005"}, want: "weakened high"},
		{name: "application id", by: byBoth, list: []string{"aaaaaaaa-0000-4000-8000-000000000007"}, want: "weakened high"},
		{name: "nothing stronger is known", by: byApp, list: []string{"eeeeeeee-0000-4000-8000-000000000005"}, unknown: "medium", want: "weakened high, at most low"},
		{name: "nothing stronger is known, and it is low", by: byApp, list: []string{"eeeeeeee-0000-4000-8000-000000000005"}, unknown: "low", want: "weakened high, at most low"},
		{name: "sign-in name", by: byPerson, list: []string{"deploy@EXAMPLE.org"}, want: "weakened high"},
		{name: "an application that calls itself so", by: posing, list: []string{"deploy@example.org"}, want: "weakened critical"},
		{name: "somebody else", by: byPerson, list: []string{"eeeeeeee-0000-4000-8000-000000000005"}, want: "weakened critical"},
		{name: "a level that is pinned", by: byApp, list: []string{"eeeeeeee-0000-4000-8000-000000000005"}, pinned: true, want: "weakened critical"},
	} {
		t.Run(test.name, func(t *testing.T) {
			unknown := ""
			if test.unknown != "" {
				unknown = "  unknown: " + test.unknown + "\n"
			}
			rule := strings.Replace(packRule("mfa-off", "MFA off", "MFA", "attack.t1556"), "  unknown: low\n", unknown, 1)
			set, err := Load(map[string][]string{TrustedOperators: test.list}, Source{FS: fstest.MapFS{"authentication/mfa-off.yml": {Data: []byte(rule)}}})
			if err != nil {
				t.Fatal(err)
			}
			if test.pinned {
				if err := set.Tune(Pack{Severity: map[string]string{"all": "critical"}}); err != nil {
					t.Fatal(err)
				}
			}
			e, err := New(set, NewMetrics(prometheus.NewRegistry()))
			if err != nil {
				t.Fatal(err)
			}
			record := `{` + audit + `,"time":"2026-09-14T08:00:00Z","properties":{"id":"r1","result":"success",` + test.by + `,"targetResources":[{"id":"x"}]}}`
			var got []string
			decodeAll(t, []byte(record), func(ev *ingest.Event) {
				for _, m := range e.Match(ev, nil) {
					told := string(m.Finding.State) + " " + m.Finding.Severity.String()
					if m.Finding.Unsure {
						told += ", at most " + m.Finding.Lower.String()
					}
					got = append(got, told)
				}
			})
			if len(got) != 1 || got[0] != test.want {
				t.Errorf("got %v, want %s", got, test.want)
			}
		})
	}
}

func TestTrustedApplicationsActForThemselves(t *testing.T) {
	const app = "aaaaaaaa-0000-4000-8000-000000000007"
	who := trusted{app: true}
	for name, test := range map[string]struct {
		identity string
		want     bool
	}{
		"an application":                        {`"claims":{"appid":"AAAAAAAA-0000-4000-8000-000000000007","http://schemas.microsoft.com/identity/claims/objectidentifier":"p5"},"authorization":{"evidence":{"principalType":"ServicePrincipal"}}`, true},
		"one whose role is a group's":           {`"claims":{"appid":"` + app + `","http://schemas.microsoft.com/identity/claims/objectidentifier":"p5"},"authorization":{"evidence":{"principalType":"Group"}}`, true},
		"a person through it":                   {`"claims":{"appid":"` + app + `","http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn":"ann@example.org"},"authorization":{"evidence":{"principalType":"User"}}`, false},
		"a person whose role is a group's":      {`"claims":{"appid":"` + app + `","http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn":"ann@example.org"},"authorization":{"evidence":{"principalType":"Group"}}`, false},
		"another application, called like that": {`"claims":{"appid":"bbbbbbbb-0000-4000-8000-000000000008","name":"` + app + `"}`, false},
	} {
		record := `{"time":"2026-09-14T08:00:00Z","category":"Administrative","operationName":"MICROSOFT.KEYVAULT/VAULTS/WRITE","resultType":"Success","resourceId":"/SUBSCRIPTIONS/S/RESOURCEGROUPS/G/PROVIDERS/MICROSOFT.KEYVAULT/VAULTS/V","correlationId":"c1","identity":{` + test.identity + `},"properties":{}}`
		decoded := 0
		decodeAll(t, []byte(record), func(ev *ingest.Event) {
			decoded++
			if ev.Kind != ingest.AzureActivity || who.did(ev) != test.want {
				t.Errorf("%s (%s, %+v): trusted %v, want %v", name, ev.Kind, ev.Actor, !test.want, test.want)
			}
		})
		if decoded != 1 {
			t.Errorf("%s: %d records", name, decoded)
		}
	}
}

func TestTrustedOperatorsAreNamedByWhatIsTheirs(t *testing.T) {
	_, err := Load(map[string][]string{TrustedOperators: {"deploy@example.org", "Terraform"}}, Source{FS: rules.FS, Root: "audit"})
	if err == nil || !strings.Contains(err.Error(), `list trusted_operators: "Terraform" may be anybody's display name; give the object id`) {
		t.Errorf("got %v, want an error that says what to give", err)
	}
}

// How somebody signs in is nobody's plan.
func TestTrustedOperatorsActAndDoNotSignIn(t *testing.T) {
	for _, r := range loadCatalog(t).Rules() {
		if want := !strings.HasPrefix(r.Entry, "signin-") && r.Entry != "user-at-risk"; want != r.HeedsOperators() && r.correlation == nil {
			t.Errorf("%s heeds trusted operators: %v, want %v", r.Entry, !want, want)
		}
	}
	who := trusted{"eeeeeeee-0000-4000-8000-000000000005": true}
	for kind, want := range map[ingest.Kind]bool{ingest.M365Audit: true, ingest.EntraServicePrincipalSignIn: false, ingest.EntraRisk: false} {
		ev := &ingest.Event{Kind: kind, Actor: ingest.Principal{Name: "ServicePrincipal_eeeeeeee-0000-4000-8000-000000000005"}}
		if who.did(ev) != want {
			t.Errorf("%s: trusted %v, want %v", kind, !want, want)
		}
	}
}
