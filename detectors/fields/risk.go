package fields

import (
	"fmt"
	"slices"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
	"phiwatch/ingest/document"
)

// risk tells which of several things that put a user or application at risk a record
// of Identity Protection is about:
//
//	risk.detection   the id of a detection; none of what is known of the user or application
//	                 as a whole, which has an id of the same name
type risk struct{}

var pathRiskID = document.MustCompile("properties.id")

func newRisk(arg string, _ map[string][]string) (computed, error) {
	if arg != "detection" {
		return nil, fmt.Errorf("%q: write risk.detection", arg)
	}
	return risk{}, nil
}

func (risk) inputs() []*document.Path { return append(slices.Clone(pathRiskType), pathRiskID) }

func (risk) append(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	if slices.ContainsFunc(pathRiskType, func(p *document.Path) bool { return ev.Text(p) != "" }) {
		return say(dst, ev.Text(pathRiskID))
	}
	return dst
}
