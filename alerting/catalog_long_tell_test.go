package alerting_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"phiwatch/alerting"
	"phiwatch/detectors"
	"phiwatch/detectors/rules"
	"phiwatch/ingest"
)

const day = 24 * time.Hour

// long tells the events of a scenario when they were and, as new events, later.
type long struct {
	t          *testing.T
	p          *player
	ledger     *alerting.Ledger
	set        *detectors.Set
	entry      string
	correlates bool

	payloads []longPayload
	first    time.Time     // of all events
	shift    time.Duration // of what comes later
	now      time.Time     // the newest event
	texts    map[string][]byte
}

type longPayload struct {
	detectors.Payload
	from, to   time.Time
	operations map[string]bool // of Azure
}

func (l *long) read(file string) {
	l.t.Helper()
	s, err := detectors.ReadScenario(rules.FS, file)
	if err != nil {
		l.t.Fatal(err)
	}
	l.texts = map[string][]byte{}
	var last time.Time
	for _, payload := range s.Events {
		p := longPayload{Payload: payload, operations: map[string]bool{}}
		l.decode(payload.Body, func(ev *ingest.Event) {
			if p.from.IsZero() || ev.Time.Before(p.from) {
				p.from = ev.Time
			}
			if ev.Time.After(p.to) {
				p.to = ev.Time
			}
			if ev.Kind == ingest.AzureActivity {
				operation, _, _ := strings.Cut(ev.ID, "|")
				p.operations[strings.Clone(operation)] = true
			}
		})
		if l.first.IsZero() || p.from.Before(l.first) {
			l.first = p.from
		}
		if p.to.After(last) {
			last = p.to
		}
		l.payloads = append(l.payloads, p)
	}
	l.shift = last.Sub(l.first).Truncate(day) + day + time.Duration(*longDays)*day
}

func (l *long) decode(body []byte, f func(*ingest.Event)) {
	l.t.Helper()
	ingest.NewDecoder().Decode(ingest.Message{Body: body}, f, func(q ingest.Quarantined) {
		l.t.Fatalf("%s: quarantined: %s", l.entry, q.Detail)
	})
}

// together returns the payloads up to k that tell of one operation of Azure.
func (l *long) together(k int) (of []int) {
	for i := range k + 1 {
		shares := i == k
		for id := range l.payloads[i].operations {
			shares = shares || l.payloads[k].operations[id]
		}
		if shares {
			of = append(of, i)
		}
	}
	return of
}

// newest reports whether nothing before k in the file is later.
func (l *long) newest(k int) bool {
	return !slices.ContainsFunc(l.payloads[:k], func(p longPayload) bool { return p.to.After(l.payloads[k].from) })
}

// start begins a process over the database.
func (l *long) start() {
	l.t.Helper()
	var err error
	if l.p.engine, err = detectors.New(l.set, detectors.NewMetrics(prometheus.NewRegistry())); err != nil {
		l.t.Fatal(err)
	}
	l.ledger, err = alerting.NewLedger(l.p.db, alerting.Options{Now: func() time.Time { return l.now }}, slog.New(slog.NewTextHandler(l.t.Output(), nil)), prometheus.NewRegistry())
	if err != nil {
		l.t.Fatal(err)
	}
}

// empty forgets all state, that of correlations included.
func (l *long) empty() {
	l.t.Helper()
	empty(l.t, l.p.db)
	l.now = time.Time{}
	for _, forget := range []string{
		"DELETE FROM while_open", "DELETE FROM part_weak", "DELETE FROM part_strong", "DELETE FROM raise_suspects", "DELETE FROM raise_acts",
		"DELETE FROM correlation_journal", "DELETE FROM baselines", "UPDATE correlation_head SET newest = 0",
	} {
		if _, err := l.p.db.Exec(forget); err != nil {
			l.t.Fatal(err)
		}
	}
}

// quiet lets days pass on which everything happens to others, and starts anew.
func (l *long) quiet(stage int) {
	l.t.Helper()
	from, days := l.now, int(l.shift/day)-1
	for d := max(1, days-*longDays+1); d <= days; d += max(1, *longDays/2) {
		at := l.first.Add(l.shift*time.Duration(stage) + time.Duration(d)*day)
		if at.Before(from) {
			continue
		}
		var batch []played
		for k, p := range l.payloads {
			batch = append(batch, l.tell(k, fmt.Sprint("others of ", at), at.Sub(p.from).Round(time.Second))...)
		}
		l.batch(batch)
		if err := l.ledger.Sweep(l.t.Context(), l.now); err != nil {
			l.t.Fatal(err)
		}
	}
	l.start()
}

func (l *long) batch(records []played) {
	l.t.Helper()
	for _, r := range records {
		if r.at.After(l.now) {
			l.now = r.at
		}
	}
	l.p.batch(l.ledger, records)
}

// tell returns a payload's records as they are told of a tenant later.
func (l *long) tell(k int, tenant string, later time.Duration) (out []played) {
	l.t.Helper()
	l.decode(l.moved(&l.payloads[k], later), func(ev *ingest.Event) {
		ev.Tenant = tenant
		out = append(out, played{ev.Time, l.p.engine.Match(ev, nil)})
	})
	return out
}

var (
	moment  = regexp.MustCompile(`20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d|\d{1,2}/\d{1,2}/20\d\d \d{1,2}:\d\d:\d\d [AP]M`)
	layouts = []string{"2006-01-02T15:04:05", "2006-01-02 15:04:05", "1/2/2006 3:04:05 PM"}
	ownID   = regexp.MustCompile(`("(?:[cC]orrelationId|correlation_id|AuditEventId|BatchId|uniqueTokenIdentifier|OfficeId|ReportId)": ?")([^"]+)`)
)

// moved returns a payload as new events: with other times and ids.
func (l *long) moved(p *longPayload, later time.Duration) []byte {
	l.t.Helper()
	key := fmt.Sprint(p.Name, later)
	if later == 0 {
		return p.Body
	}
	if done, ok := l.texts[key]; ok {
		return done
	}
	text := moment.ReplaceAllStringFunc(string(p.Body), func(s string) string {
		for _, layout := range layouts {
			if at, err := time.Parse(layout, s); err == nil && at.After(p.from.Add(-day)) && at.Before(p.to.Add(day)) {
				return at.Add(later).Format(layout)
			}
		}
		return s // of something else, such as when a policy was made
	})
	text = ownID.ReplaceAllStringFunc(text, func(s string) string {
		parts := ownID.FindStringSubmatch(s)
		return parts[1] + otherID(parts[2], later)
	})
	var want []time.Time
	var ids []string
	l.decode(p.Body, func(ev *ingest.Event) {
		id := strings.Clone(ev.ID)
		want, ids = append(want, ev.Time.Add(later)), append(ids, id)
		asMember := regexp.MustCompile(`"[iI]d\\*": ?\\*"` + regexp.QuoteMeta(id) + `\\*"`)
		text = asMember.ReplaceAllStringFunc(text, func(s string) string { return strings.Replace(s, id, otherID(id, later), 1) })
	})
	l.texts[key] = []byte(text)
	l.decode(l.texts[key], func(ev *ingest.Event) {
		if ev.ID == ids[0] && ev.ID != "" || !ev.Time.Equal(want[0]) {
			l.t.Fatalf("%s: %s, %s later, has the id %s, which was %s, and is of %s, want %s", l.entry, p.Name, later, ev.ID, ids[0], ev.Time, want[0])
		}
		want, ids = want[1:], ids[1:]
	})
	return l.texts[key]
}

// otherID returns an id of the same form, the same for the same one.
func otherID(id string, later time.Duration) string {
	sum := sha256.Sum256([]byte(id + later.String()))
	if len(id) == 36 && strings.Count(id, "-") == 4 {
		return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
	}
	return id + fmt.Sprintf("-%x", sum[:4])
}

// opened are the sides that are weak, by entry and subject.
type opened map[string]bool

// open returns what is open of each tenant, but for what closes by itself.
func (l *long) open() map[string]opened {
	l.t.Helper()
	rows, err := l.p.db.Query(`SELECT tenant, entry, episode FROM violations WHERE state IN ('open', 'acknowledged')`)
	if err != nil {
		l.t.Fatal(err)
	}
	defer rows.Close()
	out := map[string]opened{}
	for rows.Next() {
		var tenant, entry string
		var episode []byte
		var e struct {
			Violation struct{ Subject string }
			Weak      []string
			Quiet     int64
		}
		if err := rows.Scan(&tenant, &entry, &episode); err != nil {
			l.t.Fatal(err)
		}
		if err := json.Unmarshal(episode, &e); err != nil {
			l.t.Fatal(err)
		}
		if e.Quiet > 0 || entry == "safeguard-flapping" {
			continue
		}
		if out[tenant] == nil {
			out[tenant] = opened{}
		}
		for _, side := range e.Weak {
			out[tenant][entry+" of "+strings.ToLower(strings.ReplaceAll(e.Violation.Subject, tenant, "the tenant"))+" ("+side+")"] = true
		}
	}
	if err := rows.Err(); err != nil {
		l.t.Fatal(err)
	}
	return out
}

// missing returns the sides that are weak in one and not in another.
func missing(of, in opened) (out []string) {
	for side := range of {
		if !in[side] {
			out = append(out, side)
		}
	}
	slices.Sort(out)
	return out
}

func only(sides []string) opened {
	out := opened{}
	for _, side := range sides {
		out[side] = true
	}
	return out
}

func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}
