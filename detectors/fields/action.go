package fields

import (
	"strings"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
	"phiwatch/ingest/document"
)

// action is the field operationName, or Operation: what was done, wherever the
// record's shape has it (an audit read from Graph has only an
// activityDisplayName), as logged and, if that differs, without surrounding
// blanks and closing full stop. Records of no known kind have it where they
// have it.
type action struct{ path *document.Path }

// newAction returns the computed field of a name, or nil if it is another field.
func newAction(name string) (computed, error) {
	if !strings.EqualFold(name, "operationName") && !strings.EqualFold(name, "Operation") {
		return nil, nil
	}
	p, err := document.Compile(name)
	return &action{p}, err
}

func (a *action) append(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	if ev.Kind == ingest.Unknown {
		for _, v := range ev.Doc.Values(a.path, nil) {
			dst = append(dst, sigma.Value{Kind: sigma.Kind(v.Kind), Text: v.Text})
		}
		return dst
	}
	if ev.Action == "" {
		return dst
	}
	dst = append(dst, sigma.Value{Kind: sigma.String, Text: ev.Action})
	if len(ev.Op) != len(ev.Action) {
		dst = append(dst, sigma.Value{Kind: sigma.String, Text: ev.Op})
	}
	return dst
}
