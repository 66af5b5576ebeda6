package fields

import (
	"strings"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
	"phiwatch/ingest/document"
)

var (
	pathErrorCode    = []*document.Path{document.MustCompile("resultType"), document.MustCompile("properties.status.errorCode")}
	pathFailure      = document.MustCompile("properties.status.failureReason")
	pathMoreDetails  = document.MustCompile("properties.status.additionalDetails")
	pathStepDetail   = document.MustCompile("properties.authenticationDetails.authenticationStepResultDetail")
	pathStatus       = document.MustCompile("properties.status")
	pathAccess       = document.MustCompile("properties.conditionalAccessStatus")
	pathClientApp    = document.MustCompile("properties.clientAppUsed")
	pathProtocol     = document.MustCompile("properties.authenticationProtocol")
	pathTransfer     = document.MustCompile("properties.originalTransferMethod")
	pathSignInAgent  = document.MustCompile("properties.userAgent")
	pathSignInUPN    = document.MustCompile("properties.userPrincipalName")
	pathSignInUser   = document.MustCompile("properties.userDisplayName")
	pathSignInUserID = document.MustCompile("properties.userId")
	pathRiskType     = []*document.Path{document.MustCompile("properties.riskEventType"), document.MustCompile("properties.riskType")}
)

// signInErrors are the names and texts of error codes that rules quote where
// the record has a longer or newer text: from the error reference
// (learn.microsoft.com/entra/identity-platform/reference-error-codes) and, last,
// from the SecOps guide.
var signInErrors = headed(map[string][]string{
	"50053":  {"IdsLocked", "The account is locked"},
	"50057":  {"UserDisabled", "The user account is disabled", "User account is disabled. The account has been disabled by an administrator."},
	"50074":  {"UserStrongAuthClientAuthNRequired", "Strong authentication is required", "Strong Auth required"},
	"50076":  {"UserStrongAuthClientAuthNRequired", "Multifactor authentication is required"},
	"50097":  {"DeviceAuthenticationRequired", "Device authentication is required"},
	"50126":  {"InvalidUserNameOrPassword", "Invalid username or password"},
	"50155":  {"DeviceAuthenticationFailed", "Device authentication failed for this user"},
	"50158":  {"ExternalSecurityChallenge", "External security challenge was not satisfied"},
	"53003":  {"BlockedByConditionalAccess", "Access has been blocked by Conditional Access policies", "Blocked by Conditional Access"},
	"500121": {"AuthenticationFailed", "Authentication failed during strong authentication request"},
})

// headed adds the form in which the reference heads an error: "Name - text".
func headed(errors map[string][]string) map[string][]string {
	for code, texts := range errors {
		errors[code] = append(texts, texts[0]+" - "+texts[1])
	}
	return errors
}

// signInDescription is how a sign-in ended, in the record's words, in one word
// and in those that the error code is documented with.
func signInDescription(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	dst = sayAll(sayOutcome(dst, ev), ev, pathReasonLA, pathFailure, pathMoreDetails)
	for _, path := range pathErrorCode {
		if code := ev.Text(path); code != "" {
			for _, text := range signInErrors[code] {
				dst = say(dst, text)
			}
			break
		}
	}
	return dst
}

// signInStatus is the portal's column Status and the record's object of that
// name with its texts; what an MFA prompt came to stands there or in a step.
func signInStatus(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	dst = sayAll(sayOutcome(dst, ev), ev, pathFailure, pathMoreDetails, pathStepDetail)
	dst, _ = values(dst, ev, pathStatus)
	return dst
}

// accessWords are the values that older records have as numbers.
var accessWords = map[string]string{"0": "success", "1": "failure", "2": "notApplied"}

func signInAccess(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	status := ev.Text(pathAccess)
	return say(say(dst, status), accessWords[status])
}

// clientWords are the clients that rules name otherwise than records do.
var clientWords = map[string]string{
	"other clients": "Other client", "imap4": "IMAP", "pop": "POP3", "mapi over http": "MAPI", "authenticated smtp": "SMTP", "smtp": "Authenticated SMTP",
}

func signInClient(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	client := ev.Text(pathClientApp)
	return say(say(dst, client), fold(clientWords, client))
}

func signInUser(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	if ev.Text(pathSignInUPN) != "" {
		dst = say(dst, byUPN)
	}
	return sayAll(dst, ev, pathSignInUPN, pathSignInUser, pathSignInUserID)
}

// signInReports is the portal's name of its sign-in reports.
const signInReports = "Sign-ins"

// signInReport is the report of the portal that holds the record.
func signInReport(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	return say(say(dst, signInReports), ev.Action)
}

// signInMessage is the protocol, in the portal's words, and the texts of the status.
func signInMessage(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	protocol := ev.Text(pathProtocol)
	dst = say(dst, protocol)
	switch {
	case strings.EqualFold(protocol, "deviceCode"), strings.EqualFold(ev.Text(pathTransfer), "deviceCodeFlow"):
		dst = say(dst, "Device Code")
	case strings.Contains(ev.Text(pathSignInAgent), "BAV2ROPC") && !strings.EqualFold(protocol, "ropc"):
		dst = say(dst, "ROPC")
	}
	return sayAll(dst, ev, pathReasonLA, pathFailure, pathMoreDetails)
}

// riskType gives detections of Defender for Cloud Apps under both of their
// names, with and without its prefix.
func riskType(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	from := len(dst)
	dst = sayAll(dst, ev, pathRiskType...)
	for _, v := range dst[from:] {
		if rest, found := strings.CutPrefix(v.Text, "mcas"); found && rest != "" {
			dst = say(dst, strings.ToLower(rest[:1])+rest[1:])
		}
	}
	return dst
}
