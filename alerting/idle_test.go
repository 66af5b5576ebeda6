package alerting

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"phiwatch/detectors"
)

// rowsOf returns how many rows tables have.
func rowsOf(t *testing.T, l *Ledger, tables ...string) map[string]int {
	t.Helper()
	out := map[string]int{}
	for _, table := range tables {
		var n int
		if err := l.db.QueryRow(`SELECT COUNT(*) FROM ` + table).Scan(&n); err != nil {
			t.Fatal(err)
		}
		out[table] = n
	}
	return out
}

func TestRestoresOfNothingAreOneRowABatch(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		l := newLedger(t, db.open(t), Options{})
		check := func(want map[string]int) {
			t.Helper()
			got := rowsOf(t, l, "violations", "observations", "evidence", "idle_restores")
			if diff := gocmp.Diff(want, got); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		}
		batch := make([]detectors.Finding, 300)
		for i := range batch {
			batch[i] = back(fmt.Sprint("p", i), fmt.Sprint("e", i), h)
		}
		apply(t, l, batch...)
		check(map[string]int{"violations": 0, "observations": 0, "evidence": 0, "idle_restores": 1})
		apply(t, l, weak("p7", "late", h/2)) // of one of them
		check(map[string]int{"violations": 1, "observations": 2, "evidence": 1, "idle_restores": 2})
		apply(t, l, back("p7", "again", 2*h), weak("p7", "more", 3*h)) // known: as ever
		check(map[string]int{"violations": 1, "observations": 4, "evidence": 3, "idle_restores": 2})
		checkBrief(t, l, "ca-policy-disabled p7 open high since 3h0m0s")
	})
}

// sided is a finding of some sides of a setting.
func sided(state detectors.State, event string, after time.Duration, weak, strong []string) detectors.Finding {
	f := finding(caDisabled, state, "p", event, after)
	f.Weak, f.Strong = weak, strong
	return f
}

func TestIdleRestoreSaysAllItWouldHaveSaidInTime(t *testing.T) {
	hostile := "a\x00b\xff" + strings.Repeat("ü", 1000)
	restore := sided(detectors.Restored, "r", 2*h, []string{"one"}, []string{"two", hostile})
	restore.Evidence.Actor, restore.Evidence.Action, restore.Evidence.ActorIP = hostile, "two", ""
	restore.Severity = detectors.Critical
	nameless := restore
	nameless.Evidence.EventID, nameless.Time = "", day.Add(3*h)
	weakening := sided(detectors.Weakened, "w", h, []string{"one", "two"}, nil)
	for _, findings := range [][]detectors.Finding{{restore, nameless}, {nameless, restore}, {restore, nameless, restore}} {
		inTime, late := newLedger(t, sqlite(t).open(t), Options{}), newLedger(t, sqlite(t).open(t), Options{})
		apply(t, inTime, append([]detectors.Finding{weakening}, findings...)...)
		apply(t, late, findings...)
		apply(t, late, weakening)
		for _, show := range []func(l *Ledger) any{
			func(l *Ledger) any { return all(t, l, Filter{}) },
			func(l *Ledger) any {
				d, err := l.Violation(t.Context(), ViolationID(tenant, caDisabled.Entry, "p"))
				if err != nil || len(d.Observations) != 3 {
					t.Errorf("%d observations, %v", len(d.Observations), err)
				}
				return d
			},
		} {
			if diff := gocmp.Diff(show(inTime), show(late)); diff != "" {
				t.Errorf("in time and late differ:\n%s", diff)
			}
		}
	}
}

// Several processes write one ledger in turns, are rolled back, start anew:
// what they remember of restores follows the table.
func TestProcessesInTurnsRolledBackAndStartedAnewGiveTheSameLedger(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		for seed := range uint64(12 / thin) {
			r := rand.New(rand.NewPCG(seed, 5))
			conn := db.again(t).open(t)
			start := func() *Ledger { return newLedger(t, conn, Options{Now: (&clock{day.Add(1000 * h)}).now}) }
			processes := []*Ledger{start(), start(), start()}
			findings := history(r, 72*h)
			want := oracle(findings)
			r.Shuffle(len(findings), func(i, j int) { findings[i], findings[j] = findings[j], findings[i] })
			if seed%2 == 0 { // every restore is idle when it comes
				slices.SortStableFunc(findings, func(a, b detectors.Finding) int {
					return cmp.Compare(b2i(a.State != detectors.Restored), b2i(b.State != detectors.Restored))
				})
			}
			for rest := findings; len(rest) > 0; {
				n := 1 + r.IntN(min(len(rest), 4))
				i := r.IntN(len(processes))
				switch r.IntN(6) {
				case 0:
					processes[i] = start()
				case 1, 2: // two batches and back
					rollBack(t, processes[i], rest[:n], rest[n-1:])
				}
				apply(t, processes[r.IntN(len(processes))], rest[:n]...)
				rest = rest[n:]
			}
			if diff := gocmp.Diff(want, outlines(all(t, processes[0], Filter{}))); diff != "" {
				t.Fatalf("seed %d, against the oracle (-want +got):\n%s", seed, diff)
			}
		}
	})
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// rollBack applies batches in one transaction that comes to nothing.
func rollBack(t *testing.T, l *Ledger, batches ...[]detectors.Finding) {
	t.Helper()
	nothing := errors.New("rolled back")
	err := inTx(t.Context(), l.db, func(tx *sql.Tx) error {
		for _, b := range batches {
			if err := l.Apply(t.Context(), tx, b); err != nil {
				return err
			}
		}
		return nothing
	})
	if !errors.Is(err, nothing) {
		t.Fatal(err)
	}
}

// Another process takes the number of a row that was rolled back.
func TestRowOfAnotherProcessInPlaceOfOneRolledBackIsSeen(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		conn := db.open(t)
		a, b := newLedger(t, conn, Options{}), newLedger(t, conn, Options{})
		apply(t, a, back("o", "e0", h))
		rollBack(t, a, []detectors.Finding{back("p", "e1", 2*h)})
		apply(t, b, back("q", "e2", 2*h), weak("r", "e3", h))
		apply(t, a, weak("q", "e4", h), weak("p", "e5", h), back("r", "e6", 2*h))
		rollBack(t, a, []detectors.Finding{back("s", "e7", h)}, []detectors.Finding{back("t", "e7", h)})
		apply(t, b, back("u", "e8", 2*h))
		apply(t, b, back("v", "e9", 2*h))
		apply(t, a, weak("u", "ea", h), weak("v", "eb", h), weak("s", "ec", h/2))
		rollBack(t, a, []detectors.Finding{back("y", "ed", h)}, []detectors.Finding{back("z", "ed", h)})
		apply(t, b, back("w", "ee", 2*h))
		apply(t, a, weak("w", "ef", h))
		checkBrief(t, a, "ca-policy-disabled p open high since 1h0m0s",
			"ca-policy-disabled q restored high since 1h0m0s restored 2h0m0s by bob@example.org",
			"ca-policy-disabled r restored high since 1h0m0s restored 2h0m0s by bob@example.org",
			"ca-policy-disabled s open high since 30m0s",
			"ca-policy-disabled u restored high since 1h0m0s restored 2h0m0s by bob@example.org",
			"ca-policy-disabled v restored high since 1h0m0s restored 2h0m0s by bob@example.org",
			"ca-policy-disabled w restored high since 1h0m0s restored 2h0m0s by bob@example.org")
	})
}

// What one process prunes, another may still remember, and its own last row
// may be gone.
func TestPrunedRowsAreForgottenByAllProcesses(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		now := &clock{day.Add(10 * h)}
		conn := db.open(t)
		a, b := newLedger(t, conn, Options{Now: now.now}), newLedger(t, conn, Options{Now: now.now})
		apply(t, a, back("p", "e1", 2*h), back("q", "e1", 2*h))
		now.Time = now.Add(50 * h)
		apply(t, b, back("r", "e2", 2*h), weak("k", "e2", h))
		now.Time = now.Add(23 * h)
		if err := b.Sweep(t.Context(), now.Time); err != nil {
			t.Fatal(err)
		}
		if n := rowsOf(t, b, "idle_restores"); n["idle_restores"] != 1 {
			t.Errorf("%v after 73 hours, want 1", n)
		}
		apply(t, a, weak("p", "e3", h), weak("r", "e3", h), back("k", "e3", 2*h))
		apply(t, b, weak("q", "e4", h))
		want := []string{
			"ca-policy-disabled k restored high since 1h0m0s restored 2h0m0s by bob@example.org",
			"ca-policy-disabled p open high since 1h0m0s",
			"ca-policy-disabled q open high since 1h0m0s",
			"ca-policy-disabled r restored high since 1h0m0s restored 2h0m0s by bob@example.org",
		}
		checkBrief(t, a, want...)
		now.Time = now.Add(100 * h)
		for _, l := range []*Ledger{a, b} {
			if err := l.Sweep(t.Context(), now.Time); err != nil {
				t.Fatal(err)
			}
			if len(l.idle.segments) > 0 {
				t.Errorf("%d segments are remembered of no rows", len(l.idle.segments))
			}
		}
		apply(t, a, back("x", "e5", 2*h))
		apply(t, b, weak("x", "e6", h))
		checkBrief(t, a, append(want, "ca-policy-disabled x restored high since 1h0m0s restored 2h0m0s by bob@example.org")...)
	})
}

// More restores than one segment holds, in batches of more than that, too.
func TestRestoresOfEverySegmentAreFound(t *testing.T) {
	db := sqlite(t)
	conn := db.open(t)
	l := newLedger(t, conn, Options{})
	n := 0
	for _, size := range []int{1, segmentSize - 2, 3, segmentSize + 10, 5, segmentSize} {
		batch := make([]detectors.Finding, size)
		for i := range batch {
			batch[i] = back(fmt.Sprint(n), fmt.Sprint("r", n), 2*h)
			n++
		}
		apply(t, l, batch...)
	}
	for _, l := range []*Ledger{l, newLedger(t, conn, Options{})} { // and as a process finds it that starts
		rollBack(t, l, []detectors.Finding{weak("x", "w", h)})
		if got := len(l.idle.segments); got != 4 {
			t.Errorf("%d segments, want 4", got)
		}
	}
	var batch []detectors.Finding
	for i := 0; i < n; i += 97 {
		batch = append(batch, weak(fmt.Sprint(i), fmt.Sprint("w", i), h))
	}
	apply(t, l, batch...)
	for _, v := range all(t, l, Filter{}) {
		if v.State != StatusRestored || !slices.Equal(v.Evidence, []string{"w" + v.Subject, "r" + v.Subject}) {
			t.Errorf("%s is %s by %v", v.Subject, v.State, v.Evidence)
		}
	}
}

func TestBloomFilterFindsAllThatWasAddedAndLittleElse(t *testing.T) {
	const n = 20000
	key := func(i int) violationKey {
		k, err := keyOf(ViolationID(tenant, "entry", fmt.Sprint(i)))
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	var growing blooms
	full := newBloom(segmentSize)
	for i := range n {
		growing.add(key(i))
		if !full.full() {
			full.add(key(i))
		}
	}
	wrong, wrongFull := 0, 0
	for i := range n {
		if !growing.has(key(i)) || i < segmentSize && !full.has(key(i)) {
			t.Fatalf("key %d was added and is not found", i)
		}
		wrong += b2i(growing.has(key(n + i)))
		wrongFull += b2i(full.has(key(n + i)))
	}
	if wrong > n/250 || wrongFull > n/1000 {
		t.Errorf("of %d keys not added, %d and %d are found", n, wrong, wrongFull)
	}
	if len(growing) > 4 {
		t.Errorf("%d parts", len(growing))
	}
	for _, id := range []string{"", "zz", strings.Repeat("g", 32)} {
		if _, err := keyOf(id); err == nil {
			t.Errorf("%q is a key", id)
		}
	}
}

func FuzzDecodeIdle(f *testing.F) {
	o, err := observe(new(sided(detectors.Restored, "r", 2*h, []string{"one"}, []string{"two"})))
	if err != nil {
		f.Fatal(err)
	}
	packed, err := decompress(encodeIdle([]*observation{&o, &o}))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(packed, 2)
	f.Add(packed[:len(packed)-3], 2)
	f.Fuzz(func(t *testing.T, b []byte, n int) {
		got, err := decodeIdle(compress(b), min(max(n, 0), 1000), func(int) (string, bool) { return "v", true })
		if err == nil && len(got) != min(max(n, 0), 1000) {
			t.Errorf("%d of %d, without an error", len(got), n)
		}
	})
}

// A death leaves what is remembered and what is stored apart; see also
// TestDeathAtEveryDatabaseOperation.
func TestApplyThatFailsLeavesTheMemoryUsable(t *testing.T) {
	conn := sqlite(t).open(t)
	l := newLedger(t, conn, Options{})
	apply(t, l, back("p", "e1", 2*h))
	ctx, cancel := context.WithCancel(t.Context())
	_ = inTx(t.Context(), conn, func(tx *sql.Tx) error {
		cancel()
		return l.Apply(ctx, tx, []detectors.Finding{back("q", "e1", 2*h)})
	})
	apply(t, l, back("q", "e2", 3*h))
	apply(t, l, weak("p", "e3", h), weak("q", "e3", h))
	checkBrief(t, l, "ca-policy-disabled p restored high since 1h0m0s restored 2h0m0s by bob@example.org",
		"ca-policy-disabled q restored high since 1h0m0s restored 3h0m0s by bob@example.org")
}
