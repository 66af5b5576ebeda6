package alerting

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
)

// fake is a destination outside the process: it keeps what reached it, as a
// channel keeps messages.
type fake struct {
	mu       sync.Mutex
	calls    int
	posted   []string          // keys of groups, for each new message
	repeats  map[string]int    // new messages that said they may be a repeat
	shown    map[string]string // what the newest message of a group shows
	versions map[string][]int64

	before func(call int, g Group) error // returns before the message is there
	after  func(call int, g Group) error // returns after it
}

func newFake() *fake {
	return &fake{repeats: map[string]int{}, shown: map[string]string{}, versions: map[string][]int64{}}
}

func (f *fake) Deliver(ctx context.Context, g Group, have Receipt) (Receipt, error) {
	f.mu.Lock()
	f.calls++
	call := f.calls
	f.mu.Unlock()
	if f.before != nil {
		if err := f.before(call, g); err != nil {
			return nil, err
		}
	}
	receipt := f.take(g, have)
	if f.after != nil {
		if err := f.after(call, g); err != nil {
			return nil, err
		}
	}
	return receipt, ctx.Err()
}

func (f *fake) take(g Group, have Receipt) Receipt {
	f.mu.Lock()
	defer f.mu.Unlock()
	if have == nil {
		f.posted = append(f.posted, g.Key)
		if g.Repeat {
			f.repeats[g.Key]++
		}
	}
	f.versions[g.Key] = append(f.versions[g.Key], g.Version)
	var lines []string
	for _, v := range g.Violations {
		lines = append(lines, brief(v))
	}
	f.shown[g.Key] = strings.Join(lines, "; ")
	return Receipt(fmt.Sprintf(`{"message":%q}`, g.Key))
}

// checkShown compares what the messages show, whatever their keys.
func (f *fake) checkShown(t testing.TB, want ...string) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	got := slices.Sorted(maps.Values(f.shown))
	if !slices.Equal(got, want) {
		a, _ := json.MarshalIndent(want, "", " ")
		b, _ := json.MarshalIndent(got, "", " ")
		t.Errorf("messages show %s, want %s", b, a)
	}
}

// checkOnce finds messages that were posted twice without saying so.
func (f *fake) checkOnce(t testing.TB) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	n := map[string]int{}
	for _, key := range f.posted {
		n[key]++
	}
	for key, n := range n {
		if n-f.repeats[key] > 1 {
			t.Errorf("group %s was posted %d times, %d of them marked as repeats", key, n, f.repeats[key])
		}
	}
}
