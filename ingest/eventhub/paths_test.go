package eventhub

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestFileNamesAreRelativeToTheConfigurationFile(t *testing.T) {
	given := Config{Hubs: []Hub{
		{ConnectionStringFile: "hub", CAFile: "/etc/ca.pem"},
		{Credential: &Credential{SecretFile: "secret", CertificateFile: "../cert", TokenFile: "token"}},
	}}
	want := Config{Hubs: []Hub{
		{ConnectionStringFile: "/conf/hub", CAFile: "/etc/ca.pem"},
		{Credential: &Credential{SecretFile: "/conf/secret", CertificateFile: "/cert", TokenFile: "/conf/token"}},
	}}
	if diff := cmp.Diff(want, given.In("/conf"), cmpopts.IgnoreUnexported(Credential{})); diff != "" {
		t.Error(diff)
	}
	if given.Hubs[0].ConnectionStringFile != "hub" || given.Hubs[1].Credential.SecretFile != "secret" {
		t.Error("the given configuration was changed")
	}
}

func TestAnEndpointWithoutAPortHasTheOneOfTheAddress(t *testing.T) {
	for endpoint, want := range map[string]string{"10.0.0.4": "10.0.0.4:443", "10.0.0.4:8443": "10.0.0.4:8443"} {
		if got := withPort(endpoint, "ns.example.net:443"); got != want {
			t.Errorf("%s is dialled as %s, want %s", endpoint, got, want)
		}
	}
}
