package fields

import (
	"strings"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
	"phiwatch/ingest/document"
)

// sentLogs are the categories, and groups of them, that a diagnostic setting sends.
// In place of the group audit stand the categories that its kind of resource is
// known to have in it, so that a setting which names the one instead of the other
// has lost nothing.
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
		if have := groupOf(ev, text); have != nil {
			for _, category := range have {
				dst = tellOnce(dst, from, category)
			}
			continue
		}
		dst = tellOnce(dst, from, text)
	}
	return dst
}

// groupOf returns the categories that a group stands for, nil if they are not known.
func groupOf(ev *ingest.Event, group string) []string {
	if !strings.EqualFold(group, "audit") {
		return nil
	}
	id := LowerASCII(ev.Target.ID)
	for _, r := range auditCategories {
		if strings.Contains(id, r.of) {
			return r.have
		}
	}
	return nil
}
