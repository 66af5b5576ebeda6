package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"phiwatch/alerting"
	"phiwatch/detectors"
	"phiwatch/ingest"
)

// replayCmd runs the real pipeline over files with a temporary state.
type replayCmd struct {
	Paths  []string `arg:"" name:"file" help:"Files or folders, in order; - is standard input. In .jsonl and .ndjson files each line is a payload, any other file is one."`
	Config string   `name:"config.file" placeholder:"FILE" help:"Configuration: its lists and rules are used, its receivers are not."`
	Rules  []string `name:"rules" placeholder:"DIR" help:"Further folders of rules."`
	Output string   `name:"output" enum:"text,json" default:"text" help:"${enum}; json prints one object a line: findings as they happen, then violations, then a summary."`
}

// Run implements the command.
func (c *replayCmd) Run(e *env) error {
	rules := ruleArgs{Dirs: c.Rules, Config: c.Config}
	set, err := rules.load()
	if err != nil {
		return err
	}
	source, err := ingest.NewFiles(c.Paths, e.stdin)
	if err != nil {
		return usageError{fmt.Errorf("read payloads: %w; name existing files or folders, or - for standard input", err)}
	}
	for _, skipped := range source.Passed() {
		e.log.Info("not a payload file, passed over", "file", skipped)
	}
	return c.replay(e, set, source)
}

func (c *replayCmd) replay(e *env, set *detectors.Set, source *ingest.Files) (err error) {
	dir, err := os.MkdirTemp("", "phiwatch-replay-")
	if err != nil {
		return fmt.Errorf("make temporary state: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	db, err := openState(e.ctx, filepath.Join(dir, "state.db"), false)
	if err != nil {
		return err
	}
	defer db.Close()

	reg := prometheus.NewRegistry()
	ledger, err := alerting.NewLedger(db, alerting.Options{Entries: set.Entries()}, e.log, reg)
	if err != nil {
		return err
	}
	ledger.SetFlapping(set.ByClock(alerting.FlappingRule().Entry))
	out := bufio.NewWriter(e.stdout)
	var print replayPrinter = &textPrinter{out: out}
	if c.Output == "json" {
		print = newJSONPrinter(out)
	}
	engine, err := detectors.New(set, detectors.NewMetrics(reg))
	if err != nil {
		return err
	}
	p := newPipeline(db, engine, ledger, ingest.NewQuarantine(0, 0), ingest.NewMetrics(reg), e.log)
	there := known{ledger, map[string]bool{}}
	p.told = func(findings []detectors.Finding) { print.findings(there.only(e.ctx, findings)) }
	if err := source.Run(e.ctx, p.handle); err != nil {
		return err
	}
	violations, err := allViolations(e.ctx, ledger)
	if err != nil {
		return err
	}
	sum := p.totals.sum()
	print.end(violations, sum)
	return errors.Join(out.Flush(), sum.Check(), e.ctx.Err())
}

// known leaves out restores of what was never weakened: every harmless save of
// a policy is one. The ledger keeps them, since the weakening may still arrive.
type known struct {
	ledger *alerting.Ledger
	ids    map[string]bool // violations that are there; none goes away again
}

func (k known) only(ctx context.Context, findings []detectors.Finding) []detectors.Finding {
	var out []detectors.Finding
	for _, f := range findings {
		id := alerting.ViolationID(f.Tenant, f.Rule.Entry, f.Subject)
		if f.State == detectors.Restored && !k.ids[id] {
			_, err := k.ledger.Violation(ctx, id)
			if errors.Is(err, alerting.ErrNotFound) {
				continue
			}
			k.ids[id] = err == nil
		}
		out = append(out, f)
	}
	return out
}

// allViolations reads the whole ledger in a stable order.
func allViolations(ctx context.Context, l *alerting.Ledger) ([]alerting.Violation, error) {
	var all []alerting.Violation
	cursor := ""
	for {
		page, next, err := l.Violations(ctx, alerting.Filter{Cursor: cursor, Limit: alerting.MaxLimit})
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if next == "" {
			break
		}
		cursor = next
	}
	slices.SortFunc(all, func(a, b alerting.Violation) int {
		return cmp.Or(a.Opened.Compare(b.Opened), cmp.Compare(a.Entry, b.Entry), cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.Subject, b.Subject))
	})
	return all, nil
}

// replayPrinter shows a replay's findings as they happen and its end.
type replayPrinter interface {
	findings([]detectors.Finding)
	end([]alerting.Violation, *ingest.Tally)
}

// jsonPrinter prints one object a line.
type jsonPrinter struct{ out *json.Encoder }

func newJSONPrinter(w io.Writer) *jsonPrinter {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return &jsonPrinter{enc}
}

type findingLine struct {
	Type      string    `json:"type"`
	State     string    `json:"state"`
	Entry     string    `json:"entry"`
	Safeguard string    `json:"safeguard"`
	Tenant    string    `json:"tenant"`
	Subject   string    `json:"subject"`
	Name      string    `json:"subject_name,omitempty"`
	Severity  string    `json:"severity"`
	Time      time.Time `json:"time"`
	detectors.Evidence
}

type violationLine struct {
	Type string `json:"type"`
	alerting.Violation
	// The three times are always present, null when they do not apply.
	Opened   *time.Time `json:"opened"`
	Restored *time.Time `json:"restored"`
	Status   string     `json:"status"`
	State    string     `json:"state"`
}

type summaryLine struct {
	Type        string                  `json:"type"`
	Payloads    int64                   `json:"payloads"`
	Received    int64                   `json:"received"`
	Evaluated   int64                   `json:"evaluated"`
	Quarantined map[ingest.Reason]int64 `json:"quarantined"`
	Kinds       map[string]int64        `json:"kinds"`
	Repaired    int64                   `json:"repaired"`
}

func (p *jsonPrinter) findings(list []detectors.Finding) {
	for _, f := range list {
		p.encode(findingLine{"finding", string(f.State), f.Rule.Entry, f.Rule.Safeguard(), f.Tenant, f.Subject, f.Name, f.Severity.String(), f.Time, f.Evidence})
	}
}

func (p *jsonPrinter) end(violations []alerting.Violation, c *ingest.Tally) {
	for _, v := range violations {
		line := violationLine{Type: "violation", Violation: v, Status: string(v.State), State: "restored"}
		if v.State.Open() {
			line.State = "open"
		}
		line.Opened, line.Restored = whenSet(v.Opened), whenSet(v.Restored)
		p.encode(line)
	}
	s := summaryLine{Type: "summary", Payloads: c.Messages, Received: c.Received, Evaluated: c.Evaluated(),
		Quarantined: map[ingest.Reason]int64{}, Kinds: map[string]int64{}, Repaired: c.Repaired}
	for _, k := range ingest.Kinds() {
		if n := c.OfKind(k); n > 0 {
			s.Kinds[k.String()] = n
		}
	}
	for _, r := range ingest.Reasons() {
		if n := c.ForReason(r); n > 0 {
			s.Quarantined[r] = n
		}
	}
	p.encode(s)
}

// encode writes one line; a full pipe or disk shows when the writer is flushed.
func (p *jsonPrinter) encode(v any) { _ = p.out.Encode(v) }

func whenSet(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// textPrinter prints for people.
type textPrinter struct {
	out   io.Writer
	count int
}

func (p *textPrinter) findings(list []detectors.Finding) {
	for _, f := range list {
		p.count++
		fmt.Fprintf(p.out, "%s  %-8s %-8s %s: %s%s\n", when(f.Time), f.State, f.Severity, f.Rule.Entry, clean(f.Subject), about(f))
	}
}

// about is what a line adds to the subject: its name if that is another, and who did it.
func about(f detectors.Finding) string {
	var b strings.Builder
	if f.Name != "" && !strings.EqualFold(f.Name, f.Subject) {
		fmt.Fprintf(&b, " (%s)", clean(f.Name))
	}
	if f.Evidence.Actor != "" {
		fmt.Fprintf(&b, " by %s", clean(f.Evidence.Actor))
	}
	return b.String()
}

// when is how a time is shown; a damaged record may have none.
func when(t time.Time) string {
	if t.IsZero() {
		return "time unknown       "
	}
	return t.UTC().Format(time.DateTime)
}

func (p *textPrinter) end(violations []alerting.Violation, c *ingest.Tally) {
	open := 0
	for _, v := range violations {
		if v.State.Open() {
			open++
		}
	}
	fmt.Fprintf(p.out, "\n%d payloads, %d records: %d evaluated + %d quarantined, %d repaired\n", c.Messages, c.Received, c.Evaluated(), c.Quarantined(), c.Repaired)
	for _, k := range ingest.Kinds() {
		if n := c.OfKind(k); n > 0 {
			fmt.Fprintf(p.out, "  %-32s %d\n", k, n)
		}
	}
	for _, r := range ingest.Reasons() {
		if n := c.ForReason(r); n > 0 {
			fmt.Fprintf(p.out, "  quarantined: %-19s %d\n", r, n)
		}
	}
	fmt.Fprintf(p.out, "%d findings, %d violations: %d open, %d restored or closed\n", p.count, len(violations), open, len(violations)-open)
}

// clean makes text from an event fit for a terminal.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == '\u202e' {
			return '·'
		}
		return r
	}, s)
}
