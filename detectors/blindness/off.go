package blindness

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"phiwatch/detectors"
	"phiwatch/ingest"
)

// off is a row of blind_cuts: a setting or a side of one, and whether it is
// switched off.
type off struct {
	entry, tenant, subject, side string
	at                           time.Time
	off                          bool
}

// settings are the entries that tell that a setting was switched off or on.
var settings = []string{"azure-diag-deleted", "azure-diag-weakened", "entra-diag-deleted"}

// Note takes the findings of a batch in, in the batch's transaction: which rules
// find something, which diagnostic settings are off, of which the newest by event
// time counts, and when whole streams were switched off and on.
func (w *Watch) Note(ctx context.Context, tx *sql.Tx, findings []detectors.Finding) error {
	if w == nil {
		return nil
	}
	fields := w.fields.Load()
	for i := range findings {
		f := &findings[i]
		if fields != nil && f.State != detectors.Restored {
			fields.found(f.Rule.Entry)
		}
		if err := noteSwitch(ctx, tx, f); err != nil {
			return fmt.Errorf("note that %s was switched: %w", f.Subject, err)
		}
		if err := noteSetting(ctx, tx, f); err != nil {
			return fmt.Errorf("note setting %s: %w", f.Subject, err)
		}
	}
	return nil
}

// noteSetting takes in what a finding says of a setting: of its sides, if it
// names some, else of the whole. Of an instant what is off counts, as in the ledger.
func noteSetting(ctx context.Context, tx *sql.Tx, f *detectors.Finding) error {
	if !slices.Contains(settings, f.Rule.Entry) {
		return nil
	}
	note := func(side string, off bool) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO blind_cuts (entry, tenant, subject, side, at, is_off) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (entry, tenant, subject, side) DO UPDATE SET at = excluded.at, is_off = excluded.is_off WHERE blind_cuts.at < excluded.at OR blind_cuts.at = excluded.at AND excluded.is_off`,
			f.Rule.Entry, f.Tenant, strings.ToLower(f.Subject), strings.ToLower(side), micros(f.Time), off)
		return err
	}
	if len(f.Weak)+len(f.Strong) == 0 {
		return note("", f.State == detectors.Weakened)
	}
	for _, side := range f.Strong {
		if side == detectors.NoSide {
			continue
		}
		if err := note(side, false); err != nil {
			return err
		}
	}
	for _, side := range f.Weak {
		if err := note(side, true); err != nil {
			return err
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

// resource returns the vault or subscription whose records a setting sends; ""
// if it sends all of their kind.
func (o *off) resource() string {
	id, _, found := strings.Cut(o.subject, "/providers/microsoft.insights/diagnosticsettings/")
	if kinds := o.kinds(); !found || len(kinds) != 1 || kinds[0] == ingest.Intune {
		return ""
	}
	return id
}

// category returns what a side of a setting sends; "" if that is all of it. sent
// is false for what does not come by the hubs, or is not read.
func (o *off) category() (category string, sent bool) {
	name := strings.TrimPrefix(strings.TrimSuffix(o.side, " off"), "category: ")
	switch name {
	case "workspace", "storage":
		return "", false
	case "", "audit", "alllogs", "hub", "hub rule":
		return "", true
	case "auditevent":
		return "", slices.Contains(o.kinds(), ingest.KeyVault) // of a vault nothing else is read
	case "administrative", "policy", "security":
		return name, slices.Contains(o.kinds(), ingest.AzureActivity)
	}
	return "", false
}

// loadOffs reads the settings; a side is on again with the whole.
func (b *memory) loadOffs(ctx context.Context, tx *sql.Tx) error {
	whole := map[[3]string]off{}
	return each(ctx, tx, "settings", `SELECT entry, tenant, subject, side, at, is_off FROM blind_cuts ORDER BY entry, tenant, subject, side`, func(rows *sql.Rows) error {
		var o off
		var at int64
		if err := rows.Scan(&o.entry, &o.tenant, &o.subject, &o.side, &at, &o.off); err != nil {
			return err
		}
		o.at = fromMicros(at)
		key := [3]string{o.entry, o.tenant, o.subject}
		if o.side == "" {
			whole[key] = o // comes before its sides
		} else if all, ok := whole[key]; ok && !all.off && !o.at.After(all.at) {
			o.off = false
		}
		b.offs = append(b.offs, o)
		return nil
	})
}
