package fields

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
	"phiwatch/ingest/document"
)

// lifecycle are the days after which the rules of a storage account's life cycle
// delete files. A rule is on unless it says otherwise, which no path can tell.
type lifecycle struct{ rules *document.Path }

func newLifecycle(arg string, _ map[string][]string) (computed, error) {
	p, err := document.Compile(arg)
	return &lifecycle{p}, err
}

func (l *lifecycle) append(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	for text := range texts(ev, l.rules) {
		var rules []lifecycleRule
		if json.Unmarshal([]byte(text), &rules) != nil {
			rules = make([]lifecycleRule, 1)
			if json.Unmarshal([]byte(text), &rules[0]) != nil {
				continue
			}
		}
		for _, r := range rules {
			if strings.EqualFold(strings.Trim(string(r.Enabled), `"`), "false") {
				continue
			}
			for _, name := range slices.Sorted(maps.Keys(r.Definition.Actions.BaseBlob.Delete)) {
				days := strings.Trim(string(r.Definition.Actions.BaseBlob.Delete[name]), `"`)
				if n, err := strconv.ParseFloat(days, 64); err == nil && strings.HasPrefix(strings.ToLower(name), "daysafter") {
					dst = append(dst, sigma.Value{Kind: sigma.Number, Text: strconv.FormatFloat(n, 'f', -1, 64)})
				}
			}
		}
	}
	return dst
}

// lifecycleRule is what of a rule matters; numbers and booleans may be texts.
type lifecycleRule struct {
	Enabled    json.RawMessage
	Definition struct {
		Actions struct {
			BaseBlob struct {
				Delete map[string]json.RawMessage
			}
		}
	}
}
