package fields

import (
	"strings"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
	"phiwatch/ingest/document"
)

// sentLogs are the categories, and groups of them, that a diagnostic setting sends.
// The group audit stands for the audit categories that its kind of resource is
// known to have, so that a setting which names the group instead of them has lost
// none.
type sentLogs struct{ categories, groups *document.Path }

func newSent(arg string, _ map[string][]string) (computed, error) {
	s := &sentLogs{}
	var err error
	if s.categories, err = document.Compile(arg + "[enabled=true].category"); err == nil {
		s.groups, err = document.Compile(arg + "[enabled=true].categoryGroup")
	}
	return s, err
}

// auditCategories are those that the group audit has, by part of the resource's id.
var auditCategories = []struct {
	of   string
	have []string
}{
	{"/providers/microsoft.keyvault/", []string{"AuditEvent"}},
	{"/providers/microsoft.sql/", []string{"SQLSecurityAuditEvents"}},
	{"/providers/microsoft.storage/", []string{"StorageRead", "StorageWrite", "StorageDelete"}},
}

func (s *sentLogs) inputs() []*document.Path { return []*document.Path{s.categories, s.groups} }

func (s *sentLogs) append(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	from := len(dst)
	for text := range texts(ev, s.categories) {
		dst = tellOnce(dst, from, text)
	}
	for text := range texts(ev, s.groups) {
		dst = tellOnce(dst, from, text)
		if strings.EqualFold(text, "audit") {
			id := LowerASCII(ev.Target.ID)
			for _, r := range auditCategories {
				if strings.Contains(id, r.of) {
					for _, category := range r.have {
						dst = tellOnce(dst, from, category)
					}
				}
			}
		}
	}
	return dst
}
