package fields

import (
	"strings"

	"phiwatch/detectors/sigma"
)

// schema lists what the records of a family can hold: the names at their root,
// in every shape that a decoder accepts, and in their properties. Services add
// properties at will, so that only the root is complete; of the unified audit
// log not even that is, since each of its record types has members of its own.
type schema struct {
	open       bool              // there are further names at the root
	roots      map[string]string // lower-cased → as records have it
	properties map[string]string
}

// names makes a set of the words of a text.
func names(texts ...string) map[string]string {
	set := map[string]string{}
	for _, text := range texts {
		for name := range strings.FieldsSeq(text) {
			set[strings.ToLower(name)] = name
		}
	}
	return set
}

// envelope is what every record of a diagnostic setting can have
// (learn.microsoft.com/azure/azure-monitor/platform/resource-logs-schema).
const envelope = `time resourceId operationName operationVersion category resultType resultSignature resultDescription durationMs
	callerIpAddress correlationId identity level location tenantId properties resultReason`

// workspace is what rows of Log Analytics add to theirs.
const workspace = `TimeGenerated Type TenantId SourceSystem Resource ResourceGroup ResourceProvider _ResourceId _SubscriptionId _ItemId MG`

// Members of Entra's objects (learn.microsoft.com/graph/api/resources:
// directoryAudit, signIn, riskDetection, riskyUser) and columns of their tables.
var auditSchema = schema{
	roots: names(envelope, workspace, `AADOperationType AADTenantId`),
	properties: names(`id category correlationId result resultReason activityDisplayName activityDateTime loggedByService operationType
		initiatedBy targetResources additionalDetails userAgent tenantId tenantGeo resultType resultDescription operationName identity identityType
		additionalTargets auditEventCategory targetResourceName targetResourceType targetUpdatedProperties performedBy keyEvents`),
}

var signInSchema = schema{
	roots: names(envelope, workspace, `AADTenantId`),
	properties: names(`id createdDateTime userDisplayName userPrincipalName userId userType appId appDisplayName ipAddress ipAddressFromResourceProvider
		status clientAppUsed userAgent deviceDetail location mfaDetail correlationId conditionalAccessStatus appliedConditionalAccessPolicies
		conditionalAccessPolicies conditionalAccessAudiences authenticationContextClassReferences originalRequestId isInteractive tokenIssuerName
		tokenIssuerType authenticationProcessingDetails networkLocationDetails clientCredentialType processingTimeInMilliseconds riskDetail
		riskLevelAggregated riskLevelDuringSignIn riskState riskEventTypes riskEventTypes_v2 riskLevel resourceDisplayName resourceId resourceIdentity
		resourceServicePrincipalId resourceTenantId resourceOwnerTenantId homeTenantId homeTenantName tenantId authenticationMethodsUsed authenticationDetails
		authenticationRequirement authenticationRequirementPolicies authenticationAppDeviceDetails authenticationAppPolicyEvaluationDetails
		authenticationProtocol authenticationStrengths alternateSignInName signInIdentifier signInIdentifierType signInEventTypes servicePrincipalId
		servicePrincipalName servicePrincipalCredentialKeyId servicePrincipalCredentialThumbprint federatedCredentialId managedServiceIdentity
		uniqueTokenIdentifier sessionId sessionLifetimePolicies incomingTokenType crossTenantAccessType flaggedForReview isTenantRestricted
		autonomousSystemNumber privateLinkDetails ssoExtensionVersion rngcStatus azureResourceId globalSecureAccessIpAddress
		isThroughGlobalSecureAccess originalTransferMethod signInTokenProtectionStatus tokenProtectionStatusDetails appOwnerTenantId
		appServicePrincipalId sourceAppClientId redirectUrl userAdministrativeUnits agent isRisky isExternalUser
		signInTokenProtection managedIdentityType domainHintPresent nextAuthenticationRequirement`),
}

var riskSchema = schema{
	roots: names(envelope, workspace),
	properties: names(`id requestId correlationId riskEventType riskType riskState riskLevel riskDetail source detectionTimingType activity tokenIssuerType
		ipAddress location activityDateTime detectedDateTime lastUpdatedDateTime riskLastUpdatedDateTime userId userDisplayName userPrincipalName userType
		additionalInfo isDeleted isGuest isProcessing mitreTechniqueId crossTenantAccessType homeTenantId resourceTenantId operationName tenantId
		servicePrincipalId servicePrincipalDisplayName displayName appId isEnabled servicePrincipalType keyIds`),
}

// The activity log (learn.microsoft.com/azure/azure-monitor/platform/activity-log-schema)
// in its four shapes.
var activitySchema = schema{
	roots: names(envelope, workspace, `ReleaseVersion RoleLocation Stamp
		authorization caller channels claims description eventDataId eventName eventTimestamp submissionTimestamp httpRequest id operationId relatedEvents
		resourceGroupName resourceProviderName resourceType status subStatus subscriptionId
		event_data_id event_name event_timestamp http_request operation_id operation_name resource_group_name resource_id resource_provider_name
		resource_type sub_status submission_timestamp subscription_id tenant_id correlation_id
		ActivityStatus ActivityStatusValue ActivitySubstatus ActivitySubstatusValue Authorization_d CategoryValue Claims_d EventSubmissionTimestamp
		Hierarchy OperationNameValue Properties_d ResourceProviderValue`),
	properties: names(`entity message hierarchy statusCode statusMessage serviceRequestId requestbody responseBody eventCategory isComplianceCheck policies
		resourceLocation ancestors eventProperties`),
}

// Key Vault (learn.microsoft.com/azure/key-vault/general/logging).
var vaultSchema = schema{
	roots: names(envelope, workspace, `id_s requestUri_s httpStatusCode_d`),
	properties: names(`id requestUri clientInfo httpStatusCode isAccessPolicyMatch tlsVersion keyProperties secretProperties certificateProperties
		certificateIssuerProperties properties sku addedAccessPolicy removedAccessPolicy addedIpRule removedIpRule isAddressAuthorized isRbacAuthorized
		appliedAssignmentId addrAuthType vaultProperties subnetId networkAcls operationName certificatePolicyProperties nsp
		trustedService`),
}

// Intune (learn.microsoft.com/azure/azure-monitor/reference/tables/intuneauditlogs and its neighbours).
var intuneSchema = schema{
	roots: names(envelope, workspace),
	properties: names(`ActivityDate ActivityResultStatus ActivityType Actor AdditionalDetails AuditEventId Category RelationId TargetDisplayNames
		TargetObjectIds Targets AlertType AlertDisplayName Description IntuneAccountId IntuneDeviceId DeviceId DeviceName DeviceHostName DeviceDnsDomain
		DeviceNetBiosName AADTenantId BatchId StartTimeUtc EnrollmentTimeUTC EnrollmentType FailureCategory FailureReason IntuneUserId Os OsVersion UserName
		UserDisplayName UserEmail UPNSuffix UPN ScaleUnit ScenarioName Time ComplianceState ComplianceState_loc InGracePeriodUntil LastContact ManagementAgents
		Model Ownership OS OSDescription OwnerType PrimaryUser ReferenceId RetireAfterDatetime SerialNumber IMEI`),
}

// m365Schema holds the members that many record types share
// (learn.microsoft.com/office/office-365-management-api/office-365-management-activity-api-schema).
var m365Schema = schema{open: true, roots: names(`Id RecordType CreationTime Operation OrganizationId UserType UserKey Workload ResultStatus ObjectId UserId ClientIP
	Scope AppAccessContext Version ApplicationId ActorIpAddress Actor ActorContextId InterSystemsId IntraSystemId Target TargetContextId
	ExtendedProperties ModifiedProperties AzureActiveDirectoryEventType ClientIPAddress ClientInfoString ExternalAccess InternalLogonType LogonType
	LogonUserSid MailboxGuid MailboxOwnerSid MailboxOwnerUPN OrganizationName OriginatingServer Parameters NonPIIParameters SessionId Item Folder
	AffectedItems EventSource ItemType ListId ListItemUniqueId Site UserAgent WebId SiteUrl SourceFileExtension SourceFileName SourceRelativeUrl
	DestinationFileName DestinationRelativeUrl CorrelationId EventData TargetUserOrGroupType TargetUserOrGroupName UniqueSharingId AlertId AlertType
	AlertLinks AlertEntityId EntityType Category Comments Data Name PolicyId Severity Source Status SensitivityLabelEventData SensitivityLabelId
	OldSensitivityLabelId Directionality DeliveryAction NetworkMessageId InternetMessageId P1Sender P2Sender Recipients SenderIp Subject Verdict
	CmdletVersion EffectiveOrganization ClientApplication StartTime UserServicePlan SecurityComplianceCenterEventType ErrorNumber LogonError
	DeviceProperties SupportTicketId Object1Id Object1Name Object1Type TeamName TeamGuid ChannelName Members`)}

// root reports whether records have a field at their root, or phiwatch computes
// one of its name from any record.
func (s *schema) root(field string) bool {
	head := headOf(field)
	_, known := s.roots[head]
	return known || views[head] || computers[head] != nil || eventFields[strings.ToLower(field)] != nil || strings.HasPrefix(head, "@") || strings.HasPrefix(head, "_")
}

// views are the first segments that paths give a meaning of their own.
var views = map[string]bool{"modified": true, "param": true, "detail": true, "body": true}

// path returns where a record has a field: where it is named, or in the
// properties.
func (s *schema) path(field string) string {
	if s.root(field) {
		return field
	}
	if _, known := s.properties[headOf(field)]; known {
		return "properties." + field
	}
	return field
}

// doubtful reports whether no record can have the renamed field and what was
// probably meant. Where there are further names, only a slip of the pen is
// doubtful.
func (s *schema) doubtful(field string) (meant string, doubtful bool) {
	head := headOf(field)
	switch known := s.root(field); {
	case !known && s.open:
		meant = slip(head, s.roots)
		return meant, meant != ""
	case !known:
		return s.nearest(head), true
	}
	if head != "properties" || len(s.properties) == 0 {
		return "", false
	}
	_, rest, _ := strings.Cut(field, ".")
	if _, known := s.properties[headOf(rest)]; known || rest == "" {
		return "", false
	}
	if meant = slip(headOf(rest), s.properties); meant == "" {
		return "", false
	}
	return "properties." + meant, true
}

// nearest returns the name at the root or in the properties that is closest to
// a mistyped one, or "".
func (s *schema) nearest(head string) string {
	if meant := near(head, s.roots, 2); meant != "" {
		return meant
	}
	if meant := near(head, s.properties, 2); meant != "" {
		return "properties." + meant
	}
	return ""
}

// headOf returns the first segment of a path, in lower case, without predicate.
func headOf(field string) string {
	if i := strings.IndexAny(field, ".["); i >= 0 {
		field = field[:i]
	}
	return strings.ToLower(strings.Trim(field, `"`))
}

// near returns the name with the fewest edits from word, at most limit and a
// fifth of its length.
func near(word string, known map[string]string, limit int) string {
	best, found := min(limit, len(word)/5)+1, ""
	for low, name := range known {
		if d := sigma.Edits(word, low, best); d < best || d == best && found != "" && name < found {
			best, found = d, name
		}
	}
	return found
}

// slip returns the name of which word is a slip of the pen: inside of it, one
// letter is missing or too many, or two have changed places. Plurals, digits and
// underscores make names of their own.
func slip(word string, known map[string]string) string {
	found := ""
	for low, name := range known {
		if isSlip(word, low) && (found == "" || name < found) {
			found = name
		}
	}
	return found
}

func isSlip(word, name string) bool {
	short, long := word, name
	if len(short) > len(long) {
		short, long = long, short
	}
	i := 0
	for i < len(short) && short[i] == long[i] {
		i++
	}
	switch rest := len(long) - i; {
	case len(name) < 5 || i == 0 || rest < 2:
		return false
	case len(short) == len(long):
		return short[i] == long[i+1] && short[i+1] == long[i] && short[i+2:] == long[i+2:]
	}
	return len(long) == len(short)+1 && long[i] >= 'a' && long[i] <= 'z' && short[i:] == long[i+1:]
}
