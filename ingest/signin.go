package ingest

import "strings"

var (
	pSignInID        = field("properties.id")
	pSignInToken     = field("properties.uniqueTokenIdentifier")
	pSignInTime      = field("properties.createdDateTime")
	pSignInError     = field("properties.status.errorCode")
	pSignInSignature = field("resultSignature")
	pSignInIP        = field("properties.ipAddress")
	pSignInUserID    = field("properties.userId")
	pSignInUPN       = field("properties.userPrincipalName")
	pSignInUserName  = field("properties.userDisplayName")
	pSignInAppID     = field("properties.appId")
	pSignInAppName   = field("properties.appDisplayName")
	pSignInResource  = field("properties.resourceId")
	pSignInResName   = field("properties.resourceDisplayName")
	pSignInSPID      = field("properties.servicePrincipalId")
	pSignInSPName    = field("properties.servicePrincipalName")
)

// signInAction is the operation that the diagnostic feed gives every sign-in;
// Graph's objects have none.
const signInAction = "Sign-in activity"

// readSignIn reads a user's sign-in, interactive or not. The target is the
// application signed in to. Time: createdDateTime, time (when the record was
// written, up to 18 minutes later), TimeGenerated.
func (d *Decoder) readSignIn(e *Event) {
	d.readSignInCommon(e)
	e.Actor = named(d.first(pSignInUserID), d.first(pSignInUPN, pSignInUserName), "User")
	if e.Actor == (Principal{}) {
		e.Actor = Principal{Name: d.first(pIdentity)}
	}
	e.Target = named(d.first(pSignInAppID), d.first(pSignInAppName), "Application")
}

// readServiceSignIn reads the sign-in of a service principal or a managed
// identity. The target is the resource that the token is for.
func (d *Decoder) readServiceSignIn(e *Event) {
	d.readSignInCommon(e)
	e.Actor = named(d.first(pSignInSPID, pSignInAppID), d.first(pSignInSPName, pSignInAppName), "ServicePrincipal")
	e.Target = named(d.first(pSignInResource), d.first(pSignInResName), "Resource")
}

func (d *Decoder) readSignInCommon(e *Event) {
	e.ID = d.first(pSignInID, pSignInToken)
	e.Tenant = d.auditTenant()
	e.Time = d.when(e, pSignInTime, pTime, pTimeGenerated)
	if e.Action = d.text(pOperationName); e.Action == "" {
		e.Action = signInAction
	}
	e.Outcome = d.signInOutcome()
	if e.IP = parseIP(d.text(pSignInIP)); !e.IP.IsValid() {
		e.IP = parseIP(d.text(pCallerIP))
	}
	if e.ID == "" {
		e.ID = d.compose(d.first(pCorrelationID), d.first(pSignInTime, pTime))
	}
}

// signInOutcome reads the error code: 0 is success, any other a failure or an
// interruption.
func (d *Decoder) signInOutcome() Outcome {
	switch code := d.first(pResultType, pSignInError); {
	case code == "0":
		return Success
	case code != "":
		return Failure
	}
	switch signature := d.text(pSignInSignature); {
	case strings.EqualFold(signature, "success"):
		return Success
	case strings.EqualFold(signature, "failure"):
		return Failure
	}
	return OutcomeUnknown
}

// named returns a principal, without a type if nothing else is known of it.
func named(id, name, kind string) Principal {
	if id == "" && name == "" {
		return Principal{}
	}
	return Principal{ID: id, Name: name, Type: kind}
}
