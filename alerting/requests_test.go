package alerting_test

import (
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"phiwatch/alerting"
	"phiwatch/detectors"
	"phiwatch/detectors/rules"
)

// What an Azure operation changes often stands in its request only, on the Start
// record, while the outcome tells nothing. TestRequestsDecideWhatIsOver plays
// records from the rules' test events in many orders, none later than 72 hours: a
// violation is over when those that were asked for, and done, put back what was
// lost. What an answer repeats opens none, and restores nothing.
func TestRequestsDecideWhatIsOver(t *testing.T) {
	const (
		deleted  = "audit/azure-diag-deleted.yml"
		hold     = "audit/blob-legal-hold-cleared.yml"
		recovery = "audit/blob-recovery-off.yml"
		public   = "transmission/storage-public-access.yml"
		policy   = "audit/policy-guardrail-removed.yml"
		alert    = "audit/monitor-alert-removed.yml"
		lock     = "audit/resource-lock-deleted.yml"
		logs     = "audit/log-workspace-deleted.yml"
		blob     = "audit/blob-immutability-removed.yml"
		vault    = "transmission/kv-vault-removed.yml"
		vpn      = "transmission/vpn-removed.yml"
		line     = "transmission/expressroute-removed.yml"
		endpoint = "transmission/private-endpoint-deleted.yml"
	)
	lists, err := detectors.ScenarioLists(rules.FS)
	if err != nil {
		t.Fatal(err)
	}
	db := catalogDB(t)
	for name, c := range map[string]struct {
		rule   string
		events string
		want   alerting.Status // empty: none
	}{
		"a setting with less than before":         {deleted, "hit-ten near-miss-less-asked near-miss-less-done", alerting.StatusOpen},
		"a setting with metrics only":             {deleted, "hit-ten near-miss-metrics-asked near-miss-metrics-done", alerting.StatusOpen},
		"a setting of which nothing is told":      {deleted, "hit-ten near-miss-untold", alerting.StatusOpen},
		"a setting that was refused":              {deleted, "hit-ten near-miss-refused", alerting.StatusOpen},
		"a setting as it was":                     {deleted, "hit-ten restore-asked restore-done", alerting.StatusRestored},
		"an answer with less than before":         {deleted, "hit-ten-answered near-miss-less-answered", alerting.StatusOpen},
		"an answer that tells it all":             {deleted, "hit-ten-answered restore-answered", alerting.StatusRestored},
		"one of two tags":                         {hold, "hit-split-asked hit-split-done near-miss-first-asked near-miss-first-done", alerting.StatusOpen},
		"a hold of unknown tags":                  {hold, "hit-split-asked hit-split-done near-miss-unknown", alerting.StatusOpen},
		"a hold that was refused":                 {hold, "hit-split-asked hit-split-done near-miss-refused", alerting.StatusOpen},
		"both tags, one after the other":          {hold, "hit-split-asked hit-split-done near-miss-first-asked near-miss-first-done restore-second-asked restore-second-done", alerting.StatusRestored},
		"an answer with both tags":                {hold, "hit-answered restore-answered", alerting.StatusRestored},
		"a hold after one of unknown tags":        {hold, "hit-split-done near-miss-unknown", alerting.StatusRestored},
		"a tag after a hold of unknown tags":      {hold, "hit-split-done near-miss-first-asked near-miss-first-done", alerting.StatusRestored},
		"another tag than those that are told":    {hold, "hit-split-asked hit-split-done restore-second-asked restore-second-done", alerting.StatusOpen},
		"a rule of which nothing is told":         {recovery, "hit-rule-asked hit-rule-done near-miss-rule-untold near-miss-rule-refused", alerting.StatusOpen},
		"a rule that deletes later":               {recovery, "hit-rule-asked hit-rule-done near-miss-rule-untold restore-rule-asked restore-rule-done", alerting.StatusRestored},
		"an answer with the default":              {public, "near-miss-default-answer", ""},
		"an answer that contradicts a request":    {public, "before-denied hit-answer", alerting.StatusOpen},
		"the same answer four days later":         {public, "before-denied hit-answer near-miss-answer-later", alerting.StatusOpen},
		"an answer as it was":                     {public, "before-denied hit-answer near-miss-answer-later restore-answer", alerting.StatusRestored},
		"networks of a private account":           {public, "before-split-asked before-split-done near-miss-private-answer", ""},
		"one of two accesses":                     {public, "before-split-asked before-split-done near-miss-private-answer hit-split-asked hit-split-done near-miss-denied", alerting.StatusOpen},
		"private again, by request":               {public, "before-split-asked before-split-done near-miss-private-answer hit-split-asked hit-split-done restore-split-asked restore-split-done", alerting.StatusRestored},
		"public blobs in an answer":               {public, "before-blobs hit-blobs-answer", alerting.StatusOpen},
		"none in the next":                        {public, "before-blobs hit-blobs-answer restore-blobs-answer", alerting.StatusRestored},
		"an idle assignment":                      {policy, "hit-split hit-idle-asked hit-idle-done", alerting.StatusOpen},
		"an idle one, then an outcome alone":      {policy, "hit-split hit-idle-asked hit-idle-done near-miss-refused-asked near-miss-refused-done near-miss-untold", alerting.StatusOpen},
		"an assignment as it was":                 {policy, "hit-split hit-idle-asked hit-idle-done near-miss-untold restore-whole-asked restore-whole-done", alerting.StatusRestored},
		"an outcome alone":                        {policy, "hit-split near-miss-untold", alerting.StatusOpen},
		"an assignment with more left out":        {policy, "before-scopes hit-log-all hit-scopes-asked hit-scopes-done", alerting.StatusOpen},
		"of another definition":                   {policy, "before-scopes hit-log-all hit-definition-asked hit-definition-done", alerting.StatusOpen},
		"with its effect disabled":                {policy, "before-scopes hit-log-all hit-disabled-asked hit-disabled-done", alerting.StatusOpen},
		"left out, then as it was":                {policy, "before-scopes hit-log-all hit-scopes-asked hit-scopes-done restore-scopes-asked restore-scopes-done", alerting.StatusRestored},
		"an assignment that begins idle":          {policy, "near-miss-try-out-asked near-miss-try-out-done", ""},
		"an alert of which nothing is told":       {alert, "hit-metric near-miss-metric-untold", alerting.StatusOpen},
		"a lock of which nothing is told":         {lock, "hit-frozen near-miss-untold", alerting.StatusOpen},
		"a peering of which nothing is told":      {line, "hit-peering near-miss-peering-untold", alerting.StatusOpen},
		"an endpoint of which nothing is told":    {endpoint, "hit-ehr near-miss-untold", alerting.StatusOpen},
		"an alert that is off":                    {alert, "hit-metric hit-metric-off-asked hit-metric-off-done near-miss-metric-untold near-miss-metric-refused-asked near-miss-metric-refused-done", alerting.StatusOpen},
		"an alert that is on":                     {alert, "hit-metric hit-metric-off-asked hit-metric-off-done near-miss-metric-untold restore-metric-asked restore-metric-done", alerting.StatusRestored},
		"an alert made again off, in words":       {alert, "hit-query hit-query-off", alerting.StatusOpen},
		"an alert that says nothing of being off": {alert, "hit-query hit-query-off restore-query-asked restore-query-done", alerting.StatusRestored},
		"a group without people":                  {alert, "hit-group hit-nobody-asked hit-nobody-done", alerting.StatusOpen},
		"a group with one of them":                {alert, "hit-group hit-nobody-asked hit-nobody-done restore-group-asked restore-group-done", alerting.StatusRestored},
		"an answer with people":                   {alert, "hit-answered restore-answered", alerting.StatusRestored},
		"an alert that begins off":                {alert, "near-miss-new-asked near-miss-new-done", ""},
		"a lesser lock":                           {lock, "before-frozen-asked before-frozen-done hit-frozen hit-lesser-asked hit-lesser-done near-miss-untold near-miss-refused-asked near-miss-refused-done", alerting.StatusOpen},
		"a lock as it was":                        {lock, "before-frozen-asked before-frozen-done hit-frozen hit-lesser-asked hit-lesser-done restore-frozen-asked restore-frozen-done", alerting.StatusRestored},
		"a lock of which nothing was known":       {lock, "hit-unknown restore-unknown-asked restore-unknown-done", alerting.StatusRestored},
		"an answer with more than before":         {lock, "hit-unknown restore-unknown-asked restore-unknown-done hit-again restore-more", alerting.StatusRestored},
		"an empty workspace":                      {logs, "before-id-asked before-id-done hit-forced hit-empty-asked hit-empty-done near-miss-three-untold", alerting.StatusOpen},
		"the same workspace":                      {logs, "before-id-asked before-id-done hit-forced hit-empty-asked hit-empty-done hit-empty-gone restore-id-asked restore-id-done", alerting.StatusRestored},
		"a workspace without ids":                 {logs, "hit-four near-miss-four-refused-asked near-miss-four-refused-done restore-four-asked restore-four-done", alerting.StatusRestored},
		"a recovery that was refused":             {logs, "hit-four near-miss-four-refused-asked near-miss-four-refused-done", alerting.StatusOpen},
		"a short period, locked":                  {blob, "hit-ecg hit-short-asked hit-short-done near-miss-locked-short near-miss-untold near-miss-refused-asked near-miss-refused-done", alerting.StatusOpen},
		"a short period, extended":                {blob, "hit-ecg hit-short-asked hit-short-done near-miss-locked-short restore-long-asked restore-long-done", alerting.StatusRestored},
		"a new vault after a purge":               {vault, "hit-old hit-purged near-miss-new-asked near-miss-new-done hit-new-deleted near-miss-new-recovered-asked near-miss-new-recovered-done", alerting.StatusOpen},
		"a vault that is written":                 {vault, "hit-lab near-miss-lab-untold near-miss-lab-refused-asked near-miss-lab-refused-done", alerting.StatusOpen},
		"a vault that is recovered":               {vault, "hit-lab near-miss-lab-untold restore-lab-asked restore-lab-done", alerting.StatusRestored},
		"a gateway that failed":                   {vpn, "hit-gateway hit-failed near-miss-untold-asked near-miss-untold-done near-miss-refused-asked near-miss-refused-done", alerting.StatusOpen},
		"a gateway that works":                    {vpn, "hit-gateway hit-failed near-miss-untold-asked near-miss-untold-done restore-gateway-asked restore-gateway-done", alerting.StatusRestored},
		"a tunnel of a hub":                       {vpn, "hit-hub restore-hub-asked restore-hub-done", alerting.StatusRestored},
		"a gateway that begins failed":            {vpn, "near-miss-new", ""},
		"a circuit without its carrier":           {line, "hit-circuit hit-carrier-asked hit-carrier-done near-miss-circuit-untold-asked near-miss-circuit-untold-done near-miss-circuit-refused-asked near-miss-circuit-refused-done", alerting.StatusOpen},
		"a circuit with its carrier":              {line, "hit-circuit hit-carrier-asked hit-carrier-done restore-carrier-asked restore-carrier-done", alerting.StatusRestored},
		"a carrier's state on an Accept record":   {line, "hit-galway hit-galway-asked hit-galway-accepted hit-galway-done", alerting.StatusOpen},
		"the carrier's work in an answer":         {line, "hit-galway hit-galway-asked hit-galway-accepted hit-galway-done restore-galway", alerting.StatusRestored},
		"a peering that is off":                   {line, "hit-peering hit-peering-off-asked hit-peering-off-done near-miss-peering-untold near-miss-peering-works-asked near-miss-peering-works-done", alerting.StatusOpen},
		"a peering that failed":                   {line, "hit-peering hit-peering-failed near-miss-peering-untold restore-peering-asked restore-peering-done", alerting.StatusOpen},
		"a peering that works":                    {line, "hit-peering hit-peering-off-asked hit-peering-off-done hit-peering-failed near-miss-peering-works-asked near-miss-peering-works-done restore-peering-asked restore-peering-done", alerting.StatusRestored},
		"a connection over the internet":          {line, "before-cork-asked before-cork-done hit-cork hit-cork-vpn-asked hit-cork-vpn-done", alerting.StatusOpen},
		"a connection as it was":                  {line, "before-cork-asked before-cork-done hit-cork hit-cork-vpn-asked hit-cork-vpn-done restore-cork-asked restore-cork-done", alerting.StatusRestored},
		"a new circuit":                           {line, "near-miss-new-asked near-miss-new-done", ""},
		"a new tunnel":                            {line, "near-miss-new-vpn-asked near-miss-new-vpn-done", ""},
		"an endpoint that waits":                  {endpoint, "hit-ehr hit-waiting-asked hit-waiting-done near-miss-refused-asked near-miss-refused-done near-miss-untold", alerting.StatusOpen},
		"an endpoint that is approved":            {endpoint, "hit-ehr hit-waiting-asked hit-waiting-done near-miss-untold restore-approved", alerting.StatusRestored},
		"an endpoint that is rejected":            {endpoint, "hit-lab hit-rejected-asked hit-rejected-done", alerting.StatusOpen},
		"an endpoint that failed":                 {endpoint, "hit-lab hit-rejected-asked hit-rejected-done hit-failed near-miss-lab-asked-again-asked near-miss-lab-asked-again-done", alerting.StatusOpen},
		"an endpoint that works":                  {endpoint, "hit-lab hit-rejected-asked hit-rejected-done hit-failed restore-lab-asked restore-lab-done", alerting.StatusRestored},
		"a connection that is rejected":           {endpoint, "before-connection-asked before-connection-done hit-connection-rejected-asked hit-connection-rejected-done", alerting.StatusOpen},
		"a connection that is approved":           {endpoint, "before-connection-asked before-connection-done hit-connection-rejected-asked hit-connection-rejected-done restore-connection-asked restore-connection-done", alerting.StatusRestored},
		"a connection that waits":                 {endpoint, "before-connection-asked before-connection-done hit-connection-deleted hit-connection-pending-asked hit-connection-pending-done", alerting.StatusOpen},
		"a connection that waited":                {endpoint, "before-connection-asked before-connection-done hit-connection-deleted hit-connection-pending-asked hit-connection-pending-done restore-connection-approved-asked restore-connection-approved-done", alerting.StatusRestored},
		"an endpoint that begins so":              {endpoint, "near-miss-new-asked near-miss-new-done", ""},
	} {
		t.Run(name, func(t *testing.T) {
			rule, err := fs.ReadFile(rules.FS, c.rule)
			if err != nil {
				t.Fatal(err)
			}
			s, err := detectors.ReadScenario(rules.FS, c.rule)
			if err != nil {
				t.Fatal(err)
			}
			names := strings.Fields(c.events)
			s.Events = slices.DeleteFunc(s.Events, func(p detectors.Payload) bool { return !slices.Contains(names, p.Name) })
			if len(s.Events) != len(names) {
				t.Fatalf("%s has not all of the events %s", c.rule, c.events)
			}
			p := &player{t: t, db: db, engine: loadOne(t, c.rule, rule, lists)}
			records := p.match(s)
			r := rand.New(rand.NewPCG(7, 7))
			for range 12 {
				for _, near := range inTime(records) {
					r.Shuffle(len(near), func(i, j int) { near[i], near[j] = near[j], near[i] })
				}
				var states []alerting.Status
				for _, v := range p.ledger(r, records, true) {
					states = append(states, v.State)
				}
				if want := []alerting.Status{c.want}; !slices.Equal(states, want[:min(len(c.want), 1)]) {
					t.Fatalf("violations are %q, want %q", states, c.want)
				}
			}
		})
	}
}
