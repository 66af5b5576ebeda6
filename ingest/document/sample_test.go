package document

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// samples makes up n records in the proportions that a tenant sends: 70 %
// sign-ins of 3 to 8 KB, 15 % Entra audit, 10 % unified audit, 5 % Activity.
func samples(n int) [][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	out := make([][]byte, n)
	for i := range out {
		switch k := r.IntN(100); {
		case k < 70:
			out[i] = sampleSignIn(r)
		case k < 85:
			out[i] = sampleAudit(r)
		case k < 95:
			out[i] = sampleUnified(r)
		default:
			out[i] = sampleActivity(r)
		}
	}
	return out
}

func guid(r *rand.Rand) string {
	return fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", r.Uint32(), r.IntN(1<<16), r.IntN(1<<12), r.IntN(1<<12), r.Uint64()>>16)
}

func pick(r *rand.Rand, of ...string) string { return of[r.IntN(len(of))] }

func sampleSignIn(r *rand.Rand) []byte {
	var policies []string
	for range 4 + r.IntN(14) {
		policies = append(policies, fmt.Sprintf(`{"id":"%s","displayName":"CA%03d: %s","enforcedGrantControls":["%s"],"enforcedSessionControls":[],"result":"%s","conditionsSatisfied":%d,"conditionsNotSatisfied":%d}`,
			guid(r), r.IntN(300), pick(r, "Require MFA for all users", "Block legacy authentication", "Require compliant device (clinic)", "Session limits for contractors"),
			pick(r, "Mfa", "Block", "RequireCompliantDevice"), pick(r, "success", "notApplied", "notEnabled", "reportOnlySuccess"), r.IntN(64), r.IntN(64)))
	}
	user := fmt.Sprintf("user%d@example.org", r.IntN(5000))
	return fmt.Appendf(nil, `{"time":"2026-01-05T09:%02d:%02d.9144897Z","resourceId":"/tenants/%[3]s/providers/Microsoft.aadiam","operationName":"Sign-in activity","operationVersion":"1.0","category":"SignInLogs","tenantId":"%[3]s","resultType":"%[4]s","resultSignature":"SUCCESS","durationMs":0,"callerIpAddress":"203.0.113.%[5]d","correlationId":"%[6]s","identity":"User %[7]d","Level":4,"location":"US","properties":{"id":"%[8]s","createdDateTime":"2026-01-05T09:%[1]02d:%[2]02d.1498978+00:00","userDisplayName":"User %[7]d","userPrincipalName":"%[9]s","userId":"%[10]s","appId":"%[11]s","appDisplayName":"%[12]s","ipAddress":"203.0.113.%[5]d","status":{"errorCode":%[4]s,"failureReason":"Other.","additionalDetails":"MFA requirement satisfied by claim in the token"},"clientAppUsed":"Browser","userAgent":"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36","deviceDetail":{"deviceId":"","operatingSystem":"Windows10","browser":"Chrome 130.0.0","isCompliant":false,"isManaged":false,"trustType":""},"location":{"city":"Springfield","state":"Illinois","countryOrRegion":"US","geoCoordinates":{"latitude":39.%[7]d,"longitude":-89.6}},"mfaDetail":{},"correlationId":"%[6]s","conditionalAccessStatus":"success","appliedConditionalAccessPolicies":[%[13]s],"authenticationContextClassReferences":[],"originalRequestId":"%[8]s","isInteractive":true,"tokenIssuerName":"","tokenIssuerType":"AzureAD","authenticationProcessingDetails":[{"key":"Login Hint Present","value":"True"},{"key":"Legacy TLS (TLS 1.0, 1.1, 3DES)","value":"False"},{"key":"Is CAE Token","value":"False"}],"networkLocationDetails":[{"networkType":"trustedNamedLocation","networkNames":["Clinic North","Clinic \"Annex\""]}],"processingTimeInMilliseconds":%[7]d,"riskDetail":"none","riskLevelAggregated":"none","riskLevelDuringSignIn":"none","riskState":"none","riskEventTypes":[],"riskEventTypes_v2":[],"resourceDisplayName":"Microsoft Graph","resourceId":"%[14]s","resourceTenantId":"%[3]s","homeTenantId":"%[3]s","authenticationDetails":[{"authenticationStepDateTime":"2026-01-05T09:%[1]02d:%[2]02d.1498978+00:00","authenticationMethod":"Previously satisfied","succeeded":true,"authenticationStepResultDetail":"First factor requirement satisfied by claim in the token","authenticationStepRequirement":"Primary authentication","StatusSequence":0,"RequestSequence":0}],"authenticationRequirementPolicies":[{"requirementProvider":"multiConditionalAccess","detail":"Conditional Access"}],"authenticationRequirement":"multiFactorAuthentication","alternateSignInName":"%[9]s","signInIdentifier":"%[9]s","servicePrincipalId":"","userType":"Member","flaggedForReview":false,"isTenantRestricted":false,"autonomousSystemNumber":64496,"crossTenantAccessType":"none","privateLinkDetails":{},"ssoExtensionVersion":"","uniqueTokenIdentifier":"%[15]x","authenticationStrengths":[],"incomingTokenType":"none","authenticationProtocol":"none","appServicePrincipalId":null,"resourceServicePrincipalId":"%[14]s","rngcStatus":0,"signInTokenProtectionStatus":"none","tokenProtectionStatusDetails":{"signInSessionStatus":"unbound","signInSessionStatusCode":1002},"originalTransferMethod":"none","isThroughGlobalSecureAccess":false,"conditionalAccessAudiences":["%[14]s"],"sessionId":"%[6]s","appOwnerTenantId":"%[3]s","resourceOwnerTenantId":"%[3]s"}}`,
		r.IntN(60), r.IntN(60), "0f1a6c30-0000-4000-8000-0000000000ab", pick(r, "0", "0", "0", "50126", "50074"), r.IntN(255), guid(r), r.IntN(1000), guid(r), user, guid(r), guid(r),
		pick(r, "Office 365 Exchange Online", "Azure Portal", `Records, \"Clinic\"`, "Microsoft Teams"), strings.Join(policies, ","), guid(r), r.Uint64())
}

func sampleAudit(r *rand.Rand) []byte {
	var changes []string
	for range 2 + r.IntN(8) {
		changes = append(changes, fmt.Sprintf(`{"displayName":"%s","oldValue":%s,"newValue":%s}`,
			pick(r, "AccountEnabled", "Department", "StrongAuthenticationMethod", "LastDirSyncTime", "Role.DisplayName", "ProxyAddresses"),
			pick(r, `null`, `"[]"`, `"[true]"`, `"\"Member\""`), quote(pick(r, `[false]`, `"Global Administrator"`, `[{"MethodType":6,"Default":true}]`, `{"state":"disabled","conditions":{"users":{"excludeUsers":["`+guid(r)+`"]}}}`))))
	}
	return fmt.Appendf(nil, `{"time":"2026-01-05T09:10:11.1234567Z","resourceId":"/tenants/0f1a6c30-0000-4000-8000-0000000000ab/providers/Microsoft.aadiam","operationName":"%s","operationVersion":"1.0","category":"AuditLogs","tenantId":"0f1a6c30-0000-4000-8000-0000000000ab","resultSignature":"None","durationMs":0,"callerIpAddress":"198.51.100.%d","correlationId":"%[3]s","identity":"Directory","Level":4,"properties":{"id":"Directory_%[3]s_X_1","category":"UserManagement","correlationId":"%[3]s","result":"success","resultReason":"","activityDisplayName":"%[1]s","activityDateTime":"2026-01-05T09:10:11.1234567+00:00","loggedByService":"Core Directory","operationType":"Update","userAgent":null,"initiatedBy":{"user":{"id":"%[4]s","displayName":null,"userPrincipalName":"admin@example.org","ipAddress":"198.51.100.%[2]d","roles":[]}},"targetResources":[{"id":"%[5]s","displayName":null,"type":"User","userPrincipalName":"user%[2]d@example.org","modifiedProperties":[%[6]s],"administrativeUnits":[]}],"additionalDetails":[{"key":"User-Agent","value":"EvoSTS"},{"key":"UserType","value":"Member"}]}}`,
		pick(r, "Update user", "Add member to role", "Update conditional access policy", "Update device"), r.IntN(255), guid(r), guid(r), guid(r), strings.Join(changes, ","))
}

func sampleUnified(r *rand.Rand) []byte {
	params := `[{"Name":"Identity","Value":"user7"},{"Name":"AuditEnabled","Value":"True"},{"Name":"AuditLogAgeLimit","Value":"90.00:00:00"}]`
	if r.IntN(2) == 0 {
		params = quote(`-Identity "` + guid(r) + `" -TeamsLocation ("All") -Comment "made up [...]" -Enabled $true -RetentionDuration 2190`)
	}
	return fmt.Appendf(nil, `{"CreationTime":"2026-01-05T09:10:%02d","Id":"%s","Operation":"%s","OrganizationId":"0f1a6c30-0000-4000-8000-0000000000ab","RecordType":%d,"ResultStatus":"True","UserKey":"1003%d","UserType":2,"Version":1,"Workload":"Exchange","ClientIP":"203.0.113.20:33758","ObjectId":"example.org\\policies\\%[5]d","UserId":"admin@example.org","AppId":"","ExternalAccess":false,"OrganizationName":"example.org","OriginatingServer":"SERVER%[5]d (15.20.4042.016)\r\n","Parameters":%[6]s,"SessionId":""}`,
		r.IntN(60), guid(r), pick(r, "Set-Mailbox", "New-RetentionCompliancePolicy", "FileAccessed", "MailItemsAccessed"), pick2(r, 1, 18, 6, 50), r.IntN(10000), params)
}

func pick2(r *rand.Rand, of ...int) int { return of[r.IntN(len(of))] }

func sampleActivity(r *rand.Rand) []byte {
	return fmt.Appendf(nil, `{"time":"2026-01-05T09:10:%02d.0000000Z","resourceId":"/SUBSCRIPTIONS/%s/RESOURCEGROUPS/RG/PROVIDERS/MICROSOFT.STORAGE/STORAGEACCOUNTS/PHI01","operationName":"MICROSOFT.STORAGE/STORAGEACCOUNTS/WRITE","category":"Administrative","resultType":"%s","resultSignature":"Succeeded.OK","durationMs":"20","callerIpAddress":"203.0.113.7","correlationId":"%s","identity":{"authorization":{"scope":"/subscriptions/x","action":"Microsoft.Storage/storageAccounts/write","evidence":{"role":"Owner","roleAssignmentScope":"/subscriptions/x","principalType":"User"}},"claims":{"aud":"https://management.example.org/","http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn":"admin@example.org","appid":"%s","http://schemas.microsoft.com/claims/authnmethodsreferences":"pwd,mfa"}},"level":"Information","properties":{"entity":"/subscriptions/x","message":"Microsoft.Storage/storageAccounts/write","hierarchy":"x","statusCode":"OK","requestbody":"{\"properties\":{\"supportsHttpsTrafficOnly\":false,\"minimumTlsVersion\":\"TLS1_0\"}}","responseBody":"{\"id\":\"x\",\"properties\":{\"provisioningState\":\"Succeeded\"}}"}}`,
		r.IntN(60), guid(r), pick(r, "Start", "Success", "Failure"), guid(r), guid(r))
}

// samplePaths are 45 plain paths such as rules and the normaliser ask for.
var samplePaths = strings.Fields(`time category operationName tenantId resultType resultSignature callerIpAddress correlationId identity location
 properties.id properties.createdDateTime properties.userPrincipalName properties.userId properties.userType properties.appId properties.appDisplayName properties.resourceDisplayName properties.resourceId properties.clientAppUsed
 properties.userAgent properties.isInteractive properties.authenticationProtocol properties.authenticationRequirement properties.authenticationDetails.authenticationMethod properties.authenticationDetails.succeeded properties.authenticationDetails.authenticationStepResultDetail properties.conditionalAccessStatus properties.appliedConditionalAccessPolicies.id properties.appliedConditionalAccessPolicies.result
 properties.deviceDetail.isCompliant properties.deviceDetail.isManaged properties.deviceDetail.trustType properties.status.errorCode properties.status.failureReason properties.riskLevelDuringSignIn properties.riskLevelAggregated properties.riskState properties.location.countryOrRegion properties.homeTenantId
 properties.initiatedBy.user.userPrincipalName properties.targetResources.id Operation RecordType UserId`)
