package alerting

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"phiwatch/detectors"
)

// badParameter is a request's fault, with the remedy.
type badParameter struct {
	name string
	err  error
}

var parameters = []string{"cursor", "entry", "limit", "safeguard", "severity", "state", "tenant"}

var statuses = []string{string(StatusOpen), string(StatusAcknowledged), string(StatusRestored), string(StatusClosed)}

// parseFilter reads the query of GET violations. A parameter may be given
// several times, or hold several values with commas between: any of them.
func parseFilter(q url.Values) (Filter, *badParameter) {
	var f Filter
	for name := range q {
		if !slices.Contains(parameters, name) {
			return f, &badParameter{name, fmt.Errorf("unknown parameter %q: use one of %s", name, strings.Join(parameters, ", "))}
		}
	}
	for _, s := range values(q, "state") {
		if !slices.Contains(statuses, s) {
			return f, unlisted("state", s, statuses)
		}
		f.State = append(f.State, Status(s))
	}
	for _, s := range values(q, "severity") {
		i := slices.IndexFunc(severities(), func(name string) bool { return slices.Contains(spellings("severity", name), s) })
		if i < 0 {
			return f, unlisted("severity", s, severities())
		}
		f.Severity = append(f.Severity, detectors.Severity(i))
	}
	f.Entry, f.Safeguard, f.Tenant = values(q, "entry"), values(q, "safeguard"), values(q, "tenant")
	f.Cursor = q.Get("cursor")
	if s := q.Get("limit"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > MaxLimit {
			return f, &badParameter{"limit", fmt.Errorf("limit %q is not a number from 1 to %d", s, MaxLimit)}
		}
		f.Limit = n
	}
	return f, nil
}

func unlisted(name, value string, listed []string) *badParameter {
	return &badParameter{name, fmt.Errorf("%s %q is not one of %s", name, value, strings.Join(listed, ", "))}
}

func values(q url.Values, name string) []string {
	var out []string
	for _, v := range q[name] {
		for s := range strings.SplitSeq(v, ",") {
			if s = strings.TrimSpace(s); s != "" {
				out = append(out, s)
			}
		}
	}
	return out
}
