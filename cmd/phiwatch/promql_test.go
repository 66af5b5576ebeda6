package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.yaml.in/yaml/v4"
)

// startDaemon runs a daemon in this process, with every kind of receiver that
// the fakes stand for and a hub that holds records, some of them damaged, until
// it has decided them.
func startDaemon(t *testing.T) *daemon {
	t.Helper()
	f := newFakes(t)
	messages := append(killDay(t, 500, 2), []byte(`{"records":[`))
	file := f.configFile(t, freeAddress(t), localHub(t, messages))
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	d, err := newDaemon(ctx, func() (*config, error) { return loadConfig(file) }, slog.New(slog.NewTextHandler(t.Output(), nil)), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- d.run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	web := d.web.listener.Addr().String()
	decided, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	await(decided, t, "all decided and told", func() bool {
		return settled(web, 2) && d.pipeline.totals.sum().Messages == int64(len(messages))
	})
	return d
}

// family is what is known of a metric: its labels, each with the values seen.
// Those of closed sets exist at zero, so all of theirs are.
type family struct {
	kind   string
	labels map[string][]string
}

// exposed returns what Prometheus can ask for, by series name.
func exposed(t *testing.T, reg *prometheus.Registry) map[string]family {
	t.Helper()
	gathered, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]family{"up": {"GAUGE", map[string][]string{}}}
	for _, mf := range gathered {
		f := family{mf.GetType().String(), map[string][]string{}}
		for _, m := range mf.GetMetric() {
			for _, l := range m.GetLabel() {
				f.labels[l.GetName()] = append(f.labels[l.GetName()], l.GetValue())
			}
		}
		switch f.kind {
		case "HISTOGRAM":
			all[mf.GetName()+"_sum"], all[mf.GetName()+"_count"] = f, f
			f.labels = maps.Clone(f.labels)
			f.labels["le"] = nil
			all[mf.GetName()+"_bucket"] = f
		case "SUMMARY":
			all[mf.GetName()+"_sum"], all[mf.GetName()+"_count"] = f, f
			f.labels = maps.Clone(f.labels)
			f.labels["quantile"] = nil
			all[mf.GetName()] = f
		default:
			all[mf.GetName()] = f
		}
	}
	return all
}

// openLabels have values that only a running system knows.
var openLabels = []string{"job", "instance", "hub", "partition", "receiver", "le", "quantile"}

var (
	grouping = regexp.MustCompile(`\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)`)
	ranges   = regexp.MustCompile(`\[[^\]]*\]`)
	selector = regexp.MustCompile(`\b([a-zA-Z_:][\w:]*)\s*(\(|\{(?:[^}"]|"[^"]*")*\})?`)
	matching = regexp.MustCompile(`(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"`)
	keywords = []string{"and", "or", "unless", "bool", "offset"}
)

// query is the part of a PromQL expression that names things.
type query struct {
	metrics map[string][]string // with the selectors of each
	grouped []string            // labels of by, on and their like
}

func parseQuery(expr string) query {
	q := query{metrics: map[string][]string{}}
	for _, m := range grouping.FindAllStringSubmatch(expr, -1) {
		q.grouped = append(q.grouped, strings.FieldsFunc(m[1], func(r rune) bool { return r == ',' || r == ' ' })...)
	}
	expr = ranges.ReplaceAllString(grouping.ReplaceAllString(expr, " "), " ")
	for _, m := range selector.FindAllStringSubmatch(expr, -1) {
		if m[2] != "(" && !slices.Contains(keywords, m[1]) {
			q.metrics[m[1]] = append(q.metrics[m[1]], m[2])
		}
	}
	return q
}

// check returns what an expression names that does not exist, and the labels
// that its result can have.
func (q query) check(known map[string]family) (wrong, labels []string) {
	labels = []string{"job", "instance"}
	for name, selectors := range q.metrics {
		f, ok := known[name]
		if !ok {
			wrong = append(wrong, "there is no metric "+name)
			continue
		}
		labels = slices.AppendSeq(labels, maps.Keys(f.labels))
		for _, m := range matching.FindAllStringSubmatch(strings.Join(selectors, " "), -1) {
			wrong = append(wrong, f.checkMatcher(name, m[1], m[3])...)
		}
	}
	for _, l := range q.grouped {
		if !slices.Contains(labels, l) {
			wrong = append(wrong, fmt.Sprintf("grouped by %s, which no metric of it has", l))
		}
	}
	if len(q.grouped) > 0 {
		labels = q.grouped
	}
	return wrong, labels
}

func (f family) checkMatcher(name, label, value string) (wrong []string) {
	values, ok := f.labels[label]
	switch {
	case label == "job" || label == "instance":
		return nil
	case !ok:
		return []string{fmt.Sprintf("%s has no label %s", name, label)}
	case slices.Contains(openLabels, label) || strings.Contains(value, "$"):
		return nil
	}
	for v := range strings.SplitSeq(value, "|") {
		if !slices.Contains(values, v) {
			wrong = append(wrong, fmt.Sprintf("%s is never %s in %s", label, v, name))
		}
	}
	return wrong
}

func TestParseQuery(t *testing.T) {
	known := map[string]family{"a_total": {"COUNTER", map[string][]string{"kind": {"x", "y"}}}}
	for _, tt := range []struct{ expr, want string }{
		{`sum by (kind) (rate(a_total{kind=~"x|y",job="j"}[5m] offset 1h)) > 0`, ""},
		{`b_total`, "there is no metric b_total"},
		{`a_total{kind="z"}`, "kind is never z in a_total"},
		{`a_total{sort="x"} and on (job) a_total`, "a_total has no label sort"},
		{`sum by (sort) (a_total)`, "grouped by sort, which no metric of it has"},
	} {
		wrong, _ := parseQuery(tt.expr).check(known)
		if got := strings.Join(wrong, "; "); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.expr, got, tt.want)
		}
	}
}

// alertRules is a file of alert rules.
type alertRules struct {
	Groups []struct {
		Name  string
		Rules []alertRule
	}
}

type alertRule struct {
	Alert, Expr, For    string
	Labels, Annotations map[string]string
}

func readAlertRules(t *testing.T) (all []alertRule) {
	t.Helper()
	var file alertRules
	if err := yaml.Unmarshal([]byte(deployed(t, "prometheus/phiwatch.rules.yml")), &file); err != nil {
		t.Fatal(err)
	}
	for _, g := range file.Groups {
		all = append(all, g.Rules...)
	}
	return all
}

// panel is a panel of a dashboard.
type panel struct {
	ID          int
	Type, Title string
	Description string
	Datasource  struct{ UID string }
	GridPos     struct{ X, Y, W, H int }
	Targets     []struct {
		Expr, LegendFormat string
		Datasource         struct{ UID string }
	}
}

type dashboard struct {
	SchemaVersion int
	Panels        []panel
	Annotations   struct {
		List []struct{ Expr, TitleFormat string }
	}
	Templating struct {
		List []struct{ Name, Type, Definition string }
	}
}

func readDashboard(t *testing.T) (d dashboard) {
	t.Helper()
	if err := json.Unmarshal([]byte(deployed(t, "grafana/phiwatch.json")), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

var (
	alertLabel  = regexp.MustCompile(`\$labels\.(\w+)`)
	legendLabel = regexp.MustCompile(`\{\{\s*(\w+)\s*\}\}`)
)

// checkExpr reports what is wrong with an expression and the text beside it.
func checkExpr(t *testing.T, known map[string]family, used map[string]bool, where, expr, text string, label *regexp.Regexp) {
	t.Helper()
	q := parseQuery(expr)
	wrong, labels := q.check(known)
	for _, m := range label.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(labels, m[1]) {
			wrong = append(wrong, fmt.Sprintf("its text shows the label %s, which the result has not", m[1]))
		}
	}
	for _, w := range wrong {
		t.Errorf("%s: %s", where, w)
	}
	for name := range q.metrics {
		used[name] = true
	}
}

func checkAlertRules(t *testing.T, known map[string]family, used map[string]bool) {
	seen := map[string]bool{}
	for _, r := range readAlertRules(t) {
		if seen[r.Alert] || !strings.HasPrefix(r.Alert, "Phiwatch") {
			t.Errorf("alert %q: give it a name of its own that begins with Phiwatch", r.Alert)
		}
		seen[r.Alert] = true
		if !slices.Contains([]string{"critical", "warning", "none"}, r.Labels["severity"]) {
			t.Errorf("%s: severity %q", r.Alert, r.Labels["severity"])
		}
		var text string
		for _, key := range []string{"summary", "description", "runbook"} {
			if r.Annotations[key] == "" {
				t.Errorf("%s has no %s", r.Alert, key)
			}
			text += r.Annotations[key]
		}
		checkExpr(t, known, used, r.Alert, r.Expr, text, alertLabel)
	}
}

func checkDashboard(t *testing.T, known map[string]family, used map[string]bool) {
	d := readDashboard(t)
	if d.SchemaVersion < 39 {
		t.Errorf("schemaVersion %d, want 39 or later", d.SchemaVersion)
	}
	taken := map[[2]int]string{}
	ids := map[int]bool{}
	for _, p := range d.Panels {
		if ids[p.ID] {
			t.Errorf("panel %q: id %d is taken", p.Title, p.ID)
		}
		ids[p.ID] = true
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" || x >= 24 {
					t.Fatalf("panel %q lies on %q, or beyond the edge", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
		if p.Type == "row" {
			continue
		}
		if p.Title == "" || p.Description == "" || len(p.Targets) == 0 {
			t.Errorf("panel %q: it needs a title, a description and a query", p.Title)
		}
		for _, target := range p.Targets {
			if p.Datasource.UID != "${datasource}" || target.Datasource.UID != "${datasource}" {
				t.Errorf("panel %q: its data source is not the variable", p.Title)
			}
			checkExpr(t, known, used, "panel "+p.Title, target.Expr, target.LegendFormat, legendLabel)
		}
	}
	for _, a := range d.Annotations.List {
		checkExpr(t, known, used, "annotation", a.Expr, a.TitleFormat, legendLabel)
	}
	for _, v := range d.Templating.List {
		m := regexp.MustCompile(`^label_values\((.*), (\w+)\)$`).FindStringSubmatch(v.Definition)
		if v.Type == "query" && m == nil {
			t.Errorf("variable %s: %s is not label_values(metric, label)", v.Name, v.Definition)
		} else if m != nil {
			checkExpr(t, known, used, "variable "+v.Name, m[1], "{{"+m[2]+"}}", legendLabel)
		}
	}
}

// checkAllWatched finds the metrics that nobody would look at.
func checkAllWatched(t *testing.T, known map[string]family, used map[string]bool) {
	for _, name := range slices.Sorted(maps.Keys(known)) {
		base := strings.TrimSuffix(strings.TrimSuffix(name, "_sum"), "_count")
		if strings.HasPrefix(name, "phiwatch_") && !used[name] && !used[base+"_bucket"] {
			t.Errorf("%s is in no alert and on no panel: add it to deploy/grafana/phiwatch.json or deploy/prometheus/phiwatch.rules.yml", name)
		}
	}
}

// checkRulesAreTested holds every alert to a unit test in which it fires.
func checkRulesAreTested(t *testing.T) {
	var file struct {
		Tests []struct {
			PromQL []struct {
				Expr    string
				Samples []struct{ Labels string } `yaml:"exp_samples"`
			} `yaml:"promql_expr_test"`
		}
	}
	if err := yaml.Unmarshal([]byte(deployed(t, "prometheus/phiwatch.test.yml")), &file); err != nil {
		t.Fatal(err)
	}
	fires := map[string]bool{}
	for _, test := range file.Tests {
		for _, p := range test.PromQL {
			m := regexp.MustCompile(`alertname="(\w+)"`).FindStringSubmatch(p.Expr)
			if m != nil && len(p.Samples) > 0 {
				fires[m[1]] = true
			}
		}
	}
	for _, r := range readAlertRules(t) {
		if !fires[r.Alert] {
			t.Errorf("no test of deploy/prometheus/phiwatch.test.yml sees %s fire", r.Alert)
		}
	}
}

// scrape returns the daemon's metrics as Prometheus reads them.
func scrape(t *testing.T, d *daemon) string {
	t.Helper()
	resp, err := http.Get("http://" + d.web.listener.Addr().String() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
