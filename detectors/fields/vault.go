package fields

import (
	"net/url"
	"slices"
	"strings"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
	"phiwatch/ingest/document"
)

// reduced computes from each text at some paths what identifies a thing however
// it is written, so that records of different logs can be related.
type reduced struct {
	paths []*document.Path
	to    func(string) string // "" for none
}

func newReduced(to func(string) string) func(string, map[string][]string) (computed, error) {
	return func(arg string, _ map[string][]string) (computed, error) {
		r := &reduced{to: to}
		for field := range strings.SplitSeq(arg, ",") {
			for _, path := range spelled(strings.TrimSpace(field)) {
				p, err := document.Compile(path)
				if err != nil {
					return nil, err
				}
				r.paths = append(r.paths, p)
			}
		}
		return r, nil
	}
}

func (r *reduced) append(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	from := len(dst)
	for _, p := range r.paths {
		for text := range texts(ev, p) {
			v := sigma.Value{Kind: sigma.String, Text: r.to(strings.TrimSpace(text))}
			if v.Text != "" && !slices.Contains(dst[from:], v) {
				dst = append(dst, v)
			}
		}
	}
	return dst
}

// vaultOf names the vault that a resource id or an object's address belongs to:
// /subscriptions/…/vaults/V/…, https://V.vault.azure.net/keys/K.
func vaultOf(id string) string {
	low := Lower(id)
	if _, rest, found := strings.Cut(low, "/vaults/"); found {
		name, _, _ := strings.Cut(rest, "/")
		return name
	}
	if _, rest, found := strings.Cut(low, "://"); found {
		if end := strings.IndexAny(rest, ".:/?#"); end >= 0 {
			rest = rest[:end]
		}
		return rest
	}
	return ""
}

// vaultHosts are the ends of the hosts of vaults and managed HSMs, and what is
// below the name there: a vault may have the name of somebody else's HSM
// (learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates).
var vaultHosts = map[string]string{
	"vault.azure.net": "vaults/", "vault.azure.cn": "vaults/", "vault.usgovcloudapi.net": "vaults/", "vault.microsoftazure.de": "vaults/",
	"managedhsm.azure.net": "managedhsms/",
}

// vaultIn says which vault a resource id, an address, a host or a bare name is
// of, in the same words for all of these: vaults/NAME, managedhsms/NAME, or a
// host that tells of neither; "" for what is none of them.
func vaultIn(text string) string {
	text = Lower(strings.TrimSpace(text))
	_, rest, isAddress := strings.Cut(text, "://")
	switch {
	case isAddress:
		text = rest
	case strings.HasPrefix(text, "/"):
		for _, of := range []string{"vaults/", "managedhsms/"} {
			if _, name, found := strings.Cut(text, "/"+of); found {
				name, _, _ = strings.Cut(name, "/")
				return of + name
			}
		}
		return ""
	case !strings.ContainsAny(text, "./:?#@"):
		if text == "" {
			return ""
		}
		return "vaults/" + text
	}
	if end := strings.IndexAny(text, "/?#"); end >= 0 {
		text = text[:end]
	}
	text = text[strings.LastIndexByte(text, '@')+1:]
	text, _, _ = strings.Cut(text, ":")
	name, end, _ := strings.Cut(text, ".")
	if of := vaultHosts[end]; of != "" {
		return of + name
	}
	return text
}

// SameVault reports whether both are of one key vault, each being a resource id,
// an address, a host or a bare name.
func SameVault(a, b string) bool {
	vault := vaultIn(a)
	return vault != "" && vault == vaultIn(b)
}

// listedVault finds the ids and addresses at some paths that are of vaults on an
// operator's list.
type listedVault struct{ listed }

func newListedVault(arg string, lists map[string][]string) (computed, error) {
	c, err := newListed(arg, lists)
	if err != nil {
		return nil, err
	}
	return &listedVault{*c.(*listed)}, nil
}

func (l *listedVault) append(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	for _, p := range l.paths {
		for text := range texts(ev, p) {
			if slices.ContainsFunc(l.list, func(v string) bool { return SameVault(v, text) }) {
				dst = append(dst, sigma.Value{Kind: sigma.String, Text: text})
			}
		}
	}
	return dst
}

// mailboxOf names a mailbox, or a group of Exchange's, by the last part of its
// directory path or of ORGANISATION\NAME, or the local part of its address.
func mailboxOf(id string) string {
	id = Lower(id)
	id = id[strings.LastIndexAny(id, `/\`)+1:]
	name, _, _ := strings.Cut(id, "@")
	return name
}

// siteOf is the address of the site that a SharePoint address lies in:
// https://HOST/sites/S, https://HOST/personal/P, or https://HOST.
func siteOf(address string) string {
	u, err := url.Parse(strings.ToLower(address))
	if err != nil || u.Host == "" {
		return ""
	}
	steps := strings.Split(strings.Trim(u.Path, "/"), "/")
	if len(steps) < 2 || !slices.Contains([]string{"sites", "teams", "personal"}, steps[0]) {
		return "https://" + u.Host
	}
	return "https://" + u.Host + "/" + steps[0] + "/" + steps[1]
}

// keyName computes VAULT/KEY: of a key's address, or of the addresses of a
// vault and the name of a key.
type keyName struct{ address, name *document.Path }

func newKeyName(arg string, _ map[string][]string) (computed, error) {
	address, name, both := strings.Cut(arg, ",")
	k := new(keyName)
	var err error
	if k.address, err = document.Compile(address); err == nil && both {
		k.name, err = document.Compile(name)
	}
	return k, err
}

func (k *keyName) append(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	address := ev.Text(k.address)
	name, _, _ := strings.Cut(VaultObject(address), "?")
	name = name[strings.LastIndexByte(name, '/')+1:]
	if k.name != nil {
		name = ev.Text(k.name)
	}
	vault := vaultOf(address)
	if vault == "" || name == "" {
		return dst
	}
	return append(dst, sigma.Value{Kind: sigma.String, Text: vault + "/" + Lower(name)})
}

// resourceOf is the id of the resource that another lies in:
// /subscriptions/S/resourceGroups/G/providers/P/T/NAME.
func resourceOf(id string) string {
	for i, steps := 0, 0; i < len(id); i++ {
		if id[i] != '/' {
			continue
		}
		if steps++; steps == 9 {
			id = id[:i]
		}
	}
	return Lower(id)
}

// VaultObject returns the address of a key, secret or certificate as long as it
// lives: a deleted one is named https://V/deletedkeys/K, a version of it
// https://V/keys/K/VERSION.
func VaultObject(id string) string {
	scheme, rest, found := strings.Cut(id, "://")
	if !found {
		return id
	}
	steps := strings.Split(rest, "/")
	if len(steps) < 3 {
		return id
	}
	steps[1] = strings.TrimPrefix(steps[1], "deleted")
	return scheme + "://" + strings.Join(steps[:3], "/")
}
