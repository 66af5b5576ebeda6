package sigma

import (
	"fmt"
	"strings"
)

// aggregationRemedy names what replaces an aggregation of Sigma 1.
func aggregationRemedy(rest string) string {
	name, args, _ := strings.Cut(strings.TrimSpace(rest), "(")
	name, _, _ = strings.Cut(strings.TrimSpace(name), " ")
	replacement := map[string]string{"sum": "value_sum", "avg": "value_avg", "near": "temporal", "min": "", "max": ""}
	kind, known := replacement[name]
	switch {
	case name == "count" && strings.HasPrefix(strings.TrimSpace(args), ")"):
		kind = "event_count"
	case name == "count":
		kind = "value_count"
	case known && kind == "":
		return fmt.Sprintf("the aggregation %s() is no longer part of Sigma and has no successor: compare the field with gt or lt", name)
	case !known:
		return fmt.Sprintf("the aggregation %q is no longer part of Sigma: write a correlation document", name)
	}
	return fmt.Sprintf("the aggregation %s is no longer part of Sigma: write a correlation document of type %s with this rule under rules, group-by, timespan and condition", name, kind)
}
