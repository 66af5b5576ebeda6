package detectors

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
	"phiwatch/ingest/document"
)

// Computed fields say what no path and no Sigma modifier can. A rule uses them
// like any field:
//
//	outside.<list>.<path>       the mail addresses at path whose domain is not in the operator's list (empty list: all)
//	rank.<list>.<path>          the place of the value in an ordered operator list, from 0; none if it is not in it
//	lowered.<list>.<new>,<old>  true if the value at new stands before the one at old in the list, false if not,
//	                            none if either is not in it
//	unlisted.<list>.<path>      the values at path that are not in the operator's list
//	listed.<list>.<path> | …    the values at the paths that are in the operator's list
//	methods.weakened            of a change of the authentication methods policy: the methods that are weaker
//	methods.strengthened        likewise, stronger
//	host.<path>                 the host of the URL at path
//	count.<path>                how many values there are at path; none if it is not there
//	greater.<path>,<path>       true if the first number is greater than the second, false if not, none if either is none
//	until.<path>                whole days from the event to the time at path, in Unix seconds
//	first.<path> | <path> …     the values of the first path that has one
//	any.<path> | <path> …       the values of all the paths
//	vault.<path>,<path> …       the names of the key vaults that resource ids or addresses at the paths belong to
//	vault_key.<path>            VAULT/KEY of the address of a key; vault_key.<vault>,<name> of a vault's address and a key's name
//	mailbox.<path>,<path> …     mailboxes by the last part of their directory path or the local part of their address
//	site.<path>,<path> …        the sites that SharePoint addresses lie in
//	resource.<path>             the ids of the Azure resources that others, such as its blob service, lie in
//	each.<path>,<path> …        the texts at all the paths, each once
//	mapped.<name>               what the mappings of log sources need
//	said.<path>                 texts without blanks around them, and without closing full stop; said.action: what was done
//	event.<part>                what the decoder made of the event: actor, actor_id, target, target_id, tenant, ip, and of that the network: IPv6 by 64 bits
//	part.method, part.inbox_rule  names of what was made that are the same when it is undone: see newPart
//	azure_role.<path>           the name of the Azure role whose definition's id stands at path
//	days.<path>                 a duration in days: 2190, "7.00:00:00", SevenYears, P7Y; Unlimited is 1000000
var computers = map[string]func(arg string, lists map[string][]string) (computed, error){
	"outside":  newOutside,
	"rank":     newRank,
	"lowered":  newLowered,
	"unlisted": newUnlisted,
	"greater":  newGreater,
	"until":    newUntil,
	"host":     newHost,
	"count":    newCount,
	"listed":   newListed,
	"methods":  newMethods,
	"days":     newDays,
	"first":    newFirst,
	"any":      newAny,
	"mapped":   newMapped,
	"said":     newSaid,
	"part":     newPart,

	"azure_role": newAzureRole,

	"vault":     newReduced(vaultOf),
	"vault_key": newKeyName,
	"mailbox":   newReduced(mailboxOf),
	"site":      newReduced(siteOf),
	"resource":  newReduced(resourceOf),
	"each":      newReduced(func(s string) string { return s }),
}

// compute returns the computed field of a name, or nil if it is a path.
func compute(name string, lists map[string][]string) (computed, error) {
	if c, err := newAction(name); c != nil || err != nil {
		return c, err
	}
	if c := eventFields[strings.ToLower(name)]; c != nil {
		return c, nil
	}
	verb, arg, found := strings.Cut(name, ".")
	if f := computers[verb]; found && f != nil {
		return f(arg, lists)
	}
	return nil, nil
}

// texts appends the texts at a path.
func texts(ev *ingest.Event, p *document.Path) []string {
	var out []string
	for _, v := range ev.Doc.Values(p, nil) {
		if v.Kind != document.Null && v.Text != "" {
			out = append(out, v.Text)
		}
	}
	return out
}

// listAndPath splits "<list>.<path>".
func listAndPath(arg string) (list, path string, err error) {
	list, path, found := strings.Cut(arg, ".")
	if !found {
		return "", "", fmt.Errorf("%q: write LIST.PATH", arg)
	}
	return list, path, nil
}

// outside finds addresses beyond the organisation's domains.
type outside struct {
	domains []string
	path    *document.Path
}

func newOutside(arg string, lists map[string][]string) (computed, error) {
	list, path, err := listAndPath(arg)
	if err != nil {
		return nil, err
	}
	p, err := document.Compile(path)
	return &outside{lists[list], p}, err
}

func (o *outside) append(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	for _, text := range texts(ev, o.path) {
		for address := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ';' || r == ',' || r == ' ' }) {
			_, domain, isAddress := strings.Cut(address, "@")
			if isAddress && !o.ours(strings.Trim(domain, `"<>)]`)) {
				dst = append(dst, sigma.Value{Kind: sigma.String, Text: address})
			}
		}
	}
	return dst
}

// ours reports whether a domain is, or is below, one of the list.
func (o *outside) ours(domain string) bool {
	domain = strings.ToLower(domain)
	return slices.ContainsFunc(o.domains, func(d string) bool {
		d = strings.ToLower(strings.TrimPrefix(d, "@"))
		return domain == d || strings.HasSuffix(domain, "."+d)
	})
}

// ranking is an ordered operator list: case-folded value → place.
type ranking map[string]int

func newRanking(values []string) ranking {
	r := ranking{}
	for i, v := range values {
		r[strings.ToLower(strings.TrimSpace(v))] = i
	}
	return r
}

// of returns the place of the first value at a path.
func (r ranking) of(ev *ingest.Event, p *document.Path) (int, bool) {
	n, ok := r[strings.ToLower(strings.TrimSpace(ev.Doc.Text(p)))]
	return n, ok
}

type rank struct {
	ranking
	path *document.Path
}

func newRank(arg string, lists map[string][]string) (computed, error) {
	list, path, err := listAndPath(arg)
	if err != nil {
		return nil, err
	}
	p, err := document.Compile(path)
	return &rank{newRanking(lists[list]), p}, err
}

func (r *rank) append(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	if n, ok := r.of(ev, r.path); ok {
		dst = append(dst, number(n))
	}
	return dst
}

type lowered struct {
	ranking
	now, before *document.Path
}

func newLowered(arg string, lists map[string][]string) (computed, error) {
	list, paths, err := listAndPath(arg)
	if err != nil {
		return nil, err
	}
	now, before, found := strings.Cut(paths, ",")
	if !found {
		return nil, fmt.Errorf("%q: write LIST.NEWPATH,OLDPATH", arg)
	}
	l := &lowered{ranking: newRanking(lists[list])}
	if l.now, err = document.Compile(now); err == nil {
		l.before, err = document.Compile(before)
	}
	return l, err
}

func (l *lowered) append(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	now, known := l.of(ev, l.now)
	before, both := l.of(ev, l.before)
	switch {
	case !known || !both:
		return dst
	case now < before:
		return append(dst, sigma.Value{Kind: sigma.True, Text: "true"})
	}
	return append(dst, sigma.Value{Kind: sigma.False, Text: "false"})
}

// days normalises durations.
type days struct{ path *document.Path }

func newDays(arg string, _ map[string][]string) (computed, error) {
	p, err := document.Compile(arg)
	return &days{p}, err
}

// unlimitedDays stands for a duration without end.
const unlimitedDays = 1_000_000

func (d *days) append(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	for _, text := range texts(ev, d.path) {
		if n, ok := parseDays(text); ok {
			dst = append(dst, number(n))
		}
	}
	return dst
}

var wordNumbers = map[string]int{
	"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "twelve": 12,
}

// parseDays reads the durations of retention settings: a number of days, .NET's
// d.hh:mm:ss and hh:mm:ss, the audit retention's SevenYears and SixMonths, ISO 8601's P7Y.
// A year counts 365 days and a month 30, as the settings themselves count.
func parseDays(s string) (int, bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	if s == "unlimited" {
		return unlimitedDays, true
	}
	if n, err := strconv.Atoi(s); err == nil {
		return n, true
	}
	if day, clock, found := strings.Cut(s, "."); found && strings.Count(clock, ":") == 2 {
		n, err := strconv.Atoi(day)
		return n, err == nil
	}
	for _, clock := range []string{"15:04:05", "15:04"} {
		if _, err := time.Parse(clock, s); err == nil {
			return 0, true // less than a day
		}
	}
	for unit, length := range map[string]int{"years": 365, "year": 365, "months": 30, "month": 30, "days": 1, "day": 1} {
		if n, ok := wordNumbers[strings.TrimSuffix(s, unit)]; ok && strings.HasSuffix(s, unit) {
			return n * length, true
		}
	}
	return parseISODays(s)
}

func parseISODays(s string) (int, bool) {
	rest, found := strings.CutPrefix(s, "p")
	if !found || rest == "" {
		return 0, false
	}
	total, n := 0, 0
	for _, c := range rest {
		switch length := map[rune]int{'y': 365, 'm': 30, 'w': 7, 'd': 1}[c]; {
		case c >= '0' && c <= '9':
			n = n*10 + int(c-'0')
		case length > 0:
			total, n = total+n*length, 0
		default:
			return 0, false // hours and less: not a retention
		}
	}
	return total, true
}

func number(n int) sigma.Value {
	return sigma.Value{Kind: sigma.Number, Text: strconv.Itoa(n)}
}
