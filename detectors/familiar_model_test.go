package detectors

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"phiwatch/ingest"
)

// firsts are since when values were seen of things, by what was committed.
type firsts struct {
	mu sync.Mutex
	at map[string]int64
}

func (f *firsts) since(key string) (at int64, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	at, ok = f.at[key]
	return at, ok
}

func (f *firsts) add(key string, at int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if first, ok := f.at[key]; !ok || at < first {
		f.at[key] = at
	}
}

// read is an event that only makes a value known, and what it came to.
type read struct {
	key     string
	at      int64
	matches []Match
}

// While partitions match and batches are committed, rolled back and tried again, in
// any order: nothing is left out that no committed batch has told, and the database
// ends with the first time of each value, whether or not it was left out.
func TestWhatIsLeftOutWasCommitted(t *testing.T) {
	e, db := newEngine(t, setOf(t, specialSet)), openDB(t)
	known := &firsts{at: map[string]int64{}}
	told, out := make(chan int), make(chan read, 16)
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(worker), 9))
			for i := range told {
				user, object, at := fmt.Sprint("u", r.IntN(9)), fmt.Sprint("o", r.IntN(5)), noon.Add(time.Duration(r.IntN(40*60))*time.Minute)
				ev := read{key: object + " " + user, at: at.UnixMicro()}
				body := []byte(auditRecord(i, at, "Read", user, object, 1))
				ingest.NewDecoder().Decode(ingest.Message{Body: body}, func(x *ingest.Event) { ev.matches = e.Match(x, nil) },
					func(q ingest.Quarantined) { t.Error(q.Detail) })
				if first, ok := known.since(ev.key); !feedsKnown(e, ev.matches) && (!ok || first > ev.at) {
					t.Errorf("%s at %d is left out, committed is %d, %v", ev.key, ev.at, first, ok)
				}
				out <- ev
			}
		})
	}
	go func() {
		for i := range 600 {
			told <- i
		}
		close(told)
		wg.Wait()
		close(out)
	}()
	r, want, left := rand.New(rand.NewPCG(3, 9)), map[string]int64{}, 0
	var batch, later []read
	decide := func(commit bool) {
		var matches []Match
		for _, ev := range batch {
			matches = append(matches, ev.matches...)
		}
		tx, err := db.BeginTx(context.WithoutCancel(t.Context()), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Rollback()
		if _, err := e.Apply(t.Context(), tx, matches); err != nil {
			t.Fatal(err)
		}
		if !commit { // it comes again, others before it
			later, batch = append(later, batch...), batch[:0]
			return
		}
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		for _, ev := range batch {
			known.add(ev.key, ev.at)
		}
		batch = batch[:0]
		if r.IntN(5) > 0 {
			e.Committed()
		}
	}
	for ev := range out {
		if first, ok := want[ev.key]; !ok || ev.at < first {
			want[ev.key] = ev.at
		}
		if !feedsKnown(e, ev.matches) {
			left++
		}
		if batch = append(batch, ev); r.IntN(10) > 0 {
			continue
		}
		if r.IntN(6) == 0 {
			batch, later = append(batch, later...), nil
		}
		decide(r.IntN(4) > 0)
	}
	batch = append(batch, later...)
	decide(true)
	got := map[string]int64{}
	rows, err := db.Query(`SELECT thing, event, happened FROM while_open WHERE role = 'seen'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var thing, value string
		var at int64
		if err := rows.Scan(&thing, &value, &at); err != nil {
			t.Fatal(err)
		}
		got[strings.TrimPrefix(thing, "t1"+keySep)+" "+value] = at
	}
	if diff := cmp.Diff(want, got); diff != "" || rows.Err() != nil {
		t.Errorf("%v (-want +got):\n%s", rows.Err(), diff)
	}
	if left == 0 {
		t.Error("nothing was left out: the test shows nothing")
	}
}

// feedsKnown reports whether matches tell the correlation that asks what was known.
func feedsKnown(e *Engine, matches []Match) bool {
	for i := range matches {
		r := reader{b: matches[i].feeds}
		for r.block(); len(r.b) > 0; {
			entry := r.entry()
			if c := e.specialByID[entry.to]; c != nil && c.key.Known != "" {
				return true
			}
		}
	}
	return false
}
