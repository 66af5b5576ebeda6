package sigma

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// compileRegexp compiles a rule's regular expression. The specification allows
// the metacharacters . ^ $ * + ? {} [] | (), all of which RE2 has.
func compileRegexp(s, flags string) (*regexp.Regexp, error) {
	if s == "" {
		return nil, fmt.Errorf("the regular expression is empty and would match anything")
	}
	re, err := regexp.Compile(withFlags(s, flags))
	if err != nil {
		return nil, fmt.Errorf("not a regular expression that Sigma allows (no look-around, no back-references): %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	return re, nil
}

func withFlags(s, flags string) string {
	if flags == "" {
		return s
	}
	return "(?" + flags + ")" + s
}

// regexLiteral returns a folded text that every match of the expression
// contains, the longest that is easily found, or "".
func regexLiteral(s, flags string) string {
	re, err := syntax.Parse(withFlags(s, flags), syntax.Perl)
	if err != nil {
		return ""
	}
	text := required(re.Simplify())
	if strings.ContainsRune(text, utf8.RuneError) {
		return "" // which also matches any byte that is not UTF-8
	}
	return text
}

func required(re *syntax.Regexp) string {
	switch re.Op {
	case syntax.OpLiteral:
		return fold(string(re.Rune))
	case syntax.OpCapture, syntax.OpPlus:
		return required(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return required(re.Sub[0])
		}
	case syntax.OpConcat:
		return longestRun(re.Sub)
	}
	return ""
}

// longestRun joins neighbouring literals of a concatenation.
func longestRun(subs []*syntax.Regexp) string {
	best, run := "", ""
	for _, sub := range subs {
		if sub.Op == syntax.OpLiteral {
			run += fold(string(sub.Rune))
		} else {
			run = ""
			if s := required(sub); len(s) > len(best) {
				best = s
			}
		}
		if len(run) > len(best) {
			best = run
		}
	}
	return best
}
