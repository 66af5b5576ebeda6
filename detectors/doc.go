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
// Package sigma parses and matches detections, knowing nothing of phiwatch, and
// package fields says what their field names mean in Microsoft's records. What no
// event tells, since it is events that are missing, package blindness finds.
// Findings go on to package alerting; nothing flows back.
package detectors
