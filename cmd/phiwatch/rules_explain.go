package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"phiwatch/detectors"
	"phiwatch/detectors/strict"
	"phiwatch/ingest"
)

// rulesExplainCmd shows why a rule finds an event, or does not.
type rulesExplainCmd struct {
	Rule   string `arg:"" help:"A rule: an entry of the catalog, or a rule file."`
	Event  string `arg:"" help:"A file with an event as it is delivered; - is standard input."`
	Config string `name:"config.file" placeholder:"FILE" help:"Configuration that names rule folders and lists."`
}

// Run implements the command.
func (c *rulesExplainCmd) Run(e *env) error {
	args := ruleArgs{Config: c.Config}
	entry := c.Rule
	if info, err := os.Stat(c.Rule); err == nil && !info.IsDir() {
		args.Dirs = []string{c.Rule}
		entry = ""
	}
	set, err := args.load()
	if err != nil {
		return err
	}
	all := slices.Concat(set.Rules, set.Disabled)
	i := slices.IndexFunc(all, func(r *detectors.Rule) bool {
		return r.Entry == entry || entry == "" && filepath.Clean(r.File) == filepath.Clean(c.Rule)
	})
	if c := set.ByClock(entry); c != nil {
		return usageError{fmt.Errorf("%s has no rule file and reads no event, so there is nothing to explain: %s", entry, c.Description)}
	}
	if i < 0 {
		return usageError{fmt.Errorf("rule %q is neither an entry of the catalog nor a rule file: %s", c.Rule, meantEntry(c.Rule, all))}
	}
	body, err := readEvent(c.Event, e.stdin)
	if err != nil {
		return usageError{err}
	}
	engine, err := detectors.New(set, detectors.NewMetrics(prometheus.NewRegistry()))
	if err != nil {
		return err
	}
	return explain(e.stdout, engine, all[i], body)
}

// meantEntry names the entry that was probably meant, or where all of them are.
func meantEntry(name string, all []*detectors.Rule) string {
	if strings.ContainsAny(name, "./") {
		return "name a file with one rule, or see phiwatch rules list"
	}
	var entries []string
	for _, r := range all {
		entries = append(entries, r.Entry)
	}
	if meant := strict.Nearest(name, entries); meant != "" {
		return "did you mean " + meant + "?"
	}
	return "see phiwatch rules list"
}

func readEvent(name string, stdin io.Reader) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(io.LimitReader(stdin, ingest.MaxBody))
	}
	body, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read event: %w; name a file that holds one event, or - for standard input", err)
	}
	return body, nil
}

// explain prints how rule r sees each event of a payload.
func explain(w io.Writer, engine *detectors.Engine, r *detectors.Rule, body []byte) error {
	var bad error
	n := ingest.NewDecoder().Decode(ingest.Message{Body: body}, func(ev *ingest.Event) {
		fmt.Fprintf(w, "%s %q, outcome %s, by %s, at %s\n", ev.Kind, clean(ev.Action), ev.Outcome, clean(ev.Actor.Name), ev.Time.Format("2006-01-02 15:04:05Z07:00"))
		for _, x := range engine.Explain(r, ev) {
			explainHalf(w, x)
		}
	}, func(q ingest.Quarantined) {
		bad = usageError{fmt.Errorf("the event cannot be decoded: %s: %s", q.Reason, q.Detail)}
	})
	if bad == nil && n == 0 {
		bad = usageError{errors.New("the payload holds no event")}
	}
	return bad
}

func explainHalf(w io.Writer, x detectors.Explained) {
	verdict := "does not hold"
	if x.Holds() {
		verdict = "holds, subject " + clean(x.Subject)
	}
	fmt.Fprintf(w, "%s, %s: %s\n", x.Rule, x.State, verdict)
	if !x.Reads {
		fmt.Fprintln(w, "  no   the rule's log source does not have this kind of event")
	}
	if !x.Outcome {
		fmt.Fprintln(w, "  no   the event's outcome is not the one the rule asks for (safeguard.outcome)")
	}
	for _, to := range x.Feeds {
		if x.Holds() {
			fmt.Fprintf(w, "  feeds %s\n", clean(to))
		}
	}
	for line := range strings.Lines(x.Detection.String()) {
		fmt.Fprint(w, "  ", clean(strings.TrimRight(line, "\n")), "\n")
	}
}
