package sigma

import (
	"net/netip"
	"strconv"
	"strings"
)

// unitRange bounds the parts of a date; a year is bounded by its four digits.
var unitRange = map[string][2]float64{"minute": {0, 59}, "hour": {0, 23}, "day": {1, 31}, "week": {1, 53}, "month": {1, 12}, "year": {0, 9999}}

// checkValues reports values that their modifiers cannot work with. What
// depends on placeholders is checked when the detection is compiled.
func (p *problems) checkValues(it *item) {
	if len(it.values) == 0 {
		p.errs = append(p.errs, it.at.errorf("%s: the list of values is empty and would match nothing: give at least one", it.name()))
		return
	}
	if it.mods.all && len(it.values) == 1 {
		p.errs = append(p.errs, it.at.errorf("%s: all needs a list of two values or more: drop it for a single one", it.name()))
	}
	for _, v := range it.values {
		if msg := it.checkValue(v, len(it.values)); msg != "" {
			p.errs = append(p.errs, v.at.errorf("%s: %s", it.name(), msg))
		}
	}
	p.warnEncoding(it)
}

func (it *item) name() string {
	if it.key == "" {
		return "keywords"
	}
	return it.key
}

func (it *item) checkValue(v literal, count int) string {
	m := &it.mods
	switch {
	case v.kind == Null:
		return it.checkNull(count)
	case m.kind == "exists" && v.kind != True && v.kind != False:
		return "exists takes true or false, without quotes"
	case m.kind == "exists" && count > 1:
		return "exists takes one value, true or false"
	case it.keyword && v.text == "":
		return "an empty keyword is in every event: drop it"
	case m.expand:
		return checkPlaceholder(v.text)
	case m.compare != "" || m.unit != "":
		return m.checkNumber(v)
	case m.kind == "re":
		_, err := compileRegexp(v.text, m.flags)
		return errorText(err)
	case m.kind == "cidr":
		_, err := parsePrefix(v.text)
		return errorText(err)
	case m.kind == "fieldref" && (v.kind != String || v.text == ""):
		return "fieldref takes the name of another field"
	case len(m.encodings) > 0 && hasWildcard(v.text):
		return "a wildcard cannot be encoded: escape it (\\* or \\?) or drop it"
	}
	return ""
}

func (it *item) checkNull(count int) string {
	m := &it.mods
	switch {
	case it.keyword:
		return "null is not a keyword: give a text"
	case m.kind != "" || m.compare != "" || m.unit != "" || m.place != "" || m.expand || m.windash || len(m.encodings) > 0 || m.cased:
		return "null goes with no modifier but neq: write the field without, or |exists: false"
	case count > 1:
		return "null cannot stand in a list of values: give it a search of its own and join the two with or in the condition"
	}
	return ""
}

func (m *modifiers) checkNumber(v literal) string {
	x, err := strconv.ParseFloat(v.text, 64)
	if n, ok := yamlInt(v.text); ok {
		x, err = float64(n), nil
	}
	if err != nil || x != x {
		return firstOf(m.compare, m.unit) + " compares numbers, and " + strconv.Quote(v.text) + " is not one"
	}
	if r, ok := unitRange[m.unit]; ok && m.compare == "" && (x < r[0] || x > r[1] || x != float64(int(x))) {
		return m.unit + " is a whole number from " + formatNumber(r[0]) + " to " + formatNumber(r[1])
	}
	return ""
}

func formatNumber(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func (p *problems) warnEncoding(it *item) {
	enc := it.mods.encodings
	if len(enc) == 0 {
		return
	}
	switch last := enc[len(enc)-1]; {
	case last == "base64offset" && it.mods.place != "contains" && !it.keyword:
		p.warnings = append(p.warnings, it.at.errorf("%s: base64offset yields a fragment of the encoded text: add |contains", it.key))
	case !strings.HasPrefix(last, "base64"):
		p.warnings = append(p.warnings, it.at.errorf("%s: %s without base64 after it matches only text with zero bytes in it", it.name(), last))
	}
}

// parsePrefix reads a network; a lone address is a network of one.
func parsePrefix(s string) (netip.Prefix, error) {
	s = strings.TrimSpace(s)
	if a, err := netip.ParseAddr(s); err == nil {
		a = a.WithZone("").Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	pr, err := netip.ParsePrefix(s)
	if err != nil {
		return pr, &cidrError{s}
	}
	if a := pr.Addr(); a.Is4In6() && pr.Bits() >= 96 {
		pr = netip.PrefixFrom(a.Unmap(), pr.Bits()-96)
	}
	return pr.Masked(), nil
}

type cidrError struct{ text string }

func (e *cidrError) Error() string {
	return strconv.Quote(e.text) + " is not a network: write it like 192.0.2.0/24 or 2001:db8::/32"
}
