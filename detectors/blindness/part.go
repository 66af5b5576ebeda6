package blindness

import (
	"strings"

	"phiwatch/ingest"
)

// categories are those parts of a kind that a setting can leave out and that are
// heard in a rhythm. Others, such as service health, come for a week and then not
// for a year.
var categories = map[ingest.Kind][]string{
	ingest.AzureActivity: {"Administrative", "Policy"},
	ingest.Intune:        {"AuditLogs", "OperationalLogs", "DeviceComplianceOrg", "Devices"},
}

// dlp is the part of the unified audit log that a forwarder asks for by itself
// (the content type DLP.All), whatever workload its records are of.
const dlp = "DLP"

// partOf names the part of its kind that an event belongs to, and that may fall
// silent while others flow: a workload, a category. Empty: none.
func partOf(ev *ingest.Event) string {
	switch ev.Kind {
	case ingest.M365Audit:
		if len(ev.Action) >= len(dlp) && strings.EqualFold(ev.Action[:len(dlp)], dlp) {
			return dlp
		}
		return ev.Workload
	case ingest.AzureActivity, ingest.Intune:
		if ev.Doc == nil {
			return ""
		}
		name := ev.Doc.Text(categoryPath)
		for _, known := range categories[ev.Kind] {
			if strings.EqualFold(name, known) {
				return known
			}
		}
	}
	return ""
}
