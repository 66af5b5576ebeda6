package ingest

var (
	pRiskID        = field("properties.id")
	pRiskState     = field("properties.riskState")
	pRiskDetail    = field("properties.riskDetail")
	pRiskUpdated   = field("properties.riskLastUpdatedDateTime") // risky users
	pRiskChanged   = field("properties.lastUpdatedDateTime")     // detections
	pRiskDetected  = field("properties.detectedDateTime")
	pRiskActivity  = field("properties.activityDateTime")
	pRiskIP        = field("properties.ipAddress")
	pRiskUserID    = field("properties.userId")
	pRiskUPN       = field("properties.userPrincipalName")
	pRiskUserName  = field("properties.userDisplayName")
	pRiskSPID      = field("properties.servicePrincipalId")
	pRiskSPName    = field("properties.servicePrincipalDisplayName")
	pRiskSPAltName = field("properties.displayName")
	pRiskEventType = field("properties.riskEventType")
)

// readRisk reads risky users and risk detections, also as Graph's objects. One
// id is told again with every change of state, so the identity holds the state
// and when it was set. Time: the last update, then when the risk was detected,
// when the activity was, and time. A record states what is, so its outcome is
// Success. The target is whoever is at risk; a detection's actor, too.
func (d *Decoder) readRisk(e *Event) {
	id := d.first(pRiskID)
	e.ID = d.compose(id, d.first(pRiskState), d.first(pRiskDetail), d.first(pRiskUpdated, pRiskChanged))
	e.Tenant = d.auditTenant()
	e.Time = d.when(e, pRiskUpdated, pRiskChanged, pRiskDetected, pRiskActivity, pTime, pTimeGenerated)
	e.Outcome = Success
	e.IP = parseIP(d.first(pRiskIP, pCallerIP))
	detection := d.has(pRiskEventType)
	if e.Action = d.text(pOperationName); e.Action == "" {
		e.Action = "Risky user"
		if detection {
			e.Action = "User Risk Detection"
		}
	}
	e.Target = d.riskTarget(id, detection)
	if detection {
		e.Actor = e.Target
	}
}

func (d *Decoder) riskTarget(id string, detection bool) Principal {
	if sp, name := d.first(pRiskSPID), d.first(pRiskSPName); sp != "" || name != "" {
		return named(sp, name, "ServicePrincipal")
	}
	user, upn := d.first(pRiskUserID), d.first(pRiskUPN, pRiskUserName)
	if upn == "" && !detection {
		return named(id, d.first(pRiskSPAltName, pIdentity), "ServicePrincipal") // RiskyServicePrincipals
	}
	if user == "" && !detection {
		user = id // a risky user's id is the user's
	}
	return named(user, upn, "User")
}
