package fields

import (
	"strings"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
	"phiwatch/ingest/document"
)

var (
	pathAlertID      = document.MustCompile("AlertId")
	pathAlertName    = document.MustCompile("Name")
	pathM365Result   = document.MustCompile("ResultStatus")
	pathM365Status   = document.MustCompile("Status")
	pathParameters   = document.MustCompile("Parameters")
	pathNonPII       = document.MustCompile("NonPIIParameters")
	pathM365Data     = document.MustCompile("Data")
	pathM365Payload  = document.MustCompile("Payload")
	pathHuntingTable = document.MustCompile("category")
	pathServiceName  = document.MustCompile("properties.ServiceSource")
)

// m365Name is what happened: the operation or, of an alert (record type 40),
// the title of its policy, too.
func m365Name(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	dst = say(dst, ev.Action)
	if ev.Text(pathAlertID) != "" {
		dst = sayAll(dst, ev, pathAlertName)
	}
	return dst
}

// m365Status is how it went, in one word whatever the workload calls it
// ("True", "Succeeded", nothing at all), and the record's own words.
func m365Status(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	return sayAll(sayOutcome(dst, ev), ev, pathM365Result, pathM365Status)
}

// m365Payload is the command that was run: its name and its parameters, which
// the compliance centre has as one command line and Exchange as a list.
func m365Payload(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	return sayAll(say(dst, ev.Action), ev, pathParameters, pathNonPII, pathM365Data, pathM365Payload)
}

// alertServices are the services whose alerts the compliance centre records,
// too (record type 40), under the workload SecurityComplianceCenter; in lower
// case and without blanks, since rows are seen with and without.
var alertServices = map[string]bool{
	"microsoftdefenderforcloudapps": true, "microsoftcloudappsecurity": true,
	"microsoftdefenderforoffice365": true, "office365securityandcompliance": true, "microsoftdatalossprevention": true,
}

// isAlertInfo tells the rows of AlertInfo, each of which is one alert.
func isAlertInfo(ev *ingest.Event) bool {
	return strings.EqualFold(ev.Text(pathHuntingTable), "AdvancedHunting-AlertInfo")
}

func alertSource(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	if isAlertInfo(ev) && alertServices[squeezed(ev.Text(pathServiceName))] {
		dst = say(dst, "SecurityComplianceCenter")
	}
	return dst
}

// alertStatus: an alert that is streamed was raised.
func alertStatus(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	if isAlertInfo(ev) {
		dst = say(dst, "success")
	}
	return dst
}
