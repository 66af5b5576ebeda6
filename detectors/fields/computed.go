package fields

import (
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

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
//	listed_vault.<list>.<path> | …  likewise the resource ids and addresses that are of key vaults in the list, which
//	                            names them by id, address or name
//	uncovered.<list>.<path>,<path>  the values of the operator's list that are at the second path, or it has All, and not
//	                            at the first
//	spared.<list>.<member>      of a change of a Conditional Access policy: whom, or which applications, it spares now
//	reached.<list>.<member>     likewise, covers again; see reach
//	narrowed.<member>           likewise, of its conditions: the values that it does not apply to any more
//	widened.<member>            likewise, that it applies to again; see narrow
//	grant_lost.mfa, .device     likewise, what it no longer demands for access; see grants
//	grant_back, grant_held      likewise, what it demands again, and at all
//	session.lost                likewise, how it no longer limits sessions; see sessions
//	session.back, session.held  likewise, how it limits them again, and at all
//	location.lost, .back        of a change of a named location: what it covers now and did not, and the other way round
//	risk.detection              of a record of Identity Protection: the id of the detection, if it is about one
//	trust.lost, trust.back      of a change of cross-tenant access settings: what another tenant is trusted with, and no longer
//	allowed_more.<member>       of a change of a combination of an authentication strength: the keys or certificates that it
//	                            takes now and did not; allowed_less the other way round; see allowed
//	methods.weakened            of a change of the authentication methods policy: the methods that are weaker
//	methods.strengthened        likewise, stronger
//	methods.lost                METHOD: SWITCH of each switch of a method that is weaker
//	methods.back                likewise of each that is strong now
//	methods.understood          true if nothing else may have changed
//	licence_plan.<name>,<id>    what a change of a user's licences makes of a service plan: lost or back
//	ranges.<path>,<path>        the address ranges in the texts at the first path and not at the second
//	gained.<path>,<path>        likewise, the items of lists that hold no blanks
//	host.<path>                 the host of the URL at path
//	address.<path>,<path> …     the addresses at the paths, not escaped; see plainAddress
//	count.<path>                how many values there are at path; none if it is not there
//	greater.<path>,<path>       true if the first number is greater than the second, false if not, none if either is none
//	until.<path>                whole days from the event to the time at path, in Unix seconds
//	first.<path> | <path> …     the values of the first path that has one
//	any.<path> | <path> …       the values of all the paths
//	told.body.<path>            of an Azure operation, what the request says at path, or where it does not, the answer
//	vault.<path>,<path> …       the names of the key vaults that resource ids or addresses at the paths belong to
//	vault_key.<path>            VAULT/KEY of the address of a key; vault_key.<vault>,<name> of a vault's address and a key's name
//	mailbox.<path>,<path> …     mailboxes by the last part of their directory path or the local part of their address
//	site.<path>,<path> …        the sites that SharePoint addresses lie in
//	within.<list>.<path>        the resources of the operator's list that lie in the scope that the lock, assignment … with the id at path is of
//	resource.<path>             the ids of the Azure resources that others, such as its blob service, lie in
//	each.<path>,<path> …        the texts at all the paths, each once
//	items.<path>,<path> …       the items of lists at all the paths, each once; a text may be a list, too: "a;b"
//	places_lost.<workload>,…    the places that a change of a compliance policy takes out of it, and those that it excepts
//	places_back.<workload>,…    likewise, puts in, or no longer excepts; see places
//	mailbox_audit.<list, taken or given>.<kind>  the actions of Admin, Delegate or Owner that a mailbox records; see mailboxAudit
//	lifecycle.<path>            after how many days the life-cycle rules at path, of a storage account, delete files
//	sent.<path>                 the categories and groups that are on in the logs at path, of a diagnostic setting; see sentLogs
//	mapped.<name>               what the mappings of log sources need
//	said.<path>                 texts without blanks around them, and without closing full stop; said.action: what was done
//	event.<part>                what the decoder made of the event: actor, actor_id, target, target_id, tenant, ip, and of that the network: IPv6 by
//	                            64 bits; who: a person by name, an application by object id
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
	"told":     newTold,
	"within":   newWithin,
	"mapped":   newMapped,
	"said":     newSaid,
	"part":     newPart,
	"items":    newItems,
	"spared":   newReach(true),
	"reached":  newReach(false),
	"ranges":   newRanges,
	"gained":   newGained,
	"narrowed": newNarrow(false),
	"widened":  newNarrow(true),

	"uncovered":    newUncovered,
	"licence_plan": newPlan,

	"azure_role": newAzureRole,

	"listed_vault": newListedVault,

	"places_lost": newPlaces(false),
	"places_back": newPlaces(true),
	"sent":        newSent,

	"grant_lost": newGrants(false, false),
	"grant_back": newGrants(true, false),
	"grant_held": newGrants(true, true),
	"session":    newSessions,

	"location":     newLocation,
	"trust":        newTrust,
	"risk":         newRisk,
	"allowed_more": newAllowed(false),
	"allowed_less": newAllowed(true),

	"lifecycle": newLifecycle,

	"mailbox_audit": newMailboxAudit,

	"vault":     newReduced(vaultOf),
	"vault_key": newKeyName,
	"mailbox":   newReduced(mailboxOf),
	"site":      newReduced(siteOf),
	"address":   newReduced(plainAddress),
	"resource":  newReduced(resourceOf),
	"each":      newReduced(func(s string) string { return s }),
}

// Computed reports whether a name is that of a computed field; an error tells
// what is wrong with what stands behind its verb.
func Computed(name string, lists map[string][]string) (bool, error) {
	c, err := compute(name, lists)
	return c != nil, err
}

// Check returns an error if a name is neither a path nor a computed field.
func Check(name string, lists map[string][]string) error {
	c, err := compute(name, lists)
	if err == nil && c == nil {
		_, err = document.Compile(name)
	}
	return err
}

// Quotable quotes a name that does not compile as a path or a computed field: it
// is taken as the name of one member.
func Quotable(name string) string {
	if c, err := compute(name, nil); err == nil && c != nil {
		return name
	}
	if _, err := document.Compile(name); err == nil {
		return name
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"`
}

// listVerbs are those of computers whose argument begins with an operator's list.
var listVerbs = []string{"outside", "rank", "lowered", "listed", "listed_vault", "unlisted", "uncovered", "within", "spared", "reached"}

// ListsOf returns the operator's list that a computed field reads, if it reads one.
func ListsOf(name string) []string {
	verb, arg, _ := strings.Cut(name, ".")
	if !slices.Contains(listVerbs, verb) {
		return nil
	}
	list, _, err := listAndPath(arg)
	if err != nil {
		return nil
	}
	return []string{list}
}

// compute returns the computed field of a name, or nil if it is a path.
func compute(name string, lists map[string][]string) (computed, error) {
	if c, err := newAction(name); c != nil || err != nil {
		return c, err
	}
	if c, err := newResourceID(name); c != nil || err != nil {
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

// texts yields the texts at a path.
func texts(ev *ingest.Event, p *document.Path) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, v := range ev.Find(p) {
			if v.Kind != document.Null && v.Text != "" && !yield(v.Text) {
				return
			}
		}
	}
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
	for text := range texts(ev, o.path) {
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

// Ranks returns the places of the values of an ordered list, by value without
// blanks around it and in lower case.
func Ranks(values []string) map[string]int {
	r := make(map[string]int, len(values))
	for i, v := range values {
		r[strings.ToLower(strings.TrimSpace(v))] = i
	}
	return r
}

// of returns the place of the first value at a path.
func (r ranking) of(ev *ingest.Event, p *document.Path) (int, bool) {
	n, ok := r[strings.ToLower(strings.TrimSpace(ev.Text(p)))]
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
	return &rank{Ranks(lists[list]), p}, err
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
	l := &lowered{ranking: Ranks(lists[list])}
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

func number(n int) sigma.Value {
	return sigma.Value{Kind: sigma.Number, Text: strconv.Itoa(n)}
}
