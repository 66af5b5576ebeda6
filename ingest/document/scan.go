package document

// escapeLen returns the length of the escape at the start of b (which begins
// with a backslash), 0 if there is no such escape. The escape may be longer
// than b when b ends inside it.
func escapeLen(b []byte) int {
	if len(b) < 2 {
		return 2
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		for k := 2; k < 6 && k < len(b); k++ {
			if hexDigit(b[k]) < 0 {
				return 0
			}
		}
		return 6
	}
	return 0
}

func hexDigit(c byte) rune {
	switch {
	case '0' <= c && c <= '9':
		return rune(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return rune(c|0x20-'a') + 10
	}
	return -1
}

func skipSpace(raw []byte, i int) int {
	for i < len(raw) && raw[i] <= ' ' && (raw[i] == ' ' || raw[i] == '\n' || raw[i] == '\r' || raw[i] == '\t') {
		i++
	}
	return i
}

func scanLiteral(raw []byte, i int) (int, Kind) {
	b := raw[i:]
	switch {
	case len(b) >= 4 && string(b[:4]) == "true":
		return i + 4, True
	case len(b) >= 4 && string(b[:4]) == "null":
		return i + 4, Null
	case len(b) >= 5 && string(b[:5]) == "false":
		return i + 5, False
	}
	return i, Missing
}

// scanWord reads the literal or the number that begins with c at i. Its end is
// not positive if there is none.
func scanWord(raw []byte, i int, c byte) (end int, kind Kind) {
	if c < 'a' {
		return scanNumber(raw, i), Number
	}
	if end, kind = scanLiteral(raw, i); kind == Missing {
		end = -1
	}
	return end, kind
}

func isNumberByte(c byte) bool {
	return '0' <= c && c <= '9' || c == '-' || c == '+' || c == '.' || c|0x20 == 'e'
}

// scanNumber returns the end of the number at i, or -1 if there is none that
// JSON allows.
func scanNumber(raw []byte, i int) int {
	if i < len(raw) && raw[i] == '-' {
		i++
	}
	switch {
	case i >= len(raw):
		return -1
	case raw[i] == '0':
		i++
	case '1' <= raw[i] && raw[i] <= '9':
		i = skipDigits(raw, i)
	default:
		return -1
	}
	if i < len(raw) && raw[i] == '.' {
		j := skipDigits(raw, i+1)
		if j == i+1 {
			return -1
		}
		i = j
	}
	if i < len(raw) && raw[i]|0x20 == 'e' {
		i++
		if i < len(raw) && (raw[i] == '+' || raw[i] == '-') {
			i++
		}
		j := skipDigits(raw, i)
		if j == i {
			return -1
		}
		i = j
	}
	return i
}

func skipDigits(raw []byte, i int) int {
	for i < len(raw) && '0' <= raw[i] && raw[i] <= '9' {
		i++
	}
	return i
}
