// Package rules holds the built-in catalog: one Sigma rule per way a safeguard
// is weakened, in <group>/<entry>.yml, with the events that prove it beside it
// in <group>/<entry>.txtar. The groups are the safeguards integrity,
// authentication, transmission and audit, and stateful: correlations of what the
// others find and of plain rules that stand in the same file.
//
// # Test events
//
// An archive opens with the story of its events, in lines that begin with #.
// Its sections are whole records as they are delivered, made up: hit.json,
// near-miss.json (the closest harmless event), failure.json (the same without
// success), restore.json, each with further ones (hit-2.json …). lists.yml
// holds the operator lists that the events need. The last section, want, says
// of every event what the rule of the archive finds: "hit: weakened critical
// SUBJECT", "restore: restored SUBJECT", "near-miss: none"; and, as "hit: also
// ENTRY", what other rules find weakened by it. All sections of an archive are
// played against one state, so those of a correlation build on each other; a
// section may hold many records, and a line that they yield several times in a
// row stands once.
package rules

import "embed"

// FS is the catalog: the rules and their test events.
//
//go:embed */*.yml */*.txtar
var FS embed.FS
