package console

import (
	"cmp"
	"strings"

	"phiwatch/alerting"
)

// ANSI colours of the sixteen every terminal has; the user's theme picks the shades.
const (
	red, green, yellow, blue, magenta = "31", "32", "33", "34", "35"
	bold, dim                         = "1", "2"
)

var stateColors = map[alerting.Status]string{
	alerting.StatusOpen: red, alerting.StatusAcknowledged: yellow, alerting.StatusRestored: green, alerting.StatusClosed: blue,
}

var severityColors = map[string]string{"critical": bold + ";" + red, "high": red, "medium": yellow, "low": blue}

// stateWords are short enough for a column.
var stateWords = map[alerting.Status]string{
	alerting.StatusOpen: "OPEN", alerting.StatusAcknowledged: "ACKED", alerting.StatusRestored: "RESTORED", alerting.StatusClosed: "CLOSED",
}

func (r *Receiver) state(s alerting.Status) string {
	return r.paint(cmp.Or(stateColors[s], magenta), pad(cmp.Or(stateWords[s], strings.ToUpper(text(string(s), 8))), 8))
}

func (r *Receiver) severity(v alerting.Violation) string {
	return r.paint(severityColors[v.Severity], pad(text(v.Severity, 8), 8))
}

func (r *Receiver) bold(s string) string { return r.paint(bold, s) }

func (r *Receiver) dim(s string) string { return r.paint(dim, s) }

func (r *Receiver) paint(code, s string) string {
	if !r.options.Color || code == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}
