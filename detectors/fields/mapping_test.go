package fields

import (
	"strings"
	"testing"

	"phiwatch/detectors/sigma"
)

func TestMappingsCompile(t *testing.T) {
	for source, views := range logSources {
		for _, v := range views {
			for name, to := range v.names {
				verb, _, _ := strings.Cut(to, ".")
				c, err := compute(to, nil)
				if err != nil || c == nil && computers[verb] != nil {
					t.Errorf("%s: %s is mapped to %q: %v", source, name, to, err)
				}
				if name != strings.ToLower(name) {
					t.Errorf("%s: %s must be lower-cased to be found", source, name)
				}
			}
		}
	}
}

func TestFieldsAreRenamedByLogSource(t *testing.T) {
	for _, tt := range []struct{ service, field, want string }{
		{"auditlogs", "LoggedByService", "properties.LoggedByService"},
		{"auditlogs", "TargetResources.ModifiedProperties.NewValue", "properties.TargetResources.ModifiedProperties.NewValue"},
		{"auditlogs", "properties.result", "properties.result"},
		{"auditlogs", "modified.AccountEnabled.new", "modified.AccountEnabled.new"},
		{"auditlogs", "properties.targetResources[type=User].id", "properties.targetResources[type=User].id"},
		{"auditlogs", "AADTenantId", "AADTenantId"},
		{"auditlogs", "additionalDetails.key", "mapped.audit-detail key"},
		{"signinlogs", "DeviceDetail.trusttype", "properties.DeviceDetail.trusttype"},
		{"signinlogs", "resourceId", "resourceId"},
		{"signinlogs", "Nonsense", "Nonsense"},
		{"activitylogs", "OperationNameValue", "operationName"},
		{"activitylogs", "identity.claims.appid", "identity.claims.appid"},
	} {
		views, _ := ViewsOf(sigma.LogSource{Product: "azure", Service: tt.service})
		if got := views[0].Rename(tt.field); got != tt.want {
			t.Errorf("%s: %s is read as %q, want %q", tt.service, tt.field, got, tt.want)
		}
	}
}
