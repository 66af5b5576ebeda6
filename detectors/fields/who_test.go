package fields

import (
	"testing"

	"phiwatch/ingest"
)

func TestWhoIsTheSameInAllLogs(t *testing.T) {
	const id = "5c0d2b11-7777-4e0e-9a2b-3c4d5e6f7a10"
	for name, test := range map[string]struct {
		actor ingest.Principal
		want  string
	}{
		"a person in Entra ID":          {ingest.Principal{ID: id, Name: "t.hale@example.org", Type: "User"}, "t.hale@example.org"},
		"a person in Exchange":          {ingest.Principal{ID: "t.hale@example.org", Name: "t.hale@example.org"}, "t.hale@example.org"},
		"a person without a name":       {ingest.Principal{ID: id, Type: "User"}, id},
		"an application in Entra ID":    {ingest.Principal{ID: id, Name: "rollout", Type: "ServicePrincipal"}, id},
		"an application in Azure":       {ingest.Principal{ID: id, Name: "04b07795-8ddb-461a-bbee-02f9e1bf7b46", Type: "ServicePrincipal"}, id},
		"an application without a name": {ingest.Principal{ID: id, Type: "ServicePrincipal"}, id},
		"only a name":                   {ingest.Principal{Name: "Azure AD PIM"}, "Azure AD PIM"},
		"nobody":                        {},
	} {
		t.Run(name, func(t *testing.T) {
			if got := who(&ingest.Event{Actor: test.actor}); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
