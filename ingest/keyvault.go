package ingest

import "strings"

var (
	pVaultID        = field("properties.id")
	pVaultURI       = field("properties.requestUri")
	pVaultStatus    = field("properties.httpStatusCode")
	pVaultSignature = field("resultSignature")
	pVaultTenant    = field("properties.properties.tenantId")
	pVaultClaimTid  = field("identity.claim.tid")
	pVaultClaimTURI = field(`identity.claim."http://schemas.microsoft.com/identity/claims/tenantid"`)
	pVaultOID       = field("identity.claim.oid")
	pVaultOIDURI    = field(`identity.claim."http://schemas.microsoft.com/identity/claims/objectidentifier"`)
	pVaultUPN       = field("identity.claim.upn")
	pVaultUPNURI    = field(`identity.claim."http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"`)
	pVaultAppID     = field("identity.claim.appid")
	pVaultClaimIP   = field("identity.claim.ipaddr")
)

// readKeyVault reads a vault's AuditEvent, of the data plane and of the
// management plane, whose claims have long names. Time: time. A tenant is
// rarely named. The target is the key, secret, certificate or vault addressed.
func (d *Decoder) readKeyVault(e *Event) {
	e.Action = d.text(pOperationName)
	resource := d.first(pResourceID)
	id := d.first(pVaultID, pVaultURI)
	e.ID = d.compose(d.first(pCorrelationID), e.Action, id, d.first(pTime))
	e.Tenant = d.tenant(pTenantID, pVaultTenant, pVaultClaimTid, pVaultClaimTURI)
	e.Time = d.when(e, pTime, pTimeGenerated)
	e.Outcome = d.vaultOutcome()
	e.Actor = d.vaultActor()
	e.Target = named(firstOf(id, resource), resource[strings.LastIndexByte(resource, '/')+1:], "Resource")
	if e.IP = parseIP(d.text(pCallerIP)); !e.IP.IsValid() {
		e.IP = parseIP(d.text(pVaultClaimIP))
	}
}

// refusals are the result signatures of calls that were not done, in lower case.
var refusals = map[string]bool{
	"forbidden": true, "unauthorized": true, "not found": true, "notfound": true, "conflict": true, "bad request": true, "badrequest": true,
}

// vaultOutcome does not trust resultType, which is Success on refusals, too: a
// call was done if its status is 2xx and its signature is not a refusal.
// Without a status only a failure is believed.
func (d *Decoder) vaultOutcome() Outcome {
	status := d.text(pVaultStatus)
	refused := refusals[d.fold(d.text(pVaultSignature))]
	switch {
	case refused, status != "" && !(len(status) == 3 && status[0] == '2'):
		return Failure
	case status != "":
		return Success
	}
	if result := d.text(pResultType); result != "" && !strings.EqualFold(result, "success") {
		return Failure
	}
	return OutcomeUnknown
}

func (d *Decoder) vaultActor() Principal {
	id, upn, app := d.first(pVaultOID, pVaultOIDURI), d.first(pVaultUPN, pVaultUPNURI), d.first(pVaultAppID)
	if upn != "" {
		return named(firstOf(id, upn), upn, "User")
	}
	return named(firstOf(id, app), app, "Application")
}
