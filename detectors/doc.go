// Package detectors decides what events mean. Rules are Sigma documents with a
// safeguard key (package rules holds the catalog); an Engine holds a set of
// them and works in two steps:
//
//   - Match is pure: the same event gives the same matches, with no clock and
//     no I/O, on any number of goroutines, and without allocating for an event
//     that no rule wants.
//   - Apply is serial: it turns the matches of a batch into findings inside
//     the batch's transaction.
//
// # Words
//
// A rule has several detections, each a half: most have one that weakens and one that
// restores, some have more that only tell what these are held against. What weakens may
// have sides, each of which has to be restored. An event tells; a finding is reported,
// which is when people hear of it; what was reported and turns out to be nothing is
// taken back: reported again, with a higher Revision. Records may come late, so
// judgements are made again: whatever the order of arrival, the same is weak in the end.
//
// # An event's way, by file
//
// In Match, engine.go and program.go choose the halves that may hold, scope.go reads the
// event's fields, half.go makes matches of the halves that hold, conclude.go the finding
// of each (subject.go, sides.go; trusted.go: whether it was planned) and
// correlate_feed.go what it is to correlations, less what familiar.go has.
//
// In Apply, Engine.Apply is the list of steps:
//
//	join.go         requests and results of one operation
//	memory*.go      values held against what they were
//	alias*.go       subjects by other names, old ones too
//	known*.go       weak values of what may never have been strong, or is so no longer
//	regain*.go      restores that give back too little
//	correlate_*.go  Sigma's correlations: correlate.go says how, correlate_state.go begins;
//	                parts*.go: violations of several things
//	special.go      ours: while_open*.go, raise.go
//
// Reading rules begins in load.go, which sorts documents (documents.go), compiles each
// rule (rule_build.go; safeguard.go has its keys, and each key is described beside what
// it does: known.go, memory.go, alias.go, …) and ties correlations to rules
// (correlate_link.go). Operators' choices among rules are in pack*.go. What is asked of
// rules apart from events is in coverage*.go and occur.go; scenario.go and play.go run
// their test events.
//
// Package sigma parses and matches detections, knowing nothing of phiwatch, and
// package fields says what their field names mean in Microsoft's records. What no
// event tells, since it is events that are missing, package blindness finds.
// Findings go on to package alerting, which finds what only its ledger tells, such as
// safeguards that go and come; nothing flows back.
package detectors
