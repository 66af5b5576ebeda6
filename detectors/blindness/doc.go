// Package blindness watches the audit trail itself: to see nothing does not mean
// that there is nothing to see. It finds streams that fall silent, hubs that are
// out of reach or read late, records that come late, damaged or not at all, and
// rules whose fields never occur. [Rules] describes these entries; what is found
// of them are findings like those of rules and go to package alerting.
//
// A [Watch] stands beside the engine. Whoever decides batches tells it of each:
//
//	g := w.Begin(&batch)                 // then g.Event and g.Damaged for what is in it
//	gaps := w.Gaps(&batch, after, known) // with the findings of the engine into the ledger
//	err := w.Note(ctx, tx, findings)     // those of the engine, in their transaction
//	w.Saw(g, now)                        // once that is committed
//
// And every half minute or so it judges by the clock:
//
//	findings, err := w.Tick(ctx, tx, now, hubs) // into the ledger, in the same transaction
//	w.Done()                                    // once that is committed
//
// Its tables are those that begin with blind_; package detectors, which knows
// nothing of this one, has their migrations among its own.
package blindness
