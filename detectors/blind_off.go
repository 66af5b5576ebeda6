package detectors

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"phiwatch/ingest"
)

// off is a row of blind_offs: a setting, and whether it is switched off.
type off struct {
	entry, tenant, subject string
	at                     time.Time
	off                    bool
}

// settings are the entries that tell that a setting was switched off or on.
var settings = []string{"azure-diag-deleted", "azure-diag-weakened", "entra-diag-deleted"}

// offFactor is how many times the usual quiet follows from a setting that is off.
const offFactor = 3

// Note takes the findings of a batch in, in the batch's transaction: which rules
// find something, and which diagnostic settings are off; of these the newest by
// event time counts.
func (w *Watch) Note(ctx context.Context, tx *sql.Tx, findings []Finding) error {
	if w == nil {
		return nil
	}
	fields := w.fields.Load()
	for i := range findings {
		f := &findings[i]
		if fields != nil && f.State != Restored {
			fields.found(f.Rule.Entry)
		}
		if !slices.Contains(settings, f.Rule.Entry) {
			continue
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO blind_offs (entry, tenant, subject, at, is_off) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (entry, tenant, subject) DO UPDATE SET at = excluded.at, is_off = excluded.is_off WHERE blind_offs.at <= excluded.at`,
			f.Rule.Entry, f.Tenant, strings.ToLower(f.Subject), micros(f.Time), f.State == Weakened)
		if err != nil {
			return fmt.Errorf("note setting %s: %w", f.Subject, err)
		}
	}
	return nil
}

// kinds returns what a setting sends, as far as its resource id tells: of an
// Azure resource only vaults' records are read, and the Activity Log's own
// setting stands directly under a subscription.
func (o *off) kinds() []ingest.Kind {
	switch {
	case o.entry == "entra-diag-deleted", strings.Contains(o.subject, "/microsoft.aadiam/"):
		return []ingest.Kind{
			ingest.EntraAudit, ingest.EntraSignIn, ingest.EntraNonInteractiveSignIn, ingest.EntraServicePrincipalSignIn,
			ingest.EntraManagedIdentitySignIn, ingest.EntraRisk,
		}
	case strings.Contains(o.subject, "/microsoft.intune/"):
		return []ingest.Kind{ingest.Intune}
	case strings.Contains(o.subject, "/microsoft.keyvault/"):
		return []ingest.Kind{ingest.KeyVault}
	case strings.HasPrefix(o.subject, "/subscriptions/") && strings.Count(strings.TrimSuffix(o.subject, "/"), "/") <= 6 && strings.Contains(o.subject, "/providers/microsoft.insights/"):
		return []ingest.Kind{ingest.AzureActivity}
	}
	return nil
}

// switchedOff judges whether silence followed on a setting that is off.
func (t *tick) switchedOff() {
	for i := range t.offs {
		o := &t.offs[i]
		a := t.alarms[alarmKey{offAndSilent.Entry, o.tenant, o.subject}]
		if !o.off && (a == nil || !a.open) {
			continue
		}
		a = t.alarm(offAndSilent, o.tenant, o.subject)
		var silent []string
		heard := true
		for _, s := range t.inOrder() {
			if s.workload != "" || s.heard.IsZero() || !slices.Contains(o.kinds(), s.kind) || o.tenant != "" && s.tenant != "" && s.tenant != o.tenant {
				continue
			}
			if limit := s.offLimit(&t.options, t.now); limit > 0 && s.quiet >= limit {
				silent = append(silent, s.subject())
			}
			heard = heard && s.heard.After(a.told)
		}
		bad := o.off && len(silent) > 0
		if a.open {
			bad = !heard // what is usual changes with the hour; only records end it
		}
		t.hold(a, offAndSilent.Severity, standing{
			bad: bad, good: !bad, kind: "setting", words: "its records are heard again",
			details: map[string]any{"entry": o.entry, "setting": o.subject, "off_since": stamp(o.at), "silent": silent},
		}.saying(bad, fmt.Sprintf("off since %s, and nothing heard of %s", stamp(o.at), strings.Join(silent, ", "))))
	}
}

// offLimit is limit for a stream whose setting is off.
func (s *stream) offLimit(o *WatchOptions, now time.Time) time.Duration {
	limit, normal := s.limit(o, now)
	if normal > 0 && limit > o.Floor {
		return max(o.Floor, limit*offFactor/factor)
	}
	return limit
}
