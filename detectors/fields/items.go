package fields

import (
	"strings"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
	"phiwatch/ingest/document"
)

// items reads what lists hold, however they are written: as a list, or several in
// one text, "a;b", "a, b", `["a","b"]`. A name with a separator in it falls apart,
// but alike wherever it stands, so it is still known again.
type items struct{ paths []*document.Path }

func newItems(arg string, _ map[string][]string) (computed, error) {
	c := &items{}
	for path := range strings.SplitSeq(arg, ",") {
		p, err := document.Compile(strings.TrimSpace(path))
		if err != nil {
			return nil, err
		}
		c.paths = append(c.paths, p)
	}
	return c, nil
}

func (c *items) inputs() []*document.Path { return c.paths }

func (c *items) append(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	seen := map[string]bool{}
	for _, p := range c.paths {
		for text := range texts(ev, p) {
			for item := range itemsOf(text) {
				dst = sayOnce(dst, seen, item)
			}
		}
	}
	return dst
}

// sayOnce appends a text that was not seen, and notes it.
func sayOnce(dst []sigma.Value, seen map[string]bool, text string) []sigma.Value {
	if seen[text] {
		return dst
	}
	seen[text] = true
	return append(dst, sigma.Value{Kind: sigma.String, Text: text})
}

// cutMark stands where the compliance centre has cut a long value.
const cutMark = "[...]"

// itemsOf yields the items of a text. A cut mark is one of its own: it says that
// something stood there, if not what.
func itemsOf(text string) func(yield func(string) bool) {
	text = strings.TrimSpace(text)
	if inner, found := strings.CutPrefix(text, "["); found && !strings.HasSuffix(text, cutMark) {
		text = strings.TrimSuffix(inner, "]")
	}
	return func(yield func(string) bool) {
		for item := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ';' || r == ',' }) {
			if item = strings.Trim(item, " \t\r\n\"'"); item != "" && !yield(item) {
				return
			}
		}
	}
}
