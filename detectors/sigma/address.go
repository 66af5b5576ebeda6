package sigma

import (
	"net/netip"
	"strings"
)

// parseAddress reads an address as logs write it: with a port, in brackets, with
// a zone, or IPv4 within IPv6. Unlike [netip.ParseAddr] it makes no error, and so
// allocates nothing, for text that is no address.
func parseAddress(s string) (netip.Addr, bool) {
	s = strings.TrimSpace(s)
	if strings.HasPrefix(s, "[") {
		inner, _, ok := strings.Cut(s[1:], "]")
		if !ok {
			return netip.Addr{}, false
		}
		s = inner
	}
	if i := strings.IndexByte(s, '%'); i >= 0 {
		s = s[:i]
	}
	colon := strings.IndexByte(s, ':')
	if colon >= 0 && colon != strings.LastIndexByte(s, ':') {
		return parseIPv6(s)
	}
	if colon >= 0 {
		s = s[:colon]
	}
	b, ok := parseIPv4(s)
	return netip.AddrFrom4(b), ok
}

func parseIPv4(s string) (b [4]byte, ok bool) {
	for i := range b {
		part, rest, more := strings.Cut(s, ".")
		if more != (i < 3) {
			return b, false
		}
		n := digits(part)
		if n < 0 || n > 255 || len(part) > 1 && part[0] == '0' {
			return b, false
		}
		b[i], s = byte(n), rest
	}
	return b, true
}

// parseIPv6 reads groups of hex digits; :: stands once for as many zeros as are
// missing, and the last four bytes may be written as IPv4.
func parseIPv6(s string) (netip.Addr, bool) {
	var b [16]byte
	n, gap := 0, -1
	if strings.HasPrefix(s, "::") {
		gap, s = 0, s[2:]
	}
	for s != "" && n < 16 {
		part, rest, more := strings.Cut(s, ":")
		if v4, ok := parseIPv4(part); ok && !more && n <= 12 {
			copy(b[n:], v4[:])
			n, s = n+4, ""
			break
		}
		x, ok := hexGroup(part)
		if !ok || more && rest == "" {
			return netip.Addr{}, false
		}
		b[n], b[n+1] = byte(x>>8), byte(x)
		n += 2
		if s = rest; strings.HasPrefix(s, ":") {
			if gap >= 0 {
				return netip.Addr{}, false
			}
			gap, s = n, s[1:]
		}
	}
	if s != "" || (n < 16) != (gap >= 0) {
		return netip.Addr{}, false
	}
	if gap >= 0 {
		tail := n - gap
		copy(b[16-tail:], b[gap:n])
		clear(b[gap : 16-tail])
	}
	return netip.AddrFrom16(b).Unmap(), true
}

func hexGroup(s string) (x int, ok bool) {
	if len(s) == 0 || len(s) > 4 {
		return 0, false
	}
	for i := range len(s) {
		switch c := lower[s[i]]; {
		case '0' <= c && c <= '9':
			x = x<<4 | int(c-'0')
		case 'a' <= c && c <= 'f':
			x = x<<4 | int(c-'a'+10)
		default:
			return 0, false
		}
	}
	return x, true
}
