package ingest

import (
	"net/netip"
	"strings"
)

// parseIP reads a caller's address as Azure logs it: plain, with a port, an
// IPv6 address in brackets, IPv4 mapped or embedded into IPv6, a full IPv6
// address behind a stray "::", or the first of a list. Anything else ("",
// "<null>", host names) is the zero Addr.
func parseIP(s string) netip.Addr {
	if a, ok := plainIPv4(s); ok {
		return a
	}
	if i := strings.IndexByte(s, ','); i >= 0 {
		s = s[:i]
	}
	s = strings.TrimSpace(s)
	if s == "" || s[0] == '<' {
		return netip.Addr{}
	}
	s = withoutPort(s)
	if i := strings.IndexByte(s, '%'); i >= 0 {
		s = s[:i] // a zone means nothing outside the machine that logged it
	}
	if !addressLike(s) {
		return netip.Addr{} // ParseAddr's error would be an allocation
	}
	a, err := netip.ParseAddr(s)
	if err != nil && strings.HasPrefix(s, "::") {
		a, err = netip.ParseAddr(s[2:])
	}
	if err != nil {
		return netip.Addr{}
	}
	return unembed(a.Unmap())
}

// plainIPv4 reads four numbers with dots between them and nothing else, which
// most callers have.
func plainIPv4(s string) (netip.Addr, bool) {
	if len(s) > len("255.255.255.255") {
		return netip.Addr{}, false
	}
	var b [4]byte
	at, digits, n := 0, 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case '0' <= c && c <= '9' && (digits == 0 || n > 0): // no leading zero
			n, digits = n*10+int(c-'0'), digits+1
			if n > 255 {
				return netip.Addr{}, false
			}
			b[at] = byte(n)
		case c == '.' && digits > 0 && at < 3:
			at, digits, n = at+1, 0, 0
		default:
			return netip.Addr{}, false
		}
	}
	return netip.AddrFrom4(b), at == 3 && digits > 0
}

// withoutPort cuts brackets and a port.
func withoutPort(s string) string {
	if s[0] == '[' {
		s, _, _ = strings.Cut(s[1:], "]")
		return s
	}
	if i := strings.IndexByte(s, ':'); i >= 0 && strings.IndexByte(s[i+1:], ':') < 0 {
		return s[:i] // one colon: IPv4 and a port
	}
	return s
}

// addressLike reports whether s holds only what an address can hold.
func addressLike(s string) bool {
	separators := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == '.' || c == ':':
			separators++
		case c >= '0' && c <= '9', c >= 'a' && c <= 'f', c >= 'A' && c <= 'F':
		default:
			return false
		}
	}
	return separators >= 2
}

// unembed turns "::192.0.2.1" into 192.0.2.1. The loopback address stays.
func unembed(a netip.Addr) netip.Addr {
	if !a.Is6() {
		return a
	}
	b := a.As16()
	for _, x := range b[:12] {
		if x != 0 {
			return a
		}
	}
	if b[12] == 0 {
		return a // ::, ::1 and others that no IPv4 caller has
	}
	return netip.AddrFrom4([4]byte(b[12:]))
}
