package sigma

import (
	"math"
	"strconv"
	"strings"
)

// yamlInt reads the whole numbers of YAML that are not decimal: 0x1f, 0o17,
// 0b11.
func yamlInt(s string) (int64, bool) {
	if len(s) < 3 || s[0] != '0' || strings.IndexByte("xXoObB", s[1]) < 0 {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 0, 64)
	return n, err == nil
}

// appendCanonical appends the one spelling that all JSON numbers of equal value
// share: whole numbers without point or exponent.
func appendCanonical(dst []byte, s string) []byte {
	if plainInt(s) {
		return append(dst, s...)
	}
	if n, ok := yamlInt(s); ok {
		return strconv.AppendInt(dst, n, 10)
	}
	x, err := strconv.ParseFloat(s, 64)
	switch {
	case err != nil:
		return append(dst, s...)
	case x == 0:
		return append(dst, '0')
	case math.Abs(x) < 1e21 && math.Abs(x) >= 1e-6:
		return strconv.AppendFloat(dst, x, 'f', -1, 64)
	}
	return strconv.AppendFloat(dst, x, 'g', -1, 64)
}

// plainInt reports whether s is a whole number in its canonical spelling.
func plainInt(s string) bool {
	digits := strings.TrimPrefix(s, "-")
	if digits == "" || digits[0] == '0' && s != "0" {
		return false
	}
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return false
		}
	}
	return true
}

// limit is a bound of gt, gte, lt or lte. Whole numbers compare exactly.
type limit struct {
	op    string
	whole bool
	n     int64
	x     float64
}

func newLimit(op, text string) (limit, bool) {
	l := limit{op: op}
	if n, ok := yamlInt(text); ok {
		l.whole, l.n, l.x = true, n, float64(n)
		return l, true
	}
	n, err := strconv.ParseInt(text, 10, 64)
	l.whole, l.n = err == nil, n
	l.x, err = strconv.ParseFloat(text, 64)
	return l, err == nil && l.x == l.x
}

func (l *limit) holds(text string) bool {
	text = strings.TrimSpace(text)
	if !numeric(text) {
		return false
	}
	if l.whole && plainInt(text) {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return l.holdsInt(n)
		}
	}
	x, err := strconv.ParseFloat(text, 64)
	return err == nil && ordered(l.op, x, l.x)
}

func (l *limit) holdsInt(n int64) bool { return ordered(l.op, n, l.n) }

func ordered[T int64 | float64](op string, a, b T) bool {
	switch op {
	case "gt":
		return a > b
	case "gte":
		return a >= b
	case "lt":
		return a < b
	case "lte":
		return a <= b
	}
	return a == b
}

// numeric reports whether s can be a decimal number, so that parsing it does not
// have to make an error.
func numeric(s string) bool {
	i, digits := 0, 0
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		i++
	}
	point, exponent := false, false
	for ; i < len(s); i++ {
		switch c := s[i]; {
		case '0' <= c && c <= '9':
			digits++
		case c == '.' && !point && !exponent:
			point = true
		case (c == 'e' || c == 'E') && digits > 0 && !exponent:
			exponent, digits = true, 0
			if i+1 < len(s) && (s[i+1] == '-' || s[i+1] == '+') {
				i++
			}
		default:
			return false
		}
	}
	return digits > 0
}
