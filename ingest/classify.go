package ingest

import (
	"strings"
	"time"

	"phiwatch/ingest/document"
)

// A family is how the records of one kind are read.
type family struct {
	kind Kind
	read func(*Decoder, *Event)
}

var (
	unknownFamily  = family{Unknown, (*Decoder).readUnknown}
	auditFamily    = family{EntraAudit, (*Decoder).readEntraAudit}
	signInFamily   = family{EntraSignIn, (*Decoder).readSignIn}
	riskFamily     = family{EntraRisk, (*Decoder).readRisk}
	activityFamily = family{AzureActivity, (*Decoder).readActivity}
	keyVaultFamily = family{KeyVault, (*Decoder).readKeyVault}
	intuneFamily   = family{Intune, (*Decoder).readIntune}
	m365Family     = family{M365Audit, (*Decoder).readM365}
)

// category is what the envelope's category tells: a family, or a question that
// another field answers.
type category struct {
	family
	ask func(*Decoder) (family, bool) // false: the category was another family's own
}

// categories holds the categories of diagnostic settings, in lower case.
// Those of the activity log are the event schema's ("Azure Activity Log event
// schema") and, before 2019, the last word of the operation's name.
var categories = map[string]category{
	"auditlogs":                    {ask: (*Decoder).entraOrIntune},
	"audit":                        {family: auditFamily}, // Entra's name of 2018
	"signinlogs":                   {family: signInFamily},
	"signin":                       {family: signInFamily}, // 2018
	"adfssigninlogs":               {family: signInFamily},
	"noninteractiveusersigninlogs": {family: family{EntraNonInteractiveSignIn, (*Decoder).readSignIn}},
	"serviceprincipalsigninlogs":   {family: family{EntraServicePrincipalSignIn, (*Decoder).readServiceSignIn}},
	"managedidentitysigninlogs":    {family: family{EntraManagedIdentitySignIn, (*Decoder).readServiceSignIn}},
	"riskyusers":                   {family: riskFamily},
	"userriskevents":               {family: riskFamily},
	"riskyserviceprincipals":       {family: riskFamily},
	"serviceprincipalriskevents":   {family: riskFamily},

	"administrative": {family: activityFamily, ask: (*Decoder).activity},
	"action":         {family: activityFamily, ask: (*Decoder).activity},
	"write":          {family: activityFamily, ask: (*Decoder).activity},
	"delete":         {family: activityFamily, ask: (*Decoder).activity},
	"policy":         {family: activityFamily, ask: (*Decoder).activity},
	"security":       {family: activityFamily, ask: (*Decoder).activity},
	"alert":          {family: activityFamily, ask: (*Decoder).activity},
	"resourcehealth": {family: activityFamily, ask: (*Decoder).activity},
	"servicehealth":  {family: activityFamily, ask: (*Decoder).activity},
	"autoscale":      {family: activityFamily, ask: (*Decoder).activity},
	"recommendation": {family: activityFamily, ask: (*Decoder).activity},

	"auditevent": {ask: (*Decoder).keyVault},

	"operationallogs":     {ask: (*Decoder).intuneOperational},
	"devicecomplianceorg": {family: intuneFamily},
	"devices":             {ask: (*Decoder).intuneOperational},
	"windows365auditlogs": {family: intuneFamily},

	"advancedhunting-cloudappevents": {ask: (*Decoder).cloudApp},
	"enrichedoffice365auditlogs":     {ask: (*Decoder).enriched},
	"enrichedmicrosoft365auditlogs":  {ask: (*Decoder).enriched},
}

// Paths of the envelope.
var (
	pCategory      = field("category")
	pCategoryValue = field("CategoryValue")  // Log Analytics rows of AzureActivity
	pSnakeCategory = field("category.value") // the activity log as Azure's Python SDK dumps it
	pProperties    = field("properties")
	pResourceID    = field("resourceId")
	pOperationName = field("operationName")
	pTenantID      = field("tenantId")
	pTime          = field("time")
	pTimeGenerated = field("TimeGenerated")
	pCorrelationID = field("correlationId")
	pResultType    = field("resultType")
	pCallerIP      = field("callerIpAddress")
	pIdentity      = field("identity")

	pActivityDisplayName = field("properties.activityDisplayName")
	pIntuneActivity      = field("properties.ActivityType")
	pIntuneAccount       = field("properties.IntuneAccountId")
	pRawWorkload         = field("properties.RawEventData.Workload")
	pRawRecordType       = field("properties.RawEventData.RecordType")
)

// Paths at the root of records without an envelope.
var (
	pRootActivityName = field("activityDisplayName")
	pRootRecordType   = field("RecordType")
	pRootOperation    = field("Operation")
	pRootCreation     = field("CreationTime")
	pRootCreated      = field("createdDateTime")
	pRootAppID        = field("appId")
	pRootRiskState    = field("riskState")
	pRootRiskLevel    = field("riskLevel")
	pRootSignInTypes  = field("signInEventTypes")
	pRootInteractive  = field("isInteractive")
	pRootRawWorkload  = field("RawEventData.Workload")
	pRootRawType      = field("RawEventData.RecordType")
)

// classify tells the record's family and reads it into e.
func (d *Decoder) classify(e *Event) {
	f := d.family()
	e.Kind = f.kind
	d.walk(e)
	f.read(d, e)
	e.Op = d.operation(e.Action)
	if e.Time.IsZero() {
		e.Time = e.Enqueued
	}
}

func (d *Decoder) family() family {
	if d.doc.Kind() != document.Object {
		return unknownFamily
	}
	if name := d.envelope("category", pCategory); name != "" {
		if f, ok := d.byCategory(name); ok {
			return f
		}
	} else if d.has(pCategoryValue) || d.has(pSnakeCategory) && d.has(pActSnakeOp) {
		return activityFamily
	}
	return d.byShape()
}

func (d *Decoder) byCategory(name string) (family, bool) {
	c := d.category(name)
	switch {
	case c.read == nil && c.ask == nil:
		return family{}, false
	case c.ask != nil:
		return c.ask(d)
	}
	d.bare()
	return c.family, true
}

// byShape tells records without a category of the envelope's.
func (d *Decoder) byShape() family {
	switch {
	case d.has(pRootRecordType) && (d.has(pRootOperation) || d.has(pRootCreation)):
		return m365Family
	case d.has(pRootActivityName):
		d.doc.SetLayout(document.Graph)
		return auditFamily
	case d.has(pRootCreated) && d.has(pRootAppID):
		d.doc.SetLayout(document.Graph)
		return d.graphSignIn()
	case d.has(pRootRiskState) && d.has(pRootRiskLevel):
		d.doc.SetLayout(document.Graph)
		return riskFamily
	case d.has(pRootRawType) && d.has(pRootRawWorkload):
		d.doc.SetLayout(document.CloudApp)
		return m365Family
	}
	return unknownFamily
}

// bare sets the Graph layout for records of an Entra category that have no
// properties: stubs and Log Analytics rows, whose columns are at the root.
func (d *Decoder) bare() {
	if d.doc.Member("properties").Kind <= document.Null {
		d.doc.SetLayout(document.Graph)
	}
}

func (d *Decoder) entraOrIntune() (family, bool) {
	d.bare()
	if !d.has(pActivityDisplayName) && d.has(pIntuneActivity) {
		return intuneFamily, true
	}
	return auditFamily, true
}

// activity tells activity records from the unified audit's and Graph's, and from
// rows of Log Analytics, which have categories of their own under the same names.
func (d *Decoder) activity() (family, bool) {
	return activityFamily, !d.has(pRootActivityName) && !d.has(pRootRecordType)
}

// keyVault tells vaults from other resources with the category AuditEvent.
func (d *Decoder) keyVault() (family, bool) {
	id := d.text(pResourceID)
	if i := indexFold(id, "/providers/"); i >= 0 && indexFold(id[i:], "/microsoft.keyvault/") < 0 {
		return unknownFamily, true
	}
	return keyVaultFamily, true
}

// intuneOperational tells Intune from Event Hubs and others with the category
// OperationalLogs.
func (d *Decoder) intuneOperational() (family, bool) {
	if d.has(pIntuneAccount) || d.has(pIntuneDevice[0]) || d.has(pIntuneAlert[0]) {
		return intuneFamily, true
	}
	return unknownFamily, true
}

// cloudApp tells unified audit records from those of other vendors' apps.
func (d *Decoder) cloudApp() (family, bool) {
	if !d.has(pRawWorkload) || !d.has(pRawRecordType) {
		return unknownFamily, true
	}
	d.doc.SetLayout(document.CloudApp)
	return m365Family, true
}

// graphSignIn tells the sign-in kinds of Graph's signIn objects.
func (d *Decoder) graphSignIn() family {
	switch types := d.text(pRootSignInTypes); {
	case strings.EqualFold(types, "servicePrincipal"):
		return family{EntraServicePrincipalSignIn, (*Decoder).readServiceSignIn}
	case strings.EqualFold(types, "managedIdentity"):
		return family{EntraManagedIdentitySignIn, (*Decoder).readServiceSignIn}
	case strings.EqualFold(types, "nonInteractiveUser"), types == "" && d.text(pRootInteractive) == "false":
		return family{EntraNonInteractiveSignIn, (*Decoder).readSignIn}
	}
	return signInFamily
}

func (d *Decoder) has(p *fieldPath) bool {
	return d.value(p).Kind > document.Null
}

// first returns the first text at the paths, blanks and "<null>" left out.
func (d *Decoder) first(paths ...*fieldPath) string {
	for _, p := range paths {
		if s := strings.TrimSpace(d.text(p)); s != "" && s != "<null>" {
			return s
		}
	}
	return ""
}

// when returns the first believable time at the paths: readable, and not more
// than maxSkew after the hub accepted the message.
func (d *Decoder) when(e *Event, paths ...*fieldPath) time.Time {
	for _, p := range paths {
		t, ok := d.recent.parseTime(d.text(p))
		if ok && (e.Enqueued.IsZero() || t.Sub(e.Enqueued) <= maxSkew) {
			return t
		}
	}
	return time.Time{}
}

// tenant returns the first tenant id at the paths, in lower case; else the one
// in the resource id.
func (d *Decoder) tenant(paths ...*fieldPath) string {
	if id := d.first(paths...); id != "" {
		return d.recent.lowerTenant(id)
	}
	id := d.text(pResourceID)
	if len(id) < 9 || !strings.EqualFold(id[:9], "/tenants/") {
		return ""
	}
	id, _, _ = strings.Cut(id[9:], "/")
	return d.recent.lowerTenant(id)
}

// indexFold is strings.Index without ASCII case; sub is in lower case.
func indexFold(s, sub string) int {
	for i := 0; i+len(sub) <= len(s); i++ {
		if strings.EqualFold(s[i:i+len(sub)], sub) {
			return i
		}
	}
	return -1
}
