package ingest

import "slices"

// needs are the fields that one walk reads of each kind: those that nearly
// every record is asked for. What is only a way out when another is missing is
// looked up then. Sign-ins are most of the traffic, so their list is short; in
// the small records of other kinds a field that is not there costs nothing.
var needs = [kindCount][]*fieldPath{
	EntraAudit:                  auditNeeds,
	EntraSignIn:                 userSignInNeeds,
	EntraNonInteractiveSignIn:   userSignInNeeds,
	EntraServicePrincipalSignIn: serviceSignInNeeds,
	EntraManagedIdentitySignIn:  serviceSignInNeeds,
	EntraRisk:                   riskNeeds,
	AzureActivity:               activityNeeds,
	KeyVault:                    vaultNeeds,
	Intune:                      intuneNeeds,
	M365Audit:                   m365Needs,
}

var (
	signInNeeds = []*fieldPath{pSignInID, pTenantID, pSignInTime, pOperationName, pResultType, pSignInIP, pSignInAppID, pSignInAppName}

	userSignInNeeds    = append(slices.Clip(signInNeeds), pSignInUserID, pSignInUPN)
	serviceSignInNeeds = append(slices.Clip(signInNeeds), pSignInSPID, pSignInSPName, pSignInResource, pSignInResName)

	auditNeeds = []*fieldPath{pAuditID, pTenantID, pAuditTime, pOperationName, pAuditResult, pAuditUserID, pAuditUserUPN, pAuditUserName,
		pAuditAppSP, pAuditAppID, pAuditAppName, pCallerIP, pAuditUserIP, pAuditTarget, pAuditTargetNam, pAuditTargetUPN, pAuditTargetTyp}

	riskNeeds = []*fieldPath{pRiskID, pTenantID, pOperationName, pRiskState, pRiskDetail, pRiskUpdated, pRiskChanged, pRiskDetected, pRiskActivity,
		pRiskIP, pRiskUserID, pRiskUPN, pRiskUserName, pRiskSPID, pRiskSPName, pRiskSPAltName, pRiskEventType}

	activityNeeds = slices.Concat([]*fieldPath{pTenantID, pActClaimTenant, pActHierarchy, pActSignature, pActWorkspaceOp, pActCaller},
		pActOperation, pActResult[:1], pActResource[:1], pActCorrelation[:1], pActTime[:1], pActIP, pActOID, pActUPN, pActEmail, pActAppID, pActPrincipalType)

	vaultNeeds = []*fieldPath{pOperationName, pResourceID, pCorrelationID, pTime, pTenantID, pResultType, pCallerIP, pVaultID, pVaultURI, pVaultStatus,
		pVaultSignature, pVaultTenant, pVaultClaimTid, pVaultClaimTURI, pVaultOID, pVaultOIDURI, pVaultUPN, pVaultUPNURI, pVaultAppID, pVaultClaimIP}

	intuneNeeds = slices.Concat([]*fieldPath{pTenantID, pOperationName, pIntuneActivity, pIntuneTenant, pIntuneID, pCorrelationID, pTime, pIntuneDate, pResultType,
		pIntuneStatus, pIntuneActorID, pIntuneActorApp, pIntuneActorAppNm, pIntuneTarget, pIntuneBatch}, pIntuneActorUPN, pIntuneTargetName,
		pIntuneDevice, pIntuneDeviceName, pIntuneAlert, pIntuneStart)

	m365Needs = slices.Concat([]*fieldPath{pM365Report, pM365Result, pM365User, pM365UserKey, pM365UserType, pM365ListItem},
		pM365ID, pM365Tenant, pM365Time[:2], pM365Action, pM365Workload, pM365Object, pM365IP)
)
