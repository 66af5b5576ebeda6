package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"phiwatch/detectors"
	"phiwatch/detectors/strict"
)

// maxListFile bounds a file of a list, in bytes.
const maxListFile = 8 << 20

// operatorList is a list that the catalog knows.
type operatorList struct {
	name    string
	holds   string // what the operator puts in
	without string // what a rule does that reads it and finds it empty
}

// operatorLists are the names of knownLists.
var operatorLists = func() (names []string) {
	for _, l := range knownLists {
		names = append(names, l.name)
	}
	return names
}()

var knownLists = []operatorList{
	{"phi_labels", "ids of the sensitivity labels that stand for PHI", "no label stands for PHI: what happens to labels has the lower of its severities"},
	{"label_order", "ids of all sensitivity labels, lowest first", "a label is lower than another only where Microsoft's record says so, or where one of phi_labels was lost"},
	{"phi_apps", "ids of the applications through which PHI is reached", "sign-ins are not told apart by what they reach"},
	{sitesList, "addresses of the SharePoint sites that hold PHI", "only labels tell that a shared file is PHI"},
	{"phi_resources", "ids of the Azure resources that hold PHI, or their beginnings", "no resource is more precious than another: the lower severity"},
	{"phi_vaults", "key vaults that hold keys to PHI, by id, address or name", "every vault counts the same"},
	{"cmk_keys", "customer-managed keys, as the vault's log writes them", "the deletion of any key has the lower severity"},
	{"emergency_accounts", "object ids and sign-in names of the emergency accounts", "an emergency account is an account like others"},
	{"tap_lifetime", "one duration, the longest lifetime of a Temporary Access Pass under your policy", "a pass counts for thirty days, the longest that any policy can allow"},
	{detectors.TrustedOperators, "object ids, application ids and sign-in names of automation, whose changes are planned", "nobody's changes are taken to be planned: each has its full severity"},
	{"accepted_domains", "the organisation's own mail domains", "every address counts as outside"},
	{"legal_staff", "who may be given access to eDiscovery cases", "access given to anybody is told"},
	{"ca_exclusion_groups", "groups that Conditional Access policies exclude", "such groups are known only from the policies that events show"},
}

// checkListNames refuses names that look like a slip of one the catalog reads;
// others may belong to the operator's own rules.
func checkListNames[V any](lists map[string]V) error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(lists)) {
		if slices.Contains(operatorLists, name) {
			continue
		}
		if meant := strict.Nearest(name, operatorLists); meant != "" {
			errs = append(errs, fmt.Errorf("%s: unknown list; did you mean %s?", name, meant))
		}
	}
	return errors.Join(errs...)
}

// checkOperators refuses who cannot be trusted by the name that is given.
func checkOperators(lists map[string][]string) error {
	var errs []error
	for i, name := range lists[detectors.TrustedOperators] {
		if err := detectors.CheckOperator(name); err != nil {
			errs = append(errs, fmt.Errorf("%s[%d]: %w", detectors.TrustedOperators, i, err))
		}
	}
	return errors.Join(errs...)
}

// lists returns every operator list: the values of the configuration, then
// those of its file that are new. Lists that are not set are empty, which the
// catalog allows for.
func (c *config) lists() map[string][]string {
	lists := map[string][]string{}
	for _, name := range operatorLists {
		lists[name] = []string{}
	}
	for name, values := range c.Lists {
		lists[name] = distinct(values)
	}
	for name, values := range c.listed {
		lists[name] = distinct(append(slices.Clip(lists[name]), values...))
	}
	lists[sitesList] = closed(lists[sitesList])
	return lists
}

// sitesList holds addresses of sites, as whose beginnings files are known.
const sitesList = "phi_sites"

// closed ends each address with a slash: /sites/icu is not in /sites/icu-canteen. A
// wildcard at the end says itself how far it reaches.
func closed(addresses []string) []string {
	out := make([]string, len(addresses))
	for i, a := range addresses {
		if out[i] = a; !strings.HasSuffix(a, "*") {
			out[i] = strings.TrimRight(a, "/") + "/"
		}
	}
	return distinct(out)
}

// distinct returns the values in their order, each once.
func distinct(values []string) []string {
	seen := make(map[string]bool, len(values))
	out := make([]string, 0, len(values))
	for _, v := range values {
		if !seen[v] {
			seen[v] = true
			out = append(out, v)
		}
	}
	return out
}

// readLists reads the files of lists_files, and notes what they look like.
func (c *config) readLists() error {
	c.listed, c.stamps = map[string][]string{}, map[string]stamp{}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(c.ListsFiles)) {
		file := c.ListsFiles[name]
		c.stamps[file] = stampOf(file) // before it is read: a change meanwhile is one
		values, err := readList(file)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
		c.listed[name] = values
	}
	return errors.Join(errs...)
}

// readList reads a file of one value a line, with comments after # at the
// beginning of a line or after a blank; or, if its name ends in .yml or .yaml, a
// YAML list. A file without a value is an error: it is more likely half written
// than meant.
func readList(name string) ([]string, error) {
	data, err := readBounded(name)
	if err != nil {
		return nil, err
	}
	var values []string
	if ext := filepath.Ext(name); ext == ".yml" || ext == ".yaml" {
		values, err = parseListYAML(name, data)
	} else {
		values = parseListLines(data)
	}
	if err == nil && len(values) == 0 {
		err = fmt.Errorf("%s holds no value; add one, or remove the key", name)
	}
	return values, err
}

func readBounded(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("%w; create the file or correct the path", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a file; name the file that holds the list", name)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("%w; make the file readable for phiwatch", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxListFile+1))
	switch {
	case err != nil:
		return nil, err
	case len(data) > maxListFile:
		return nil, fmt.Errorf("%s is larger than %d MiB; is it the right file?", name, maxListFile>>20)
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !utf8.Valid(data) || bytes.IndexByte(data, 0) >= 0 {
		return nil, fmt.Errorf("%s is not UTF-8 text; save it as that", name)
	}
	return data, nil
}

func parseListLines(data []byte) (values []string) {
	for line := range strings.Lines(string(data)) {
		if i := strings.Index(line, " #"); i >= 0 {
			line = line[:i]
		}
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			values = append(values, line)
		}
	}
	return values
}

func parseListYAML(name string, data []byte) (values []string, err error) {
	root, err := strict.Parse(name, data)
	if err != nil {
		return nil, err
	}
	if err := strict.Load(name, root, &values, "", nil); err != nil {
		return nil, err
	}
	for i, v := range values {
		if v == "" {
			return nil, strict.At(name, root.Content[i], "[%d]: want a text, got nothing", i)
		}
	}
	return values, nil
}
