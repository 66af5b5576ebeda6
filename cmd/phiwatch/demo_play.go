package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"phiwatch/alerting"
	"phiwatch/ingest/eventhub"
)

// settleWithin bounds how long the demo waits for the daemon after the day.
const settleWithin = time.Minute

// play sends the day into the hub, waits until it is decided and delivered,
// and prints what it came to.
func (d *demo) play(ctx context.Context) error {
	fmt.Fprintf(d.out, "St. Brigid Hospital, %s: %d records in %d messages, %d safeguards weakened.\n",
		d.day.start.Format("Monday 2 January 2006"), d.day.records, len(d.day.items), len(d.day.planted))
	fmt.Fprintf(d.out, "Metrics on http://%[1]s/metrics, violations on http://%[1]s/api/v1/violations\n\n", d.daemon.web.listener.Addr())
	began := time.Now()
	if err := d.send(ctx, began); err != nil {
		return err
	}
	if err := d.settle(ctx); err != nil {
		return err
	}
	hubs := healthOf(d.daemon.source.Hubs(), d.daemon.source.Lags())
	if err := d.daemon.pipeline.judge(ctx, time.Now(), hubs); err != nil { // what the day was blind to, before it is summed up
		return err
	}
	if err := d.settle(ctx); err != nil {
		return err
	}
	return d.summary(ctx, time.Since(began))
}

// send plays the messages, at the day's own pace sped up.
func (d *demo) send(ctx context.Context, began time.Time) error {
	producers := map[string]*eventhub.Producer{}
	for _, hub := range hubNames {
		p, err := eventhub.NewProducer(d.hub.ConnectionString(d.addr, hub))
		if err != nil {
			return err
		}
		defer func() { _ = p.Close(context.WithoutCancel(ctx)) }() // what it sent has been acknowledged
		producers[hub] = p
	}
	const ticks = 24 * 12 // of five minutes
	next, hour := 0, 0
	for tick := 1; tick <= ticks; tick++ {
		if err := sleepUntil(ctx, began.Add(d.Duration*time.Duration(tick)/ticks)); err != nil {
			return err
		}
		now := d.day.start.Add(time.Duration(tick) * 5 * time.Minute)
		due := map[string][][]byte{}
		for ; next < len(d.day.items) && d.day.items[next].at.Before(now); next++ {
			it := d.day.items[next]
			due[it.hub] = append(due[it.hub], it.body)
		}
		for hub, bodies := range due {
			if err := producers[hub].Send(ctx, bodies...); err != nil {
				return err
			}
		}
		if h := now.Hour(); h != hour && h%3 == 0 {
			hour = h
			fmt.Fprintf(d.out, "%s  %d records decided\n", now.Format("15:04"), d.daemon.pipeline.totals.sum().Received)
		}
	}
	return nil
}

func sleepUntil(ctx context.Context, t time.Time) error {
	timer := time.NewTimer(time.Until(t))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// settle waits until everything sent is decided and told.
func (d *demo) settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, settleWithin)
	defer cancel()
	for {
		accounts, err := d.daemon.ledger.Accounts(ctx)
		if err != nil {
			return err
		}
		if d.daemon.pipeline.totals.sum().Received >= d.day.records && pending(accounts) == 0 {
			return nil
		}
		if err := sleepUntil(ctx, time.Now().Add(20*time.Millisecond)); err != nil {
			return fmt.Errorf("after %s the daemon has decided %d of %d records and owes %d deliveries: %w",
				settleWithin, d.daemon.pipeline.totals.sum().Received, d.day.records, pending(accounts), err)
		}
	}
}

func pending(accounts []alerting.Account) (n int64) {
	for _, a := range accounts {
		n += a.Pending
	}
	return n
}

// summary prints each seed code's violation and the accounts, and returns an
// error if the day did not come out as planted.
func (d *demo) summary(ctx context.Context, took time.Duration) error {
	violations, err := allViolations(ctx, d.daemon.ledger)
	if err != nil {
		return err
	}
	byEntry := map[string]alerting.Violation{}
	for _, v := range violations {
		byEntry[v.Entry] = v
	}
	var errs []error
	fmt.Fprintf(d.out, "\nThe day is over, in %s.\n\n%-11s %-32s %-9s %-7s %s\n", took.Round(100*time.Millisecond), "SAFEGUARD", "WEAKENED", "SEVERITY", "OPENED", "RESTORED")
	for _, p := range d.day.planted {
		v, seen := byEntry[p.rule.Entry]
		switch {
		case !seen:
			errs = append(errs, fmt.Errorf("%s: %s was planted and not seen", p.code, p.rule.Entry))
			continue
		case p.restored != (v.State == alerting.StatusRestored):
			errs = append(errs, fmt.Errorf("%s: %s is %s", p.code, p.rule.Entry, v.State))
		}
		fmt.Fprintf(d.out, "%-11s %-32s %-9s %-7s %s\n", p.code, p.rule.Entry, v.Severity, v.Opened.Format("15:04"), restoredText(v))
	}
	return errors.Join(append(errs, d.accounts(ctx))...)
}

func restoredText(v alerting.Violation) string {
	if v.State != alerting.StatusRestored {
		return "open: no event restores it"
	}
	return fmt.Sprintf("%s, after %s", v.Restored.Format("15:04"), alerting.InWords(v.Restored.Sub(v.Opened).Round(time.Minute)))
}

// accounts prints the identities of the promise and returns an error if one does not hold.
func (d *demo) accounts(ctx context.Context) error {
	c := d.daemon.pipeline.totals.sum()
	errs := []error{c.Check()}
	if c.Received != d.day.records {
		errs = append(errs, fmt.Errorf("sent %d records and received %d", d.day.records, c.Received))
	}
	fmt.Fprintf(d.out, "\nreceived %d = evaluated %d + quarantined %d (repaired %d)\n", c.Received, c.Evaluated(), c.Quarantined(), c.Repaired)
	accounts, err := d.daemon.ledger.Accounts(ctx)
	if err != nil {
		return err
	}
	for _, a := range accounts {
		fmt.Fprintf(d.out, "%s: matched %d = delivered %d + merged %d + suppressed %d + pending %d\n",
			a.Receiver, a.Matched, a.Delivered, a.Merged, a.Suppressed, a.Pending)
		if !a.Balanced() {
			errs = append(errs, fmt.Errorf("the account of receiver %s does not balance", a.Receiver))
		}
	}
	return errors.Join(errs...)
}
