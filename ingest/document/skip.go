package document

// Skip returns the length of the first JSON value in data, with the white
// space before it, by matching brackets and quotes only: it does not validate.
// Errors are *SyntaxError (Truncated, TooDeep, or a byte that begins no value).
func Skip(data []byte) (n int, err error) {
	i := skipSpace(data, 0)
	if i >= len(data) {
		return i, syntaxError(i, Truncated)
	}
	switch c := data[i]; {
	case c == '"':
		end := skipString(data, i+1)
		if end < 0 {
			return len(data), syntaxError(len(data), Truncated)
		}
		return end, nil
	case c == '{' || c == '[':
		return skipContainer(data, i)
	case isNumberByte(c) || 'a' <= c && c <= 'z':
		for i < len(data) && (isNumberByte(data[i]) || 'a' <= data[i] && data[i] <= 'z') {
			i++
		}
		return i, nil
	}
	return i, beginError(data, i)
}

// skipString returns the offset after the quote that closes the string whose
// text begins at i, or -1.
func skipString(data []byte, i int) int {
	for i < len(data) {
		switch data[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
		i++
	}
	return -1
}

func skipContainer(data []byte, i int) (int, error) {
	depth := 0
	for i < len(data) {
		c := data[i]
		i++
		switch c {
		case '"':
			if i = skipString(data, i); i < 0 {
				return len(data), syntaxError(len(data), Truncated)
			}
		case '{', '[':
			if depth++; depth > MaxDepth {
				return i - 1, syntaxError(i-1, TooDeep)
			}
		case '}', ']':
			if depth--; depth == 0 {
				return i, nil
			}
		}
	}
	return len(data), syntaxError(len(data), Truncated)
}
