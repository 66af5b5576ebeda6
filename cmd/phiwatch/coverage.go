package main

import (
	"encoding/json"
	"time"
)

// coverageCmd shows which safeguards are watched, what each needs, and what is
// missing.
type coverageCmd struct {
	ruleArgs
	Output string `name:"output" enum:"text,json,markdown" default:"text" help:"Output: ${enum}."`
	URL    string `name:"url" placeholder:"URL" help:"A running daemon, such as http://127.0.0.1:9746: compare with the events that it has seen. Its certificate must be of the system's authorities, or of those in $$SSL_CERT_FILE."`
	User   string `name:"url.user" placeholder:"NAME" help:"User name for the daemon's basic auth."`
	Secret string `name:"url.password-file" placeholder:"FILE" help:"File with the password."`
}

// Run implements the command.
func (c *coverageCmd) Run(e *env) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	set, err := cfg.loadRules()
	if err != nil {
		return err
	}
	var seen *seenEvents
	if c.URL != "" {
		if seen, err = c.scrape(e.ctx); err != nil {
			return err
		}
	}
	lists := cfg.lists()
	if c.Config == "" { // the catalog's coverage and not an organisation's
		lists = nil
	}
	cover := newCoverage(set, lists, seen)
	switch c.Output {
	case "json":
		enc := json.NewEncoder(e.stdout)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		return enc.Encode(cover)
	case "markdown":
		return cover.markdown(e.stdout)
	}
	return cover.text(e.stdout)
}

// extent says how far something is covered.
type extent string

const (
	covered   extent = "yes"
	partly    extent = "partly"
	uncovered extent = "no"
)

// coverage is what the rules in force watch, and what the daemon has seen.
type coverage struct {
	Checked    *seenEvents        `json:"checked,omitempty"` // nil: not compared with a daemon
	Safeguards []coveredSafeguard `json:"safeguards"`
	Sources    []coveredSource    `json:"sources"`
	Lists      []coveredList      `json:"lists"`
}

// coveredSafeguard is one row: a system with the entries that watch it.
type coveredSafeguard struct {
	Code      string         `json:"code"`
	System    string         `json:"system"`
	Safeguard string         `json:"safeguard,omitempty"`
	HIPAA     []string       `json:"hipaa,omitempty"`
	Covered   extent         `json:"covered"`
	Missing   []string       `json:"missing"` // why it is not covered in full
	Sources   []string       `json:"sources"` // kinds of events that its entries in force need
	Entries   []coveredEntry `json:"entries"`
}

// coveredEntry is one rule.
type coveredEntry struct {
	Entry      string   `json:"entry"`
	Title      string   `json:"title"`
	Severity   string   `json:"severity"`
	Enabled    bool     `json:"enabled"`
	DisabledBy string   `json:"disabled_by,omitempty"`
	Blind      bool     `json:"blind"`            // can match no event: see Needs
	Needs      []string `json:"needs,omitempty"`  // unset operator lists without which it is blind
	Sources    []string `json:"sources"`          // kinds of events that show the weakening
	Restores   []string `json:"restores"`         // kinds of events that show the restore
	Unseen     []string `json:"unseen,omitempty"` // of both, those that the daemon has not seen
	Watching   bool     `json:"watching"`         // in force, not blind, and nothing that it needs is known to be missing
	Partly     bool     `json:"partly,omitempty"` // not all that it needs has been seen, but some
}

// coveredSource is one kind of events.
type coveredSource struct {
	Kind       string   `json:"kind"`
	Name       string   `json:"name"`
	Setting    string   `json:"setting"`
	Categories []string `json:"categories"`
	Note       string   `json:"note,omitempty"`
	Entries    int      `json:"entries"`        // in force, that need it
	Seen       *int64   `json:"seen,omitempty"` // events that the daemon has seen since it was started; nil: not asked

	Last *time.Time `json:"last,omitempty"` // of the newest event ever seen; nil: there is none, or it is not known
}

// unseen reports whether the daemon was asked and has never seen an event.
func (s *coveredSource) unseen() bool { return s.Seen != nil && *s.Seen == 0 && s.Last == nil }

// coveredList is one operator list.
type coveredList struct {
	List    string   `json:"list"`
	Holds   string   `json:"holds,omitempty"`
	Values  int      `json:"values"`
	Entries []string `json:"entries"` // in force, that read it
	Blind   []string `json:"blind"`   // of them, blind as long as it is empty
	Opened  []string `json:"opened"`  // of them, not restored by any event as long as it is empty
	Without string   `json:"without,omitempty"`
}

// seenEvents is what a daemon has seen.
type seenEvents struct {
	Since  time.Time            `json:"since"`          // when it was started
	Events map[string]int64     `json:"events"`         // by kind, since then
	Last   map[string]time.Time `json:"last,omitempty"` // by kind, of the newest event, also from before it was started
}

// saw reports whether a kind of event ever came.
func (s *seenEvents) saw(kind string) bool {
	_, before := s.Last[kind]
	return before || s.Events[kind] > 0
}
