// Package detectors decides what events mean. Rules are Sigma documents with a
// safeguard key (package rules holds the catalog); an Engine holds a set of
// them and works in two halves:
//
//   - Match is pure: the same event gives the same matches, with no clock and
//     no I/O, on any number of goroutines, and without allocating for an event
//     that no rule wants.
//   - Apply is serial: it turns the matches of a batch into findings inside
//     the batch's transaction.
//
// An event's way, by file: engine.go and program.go choose the rules it may concern,
// scope.go reads its fields, half.go and conclude.go say what a rule's detection makes
// of it, trusted.go whether that was planned, familiar.go what of that is known
// already. In Apply a batch's matches then pass join.go (requests and results),
// memory.go (values held against what they were), alias.go (subjects by other names,
// old ones too), known.go (weak values of what may never have been strong, or is so no
// longer), regain.go (restores that give too little), and the correlations: Sigma's in
// correlate_*.go, ours in special.go, while_open.go and parts.go. How rules are read
// begins in load.go and rule.go.
//
// Package sigma parses and matches detections, knowing nothing of phiwatch, and
// package fields says what their field names mean in Microsoft's records. What no
// event tells, since it is events that are missing, package blindness finds.
// Findings go on to package alerting, which finds what only its ledger tells, such as
// safeguards that go and come; nothing flows back.
package detectors
