package ingest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// brief is an event on a few lines, for tables.
func brief(e *Event) string {
	person := func(p Principal) string { return fmt.Sprintf("%s|%s|%s", p.ID, p.Name, p.Type) }
	at := "-"
	if !e.Time.IsZero() {
		at = e.Time.Format(time.RFC3339Nano)
	}
	return strings.Join([]string{
		e.Kind.String() + " " + e.Outcome.String() + " " + at,
		"id " + e.ID, "tenant " + e.Tenant, "op " + e.Op,
		"actor " + person(e.Actor), "target " + person(e.Target), "ip " + e.IP.String(),
	}, "\n")
}

const (
	tenantA = "11111111-aaaa-4bbb-8ccc-000000000001"
	entra   = `"resourceId":"/tenants/` + tenantA + `/providers/Microsoft.aadiam","operationVersion":"1.0"`
)

func TestEventsOfEachFamily(t *testing.T) {
	tests := []struct{ name, record, want string }{
		{"entra audit by a user", `{"time":"2026-01-05T09:00:05Z",` + entra + `,"operationName":"Update conditional access policy","category":"AuditLogs","tenantId":"11111111-AAAA-4bbb-8ccc-000000000001","callerIpAddress":"203.0.113.7","Level":4,"properties":{"id":"IPC_1","category":"Policy","activityDisplayName":"Update conditional access policy","activityDateTime":"2026-01-05T09:00:04.5+00:00","result":"success","initiatedBy":{"user":{"id":"u1","userPrincipalName":"ann@example.org","ipAddress":"203.0.113.7"},"app":{"appId":"portal","displayName":"ADIbizaUX"}},"targetResources":[{"id":"p1","displayName":"Require MFA","type":"Policy"},{"id":"p2","displayName":"other","type":"User"}]}}`,
			"entra-audit success 2026-01-05T09:00:04.5Z\nid IPC_1\ntenant " + tenantA + "\nop update conditional access policy\nactor u1|ann@example.org|User\ntarget p1|Require MFA|Policy\nip 203.0.113.7"},
		{"entra audit by an app, no time of its own, failed", `{"time":"2026-01-05T09:00:05Z",` + entra + `,"operationName":"Update application – Certificates and secrets management ","category":"AuditLogs","properties":{"id":"D_1","activityDisplayName":"x","activityDateTime":"22026-01-05T09: 00: 04Z","result":"failure","initiatedBy":{"app":{"appId":null,"servicePrincipalId":"sp1","displayName":"Sync"}},"targetResources":[{"id":"a1","displayName":null,"userPrincipalName":"b@example.org","type":"User"}]}}`,
			"entra-audit failure 2026-01-05T09:00:05Z\nid D_1\ntenant " + tenantA + "\nop update application – certificates and secrets management\nactor sp1|Sync|ServicePrincipal\ntarget a1|b@example.org|User\nip invalid IP"},
		{"entra audit as graph directoryAudit", `{"id":"D_2","category":"Policy","activityDisplayName":"Disable Strong Authentication","activityDateTime":"2026-01-05T09:00:00Z","result":"success","initiatedBy":{"app":null,"user":{"id":"u1","userPrincipalName":"ann@example.org","ipAddress":"<null>"}},"targetResources":[{"id":"u2","displayName":"Bo","type":"User"}]}`,
			"entra-audit success 2026-01-05T09:00:00Z\nid D_2\ntenant \nop disable strong authentication\nactor u1|ann@example.org|User\ntarget u2|Bo|User\nip invalid IP"},
		{"entra audit as a row of Log Analytics", `{"TenantId":"workspace","TimeGenerated":"2026-01-05T09:00:09Z","OperationName":"Add member to role","Category":"RoleManagement","Id":"D_3","InitiatedBy":"{\"user\":{\"id\":\"u1\",\"userPrincipalName\":\"ann@example.org\"}}","Result":"success","TargetResources":"[{\"id\":\"u2\",\"displayName\":\"Bo\",\"type\":\"User\"}]","AADTenantId":"` + tenantA + `","ActivityDisplayName":"Add member to role","ActivityDateTime":"2026-01-05T09:00:00Z","Type":"AuditLogs"}`,
			"entra-audit success 2026-01-05T09:00:00Z\nid D_3\ntenant " + tenantA + "\nop add member to role\nactor u1|ann@example.org|User\ntarget u2|Bo|User\nip invalid IP"},
		{"entra audit of a policy as a row of Log Analytics", `{"TenantId":"workspace","TimeGenerated":"2026-01-05T09:00:09Z","OperationName":"Update conditional access policy","Category":"Policy","Id":"D_4","InitiatedBy":"{\"user\":{\"id\":\"u1\",\"userPrincipalName\":\"ann@example.org\"}}","Result":"success","TargetResources":"[{\"id\":\"p1\",\"displayName\":\"Require MFA\",\"type\":\"Policy\"}]","AADTenantId":"` + tenantA + `","ActivityDisplayName":"Update conditional access policy","ActivityDateTime":"2026-01-05T09:00:00Z","Type":"AuditLogs"}`,
			"entra-audit success 2026-01-05T09:00:00Z\nid D_4\ntenant " + tenantA + "\nop update conditional access policy\nactor u1|ann@example.org|User\ntarget p1|Require MFA|Policy\nip invalid IP"},
		{"entra audit of 2018", `{"time":"2018-02-22T20:42:58.9Z","operationName":"Reset password (by admin)","category":"Audit","tenantId":"` + tenantA + `","resultType":"Success","correlationId":"C1","identity":"ann@example.org","callerIpAddress":"203.0.113.7","properties":{"targetResourceType":"UPN__TenantContextID__PUID__ObjectID__ObjectClass","targetResourceName":"bo@example.org__t__p__u2__User"}}`,
			"entra-audit success 2018-02-22T20:42:58.9Z\nid c1|reset password (by admin)|2018-02-22t20:42:58.9z\ntenant " + tenantA + "\nop reset password (by admin)\nactor |ann@example.org|\ntarget u2|bo@example.org|User\nip 203.0.113.7"},

		{"sign-in", `{"time":"2026-01-05T09:01:00Z",` + entra + `,"operationName":"Sign-in activity","category":"SignInLogs","tenantId":"` + tenantA + `","resultType":"0","callerIpAddress":"203.0.113.7","properties":{"id":"s1","createdDateTime":"2026-01-05T09:00:00.1+00:00","userId":"u1","userPrincipalName":"ann@example.org","appId":"a1","appDisplayName":"Chart","ipAddress":"2001:db8::7","resourceId":"r1","status":{"errorCode":0}}}`,
			"entra-signin success 2026-01-05T09:00:00.1Z\nid s1\ntenant " + tenantA + "\nop sign-in activity\nactor u1|ann@example.org|User\ntarget a1|Chart|Application\nip 2001:db8::7"},
		{"sign-in failed, US time", `{"time":"1/5/2026 1:48:53 PM",` + entra + `,"operationName":"Sign-in activity","Category":"ADFSSignInLogs","resultType":50126,"callerIpAddress":"203.0.113.7:99","properties":{"id":"s2","userId":"u1","userDisplayName":"Ann"}}`,
			"entra-signin failure 2026-01-05T13:48:53Z\nid s2\ntenant " + tenantA + "\nop sign-in activity\nactor u1|Ann|User\ntarget ||\nip 203.0.113.7"},
		{"non-interactive sign-in", `{"time":"2026-01-05T09:01:00Z","category":"NonInteractiveUserSignInLogs","operationName":"Sign-in activity","tenantId":"` + tenantA + `","properties":{"id":"s3","createdDateTime":"2026-01-05T09:00:00Z","userId":"u1","userPrincipalName":"ann@example.org","status":{"errorCode":50074}}}`,
			"entra-noninteractive-signin failure 2026-01-05T09:00:00Z\nid s3\ntenant " + tenantA + "\nop sign-in activity\nactor u1|ann@example.org|User\ntarget ||\nip invalid IP"},
		{"service principal sign-in, bare columns", `{"Category":"ServicePrincipalSignInLogs","CorrelationId":"C2","CreatedDateTime":"2026-01-05T09:00:00Z","OperationName":"Sign-in activity","TenantId":"` + tenantA + `","ServicePrincipalId":"sp1","ServicePrincipalName":"Backup","ResourceDisplayName":"Graph","ResultSignature":"SUCCESS"}`,
			"entra-service-principal-signin success 2026-01-05T09:00:00Z\nid c2|2026-01-05t09:00:00z\ntenant " + tenantA + "\nop sign-in activity\nactor sp1|Backup|ServicePrincipal\ntarget |Graph|Resource\nip invalid IP"},
		{"managed identity sign-in", `{"category":"ManagedIdentitySignInLogs","operationName":"Sign-in activity","resultType":"0","tenantId":"` + tenantA + `","properties":{"id":"s5","createdDateTime":"2026-01-05T09:00:00Z","userId":null,"appId":"a1","ipAddress":"","servicePrincipalId":"sp1","servicePrincipalName":"vm","resourceId":"r1","resourceDisplayName":"ARM"}}`,
			"entra-managed-identity-signin success 2026-01-05T09:00:00Z\nid s5\ntenant " + tenantA + "\nop sign-in activity\nactor sp1|vm|ServicePrincipal\ntarget r1|ARM|Resource\nip invalid IP"},
		{"sign-in as graph signIn", `{"id":"s6","createdDateTime":"2026-01-05T09:00:00Z","userPrincipalName":"ann@example.org","userId":"u1","appId":"a1","appDisplayName":"Chart","ipAddress":"192.0.2.1","isInteractive":true,"status":{"errorCode":0}}`,
			"entra-signin success 2026-01-05T09:00:00Z\nid s6\ntenant \nop sign-in activity\nactor u1|ann@example.org|User\ntarget a1|Chart|Application\nip 192.0.2.1"},
		{"graph signIn of a service principal", `{"id":"s7","createdDateTime":"2026-01-05T09:00:00Z","appId":"a1","servicePrincipalId":"sp1","signInEventTypes":["servicePrincipal"],"status":{"errorCode":7000215}}`,
			"entra-service-principal-signin failure 2026-01-05T09:00:00Z\nid s7\ntenant \nop sign-in activity\nactor sp1||ServicePrincipal\ntarget ||\nip invalid IP"},

		{"risky user", `{"time":"1/5/2026 6:11:52 PM",` + entra + `,"operationName":"Risky user","category":"RiskyUsers","tenantId":"` + tenantA + `","properties":{"id":"u1","userDisplayName":"Ann","userPrincipalName":"ann@example.org","riskLastUpdatedDateTime":"2026-01-05T18:11:00.7Z","riskState":"atRisk","riskDetail":"none","riskLevel":"high"}}`,
			"entra-risk success 2026-01-05T18:11:00.7Z\nid u1|atrisk|none|2026-01-05t18:11:00.7z\ntenant " + tenantA + "\nop risky user\nactor ||\ntarget u1|ann@example.org|User\nip invalid IP"},
		{"risk detection", `{"time":"1/5/2026 6:11:52 PM","operationName":"User Risk Detection","category":"UserRiskEvents","tenantId":"` + tenantA + `","callerIpAddress":"203.0.113.7","properties":{"id":"d1","riskEventType":"anonymizedIPAddress","riskState":"dismissed","detectedDateTime":"2026-01-05T5:32:08.107Z","lastUpdatedDateTime":"2026-01-05T5:35:05.9Z","userId":"u1","userPrincipalName":"ann@example.org"}}`,
			"entra-risk success 2026-01-05T05:35:05.9Z\nid d1|dismissed||2026-01-05t5:35:05.9z\ntenant " + tenantA + "\nop user risk detection\nactor u1|ann@example.org|User\ntarget u1|ann@example.org|User\nip 203.0.113.7"},
		{"graph riskDetection", `{"id":"d2","riskEventType":"leakedCredentials","riskState":"atRisk","riskLevel":"high","detectedDateTime":"2026-01-05T09:00:00Z","userId":"u1","userPrincipalName":"ann@example.org","ipAddress":"203.0.113.7"}`,
			"entra-risk success 2026-01-05T09:00:00Z\nid d2|atrisk||\ntenant \nop user risk detection\nactor u1|ann@example.org|User\ntarget u1|ann@example.org|User\nip 203.0.113.7"},

		{"activity, start", `{"time":"2026-01-05T09:00:00Z","resourceId":"/SUBSCRIPTIONS/S1/PROVIDERS/MICROSOFT.INSIGHTS/DIAGNOSTICSETTINGS/ALL","operationName":"MICROSOFT.INSIGHTS/DIAGNOSTICSETTINGS/DELETE","category":"Administrative","resultType":"Start","resultSignature":"Started.","durationMs":"0","callerIpAddress":"203.0.113.10","correlationId":"C3","identity":{"authorization":{"evidence":{"principalType":"User"}},"claims":{"http://schemas.microsoft.com/identity/claims/objectidentifier":"u1","http://schemas.microsoft.com/identity/claims/tenantid":"` + tenantA + ` ","http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn":"ann@example.org","appid":"a1"}},"properties":{}}`,
			"azure-activity unknown 2026-01-05T09:00:00Z\nid c3|microsoft.insights/diagnosticsettings/delete|/subscriptions/s1/providers/microsoft.insights/diagnosticsettings/all|start\ntenant " + tenantA + "\nop microsoft.insights/diagnosticsettings/delete\nactor u1|ann@example.org|User\ntarget /SUBSCRIPTIONS/S1/PROVIDERS/MICROSOFT.INSIGHTS/DIAGNOSTICSETTINGS/ALL|ALL|Resource\nip 203.0.113.10"},
		{"activity by an app, old category, full stop", `{"time":"2026-01-05T09:00:00Z","resourceId":"/subscriptions/s1/x/NSG1","operationName":"Microsoft.Network/networkSecurityGroups/write","category":"Write","resultType":"Succeeded.","correlationId":"c4","identity":{"claims":{"appid":"a1"}},"properties":{"hierarchy":"` + tenantA + `/s1"}}`,
			"azure-activity success 2026-01-05T09:00:00Z\nid c4|microsoft.network/networksecuritygroups/write|/subscriptions/s1/x/nsg1|succeeded.\ntenant " + tenantA + "\nop microsoft.network/networksecuritygroups/write\nactor a1|a1|ServicePrincipal\ntarget /subscriptions/s1/x/NSG1|NSG1|Resource\nip invalid IP"},
		{"activity over REST", `{"caller":"ann@example.org","claims":{"http://schemas.microsoft.com/identity/claims/objectidentifier":"u1","ipaddr":"203.0.113.9"},"correlationId":"c5","category":{"value":"Administrative","localizedValue":"Administrative"},"eventTimestamp":"2026-01-05T09:00:00.5Z","operationName":{"value":"microsoft.insights/diagnosticSettings/delete","localizedValue":"Delete"},"resourceId":"/subscriptions/s1/all","status":{"value":"Failed","localizedValue":"Failed"},"tenantId":"` + tenantA + `","properties":{}}`,
			"azure-activity failure 2026-01-05T09:00:00.5Z\nid c5|microsoft.insights/diagnosticsettings/delete|/subscriptions/s1/all|failed\ntenant " + tenantA + "\nop microsoft.insights/diagnosticsettings/delete\nactor u1|ann@example.org|\ntarget /subscriptions/s1/all|all|Resource\nip 203.0.113.9"},
		{"activity of Privileged Identity Management", `{"time":"2026-01-05T09:00:00Z","tenantId":"` + tenantA + `","resourceId":"/SUBSCRIPTIONS/S1/RESOURCEGROUPS/RG","operationName":"Add member to role in PIM completed (permanent)","category":"Administrative","resultType":"Succeeded","correlationId":"c9","properties":{"ResourceProviderName":"azurerbac","CallerInfo":"[{\"CallerIdentityType\":\"ObjectID\",\"CallerIdentityValue\":\"u1\"},{\"CallerIdentityType\":\"UPN\",\"CallerIdentityValue\":\"ann@example.org\"}]"}}`,
			"azure-activity success 2026-01-05T09:00:00Z\nid c9|add member to role in pim completed (permanent)|/subscriptions/s1/resourcegroups/rg|succeeded\ntenant " + tenantA + "\nop add member to role in pim completed (permanent)\nactor u1|ann@example.org|\ntarget /SUBSCRIPTIONS/S1/RESOURCEGROUPS/RG|RG|Resource\nip invalid IP"},
		{"activity in snake case", `{"caller":"ann@example.org","correlation_id":"c6","category":{"value":"Administrative","localized_value":"Administrative"},"event_timestamp":"2026-01-05T09:00:00Z","http_request":{"client_ip_address":"203.0.113.9"},"operation_name":{"value":"Microsoft.Compute/disks/delete","localized_value":"x"},"resource_id":"/subscriptions/s1/d1","status":{"value":"Succeeded","localized_value":"Succeeded"},"tenant_id":"` + tenantA + `"}`,
			"azure-activity success 2026-01-05T09:00:00Z\nid c6|microsoft.compute/disks/delete|/subscriptions/s1/d1|succeeded\ntenant " + tenantA + "\nop microsoft.compute/disks/delete\nactor ann@example.org|ann@example.org|\ntarget /subscriptions/s1/d1|d1|Resource\nip 203.0.113.9"},
		{"activity as a row of Log Analytics", `{"ActivityStatusValue":"Success","Caller":"ann@example.org","CallerIpAddress":"203.0.113.9","CategoryValue":"Administrative","CorrelationId":"c7","OperationNameValue":"MICROSOFT.SQL/SERVERS/WRITE","TenantId":"workspace","TimeGenerated":"2026-01-05T09:00:00Z","_ResourceId":"/subscriptions/s1/sql1","Claims":"{\"http://schemas.microsoft.com/identity/claims/tenantid\":\"` + tenantA + `\",\"appid\":\"a1\"}"}`,
			"azure-activity success 2026-01-05T09:00:00Z\nid c7|microsoft.sql/servers/write|/subscriptions/s1/sql1|success\ntenant " + tenantA + "\nop microsoft.sql/servers/write\nactor a1|ann@example.org|ServicePrincipal\ntarget /subscriptions/s1/sql1|sql1|Resource\nip 203.0.113.9"},

		{"key vault, done", vault("KeyDelete", 200, "OK"),
			"key-vault success 2026-01-05T09:00:00Z\nid c8|keydelete|https://v.example.net/keys/k|2026-01-05t09:00:00z\ntenant \nop keydelete\nactor u1|ann@example.org|User\ntarget https://v.example.net/keys/k|V1|Resource\nip 203.0.113.7"},
		{"key vault, management plane", `{"time":"2026-01-05T09:00:00Z","category":"AuditEvent","operationName":"VaultPatch","resultType":"Success","resultSignature":"OK","correlationId":"c9","identity":{"claim":{"http://schemas.microsoft.com/identity/claims/objectidentifier":"u1","appid":"a1"}},"properties":{"id":"https://v.example.net/","httpStatusCode":200,"properties":{"tenantId":"` + tenantA + `"}},"resourceId":"/SUBSCRIPTIONS/S/PROVIDERS/MICROSOFT.KEYVAULT/VAULTS/V1"}`,
			"key-vault success 2026-01-05T09:00:00Z\nid c9|vaultpatch|https://v.example.net/|2026-01-05t09:00:00z\ntenant " + tenantA + "\nop vaultpatch\nactor u1|a1|Application\ntarget https://v.example.net/|V1|Resource\nip invalid IP"},
		{"another resource's AuditEvent", `{"time":"2026-01-05T09:00:00Z","category":"AuditEvent","operationName":"X","resourceId":"/SUBSCRIPTIONS/S/PROVIDERS/MICROSOFT.OTHER/THINGS/V1"}`,
			"unknown unknown 2026-01-05T09:00:00Z\nid \ntenant \nop x\nactor ||\ntarget /SUBSCRIPTIONS/S/PROVIDERS/MICROSOFT.OTHER/THINGS/V1||\nip invalid IP"},

		{"intune audit", `{"time":"2026-01-05T09:00:00.5Z","tenantId":"` + tenantA + `","category":"AuditLogs","operationName":"Patch DeviceCompliancePolicy","resultType":"Success","correlationId":"c10","properties":{"ActivityDate":"1/5/2026 9:00:00 AM","ActivityResultStatus":1,"ActivityType":2,"Actor":{"ObjectId":"u1","UPN":"ann@example.org","ApplicationName":"portal"},"AuditEventId":"i1","TargetObjectIds":["p1"],"Targets":[{"Name":"Encrypt","ModifiedProperties":[]}]}}`,
			"intune success 2026-01-05T09:00:00.5Z\nid i1\ntenant " + tenantA + "\nop patch devicecompliancepolicy\nactor u1|ann@example.org|User\ntarget p1|Encrypt|\nip invalid IP"},
		{"intune audit, delivered late, by an app", `{"time":"2026-01-05T11:00:00Z","tenantId":"` + tenantA + `","category":"AuditLogs","operationName":"x","properties":{"ActivityDate":"1/5/2026 9:00:00 AM","ActivityResultStatus":1,"ActivityType":2,"Actor":{"ObjectId":null,"UPN":null,"Application":"a1","ApplicationName":"portal"},"AuditEventId":"i2","TargetDisplayNames":["<null>"]}}`,
			"intune success 2026-01-05T09:00:00Z\nid i2\ntenant " + tenantA + "\nop x\nactor a1|portal|Application\ntarget ||\nip invalid IP"},
		{"intune operational", `{"time":"2026-01-05T09:00:00Z","tenantId":"` + tenantA + `","category":"OperationalLogs","operationName":"Compliance","resultType":"None","properties":{"IntuneAccountId":"x","AlertType":"Managed Device Not Compliant","IntuneDeviceId":"dev1","DeviceHostName":"HOST","StartTimeUtc":"2026-01-05T08:59:00Z"}}`,
			"intune success 2026-01-05T08:59:00Z\nid compliance|dev1||managed device not compliant||2026-01-05t08:59:00z\ntenant " + tenantA + "\nop compliance\nactor ||\ntarget dev1|HOST|Device\nip invalid IP"},
		{"intune operational, without an account", `{"time":"2026-01-05T09:00:00Z","tenantId":"` + tenantA + `","category":"OperationalLogs","operationName":"Compliance","resultType":"None","properties":{"AlertType":"Managed Device Not Compliant","IntuneDeviceId":"dev1","DeviceHostName":"HOST","StartTimeUtc":"2026-01-05T08:59:00Z"}}`,
			"intune success 2026-01-05T08:59:00Z\nid compliance|dev1||managed device not compliant||2026-01-05t08:59:00z\ntenant " + tenantA + "\nop compliance\nactor ||\ntarget dev1|HOST|Device\nip invalid IP"},
		{"operational logs of a hub", `{"category":"OperationalLogs","EventName":"Create hub","EventTimeString":"1/5/2026 9:06:42 AM +00:00","resourceId":"/S/HUB"}`,
			"unknown unknown 2026-01-05T09:06:42Z\nid \ntenant \nop create hub\nactor ||\ntarget /S/HUB||\nip invalid IP"},

		{"unified audit, Exchange", `{"CreationTime":"2026-01-05T09:00:00","Id":"m1","Operation":"New-TransportRule","OrganizationId":"` + tenantA + `","RecordType":1,"ResultStatus":"True","UserType":2,"Workload":"Exchange","ClientIP":"203.0.113.20:33758","ObjectId":"","UserId":"ann@example.org"}`,
			"m365-audit success 2026-01-05T09:00:00Z\nid m1\ntenant " + tenantA + "\nop new-transportrule\nactor ann@example.org|ann@example.org|User\ntarget ||\nip 203.0.113.20"},
		{"unified audit, directory", `{"CreationTime":"2026-01-05T09:00:00","Id":"m2","Operation":"Disable Strong Authentication.","OrganizationId":"` + tenantA + `","RecordType":"8","ResultStatus":"Failure","UserType":"6","Workload":"AzureActiveDirectory","ClientIP":"<null>","ActorIpAddress":"203.0.113.20","ObjectId":"bo@example.org","UserId":"sp","Category":"Policy"}`,
			"m365-audit failure 2026-01-05T09:00:00Z\nid m2\ntenant " + tenantA + "\nop disable strong authentication\nactor sp|sp|ServicePrincipal\ntarget bo@example.org|bo@example.org|\nip 203.0.113.20"},
		{"unified audit, SharePoint", `{"CreationTime":"2026-01-05T09:00:00","Id":"m3","Operation":"FileSensitivityLabelRemoved","OrganizationId":"` + tenantA + `","RecordType":6,"UserType":0,"Workload":"SharePoint","ObjectId":"https://example.org/f.docx","ListItemUniqueId":"item1","UserId":"ann@example.org"}`,
			"m365-audit success 2026-01-05T09:00:00Z\nid m3\ntenant " + tenantA + "\nop filesensitivitylabelremoved\nactor ann@example.org|ann@example.org|User\ntarget item1|https://example.org/f.docx|File\nip invalid IP"},
		{"failed sign-in that says Success", `{"CreationTime":"2026-01-05T09:00:00","Id":"m4","Operation":"UserLoginFailed","RecordType":15,"ResultStatus":"Success","Workload":"AzureActiveDirectory","UserId":"x"}`,
			"m365-audit failure 2026-01-05T09:00:00Z\nid m4\ntenant \nop userloginfailed\nactor x|x|\ntarget ||\nip invalid IP"},
		{"unified audit in CloudAppEvents", cloudApp(`{"CreationTime":"2026-01-05T09:00:00Z","Id":"m1","Operation":"New-TransportRule","OrganizationId":"` + tenantA + `","RecordType":1,"ResultStatus":"PartiallySucceeded","UserType":2,"Workload":"Exchange","UserId":"ann@example.org"}`),
			"m365-audit success 2026-01-05T09:00:00Z\nid m1\ntenant " + tenantA + "\nop new-transportrule\nactor ann@example.org|ann@example.org|User\ntarget ||\nip 203.0.113.21"},
		{"unified audit in CloudAppEvents, as a string", cloudApp(`"{\"Id\":\"m5\",\"Operation\":\"Set-X\",\"RecordType\":18,\"Workload\":\"SecurityComplianceCenter\",\"ResultStatus\":\"Odd\"}"`),
			"m365-audit unknown 2026-01-05T08:59:00Z\nid m5\ntenant " + tenantA + "\nop set-x\nactor ||\ntarget ||\nip 203.0.113.21"},
		{"another vendor in CloudAppEvents", cloudApp(`{"eventName":"Login"}`),
			"unknown unknown 2026-01-05T08:59:00Z\nid r1\ntenant " + tenantA + "\nop do\nactor ||\ntarget ||\nip 203.0.113.21"},
		{"unified audit as a row of Log Analytics", `{"TenantId":"workspace","RecordType":"50","TimeGenerated":"2026-01-05T09:00:00Z","Operation":"MailItemsAccessed","OrganizationId":"` + tenantA + `","UserType":"Regular","OfficeWorkload":"Exchange","ResultStatus":"Succeeded","UserId":"ann@example.org","Client_IPAddress":"203.0.113.4","OfficeObjectId":"Box\\1","OfficeId":"m6","Type":"OfficeActivity"}`,
			"m365-audit success 2026-01-05T09:00:00Z\nid m6\ntenant " + tenantA + "\nop mailitemsaccessed\nactor ann@example.org|ann@example.org|User\ntarget Box\\1|Box\\1|\nip 203.0.113.4"},

		{"unified audit in a hunting row", `{"Timestamp":"2026-01-05T09:00:00Z","ActionType":"X","IPAddress":"203.0.113.21","ReportId":"r1","RawEventData":{"CreationTime":"2026-01-05T08:59:00Z","Id":"m7","Operation":"Set-X","OrganizationId":"` + tenantA + `","RecordType":1,"Workload":"Exchange","UserId":"ann@example.org","UserType":2}}`,
			"m365-audit success 2026-01-05T08:59:00Z\nid m7\ntenant " + tenantA + "\nop set-x\nactor ann@example.org|ann@example.org|User\ntarget ||\nip 203.0.113.21"},
		{"unified audit, enriched", `{"time":"2026-01-05T09:00:00Z","tenantId":"` + tenantA + `","category":"EnrichedOffice365AuditLogs","operationName":"FileAccessed","properties":{"CreationTime":"2026-01-05T08:59:00","Id":"m8","Operation":"FileAccessed","RecordType":6,"Workload":"OneDrive","ObjectId":"https://example.org/f","UserId":"ann@example.org","ClientIp":"203.0.113.22"}}`,
			"m365-audit success 2026-01-05T08:59:00Z\nid m8\ntenant " + tenantA + "\nop fileaccessed\nactor ann@example.org|ann@example.org|\ntarget https://example.org/f|https://example.org/f|\nip 203.0.113.22"},

		{"unknown", `{"time":"2026-01-05T09:00:00Z","category":"ProvisioningLogs","operationName":"Provisioning activity","tenantId":"` + tenantA + `","resultType":"Success","properties":{"id":"x1"}}`,
			"unknown unknown 2026-01-05T09:00:00Z\nid x1\ntenant " + tenantA + "\nop provisioning activity\nactor ||\ntarget ||\nip invalid IP"},
		{"nothing", `{}`, "unknown unknown -\nid \ntenant \nop \nactor ||\ntarget ||\nip invalid IP"},
	}
	d := NewDecoder()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			d.Decode(Message{Body: []byte(tt.record)}, func(e *Event) { got = append(got, brief(e)) }, func(q Quarantined) {
				t.Errorf("quarantined: %s", q.Detail)
			})
			if diff := cmp.Diff([]string{tt.want}, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func vault(operation string, status int, signature string) string {
	return fmt.Sprintf(`{"time":"2026-01-05T09:00:00Z","category":"AuditEvent","operationName":%q,"resultType":"Success","resultSignature":%q,"callerIpAddress":"203.0.113.7","correlationId":"C8","identity":{"claim":{"oid":"u1","upn":"ann@example.org","appid":"a1"}},"properties":{"id":"https://v.example.net/keys/k","httpStatusCode":%d},"resourceId":"/SUBSCRIPTIONS/S/PROVIDERS/MICROSOFT.KEYVAULT/VAULTS/V1"}`, operation, signature, status)
}

func cloudApp(raw string) string {
	return `{"time":"2026-01-05T09:01:00Z","tenantId":"` + tenantA + `","operationName":"Publish","category":"AdvancedHunting-CloudAppEvents","properties":{"Timestamp":"2026-01-05T08:59:00Z","ActionType":"Do","IPAddress":"203.0.113.21","ReportId":"r1","RawEventData":` + raw + `}}`
}

func TestKeyVaultSuccessIsNotBelieved(t *testing.T) {
	tests := []struct {
		status    int
		signature string
		want      Outcome
	}{
		{200, "OK", Success}, {202, "Accepted", Success}, {204, "No Content", Success},
		{200, "Forbidden", Failure}, {403, "Forbidden", Failure}, {401, "Unauthorized", Failure}, {404, "Not Found", Failure},
		{409, "Conflict", Failure}, {400, "Bad Request", Failure}, {500, "OK", Failure}, {302, "OK", Failure},
	}
	for _, tt := range tests {
		if got := only(t, vault("KeyDelete", tt.status, tt.signature), Message{}).Outcome; got != tt.want {
			t.Errorf("status %d, signature %s: %s, want %s", tt.status, tt.signature, got, tt.want)
		}
	}
}

// only returns the single event of a body; its Doc is gone.
func only(t testing.TB, body string, m Message) (one Event) {
	t.Helper()
	m.Body = []byte(body)
	n := NewDecoder().Decode(m, func(e *Event) { one = *e }, func(q Quarantined) { t.Errorf("quarantined: %s", q.Detail) })
	if n != 1 {
		t.Fatalf("%d records in %s", n, body)
	}
	return one
}

func TestTimesThatCannotBeAreNotBelieved(t *testing.T) {
	enqueued := time.Date(2026, 1, 5, 9, 10, 0, 0, time.UTC)
	tests := []struct{ name, created, time, want string }{
		{"created", "2026-01-05T09:00:00Z", "2026-01-05T09:05:00Z", "2026-01-05T09:00:00Z"},
		{"created damaged", "22026-01-05T09:00:00Z", "2026-01-05T09:05:00Z", "2026-01-05T09:05:00Z"},
		{"created in the future", "2036-01-05T09:00:00Z", "2026-01-05T09:05:00Z", "2026-01-05T09:05:00Z"},
		{"created a little in the future", "2026-01-05T10:00:00Z", "2026-01-05T09:05:00Z", "2026-01-05T10:00:00Z"},
		{"none", "x", "9999-12-31T00:00:00Z", "2026-01-05T09:10:00Z"},
	}
	for _, tt := range tests {
		e := only(t, `{"category":"SignInLogs","time":"`+tt.time+`","properties":{"createdDateTime":"`+tt.created+`"}}`, Message{Enqueued: enqueued})
		if got := e.Time.Format(time.RFC3339); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestCopiesShareTheirIdentity(t *testing.T) {
	both := func(a, b string) (x, y Event) { return only(t, a, Message{}), only(t, b, Message{}) }
	bare := `{"CreationTime":"2026-01-05T09:00:00","Id":"m1","Operation":"X","OrganizationId":"` + tenantA + `","RecordType":1,"Workload":"Exchange"}`
	if x, y := both(bare, cloudApp(bare)); x.ID != y.ID || x.Kind != y.Kind || x.Tenant != y.Tenant || !x.Time.Equal(y.Time) {
		t.Errorf("bare %v, wrapped %v", x, y)
	}
	activity := `{"time":"2026-01-05T09:00:00Z","category":"Administrative","operationName":"A/B/WRITE","resourceId":"/S/R","correlationId":"c","resultType":"RESULT"}`
	if x, y := both(strings.Replace(activity, "RESULT", "Start", 1), strings.Replace(activity, "RESULT", "Success", 1)); x.ID == y.ID {
		t.Errorf("start and result of an operation are both %s", x.ID)
	}
	risk := `{"category":"RiskyUsers","properties":{"id":"u1","riskState":"STATE","riskLastUpdatedDateTime":"2026-01-05T09:00:00Z"}}`
	if x, y := both(strings.Replace(risk, "STATE", "atRisk", 1), strings.Replace(risk, "STATE", "remediated", 1)); x.ID == y.ID {
		t.Errorf("two states of a user are both %s", x.ID)
	}
}
