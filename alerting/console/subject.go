package console

import (
	"strings"

	"phiwatch/alerting"
	"phiwatch/alerting/untrusted"
)

// The most characters of a subject's name, and of the subject beside it.
const (
	maxName = 80
	maxTail = 64
)

// subject tells what is weak from its namesakes: the name, and the subject where
// that is another text. A path that ends in the name says both at once.
func (r *Receiver) subject(v alerting.Violation) string {
	name, whole := text(v.SubjectName, maxName), text(v.Subject, 1000)
	if strings.HasSuffix(name, untrusted.Ellipsis) && strings.Contains(name, "/") {
		name = tail(text(v.SubjectName, 1000), maxTail)
	}
	switch {
	case name == "" || strings.EqualFold(name, whole) || name == tail(whole, maxTail):
		return r.bold(tail(whole, maxName))
	case whole == "":
		return r.bold(name)
	case len(whole) > len(name) && strings.HasSuffix(strings.ToLower(whole), "/"+strings.ToLower(name)):
		return r.bold(tail(whole, maxName))
	}
	return r.bold(name) + " (" + tail(whole, maxTail) + ")"
}

// tail is the end of a text, where paths and resource ids differ, from a slash
// on if there is one in it.
func tail(s string, n int) string {
	runes := []rune(s)
	if len(runes) <= n {
		return s
	}
	s = string(runes[len(runes)-n+1:])
	if i := strings.IndexByte(s, '/'); i >= 0 && i < len(s)-1 {
		s = s[i:]
	}
	return untrusted.Ellipsis + s
}

// brief is the first part of a GUID, which tells the few tenants of a house apart.
func brief(tenant string) string {
	first, rest, found := strings.Cut(tenant, "-")
	if !found || len(first) != 8 || len(rest) != 27 {
		return tenant
	}
	return first + untrusted.Ellipsis
}
