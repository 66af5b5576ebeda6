package main

import (
	"context"
	"log/slog"
	"maps"
	"os"
	"slices"
	"time"
)

// listsEvery is how often the files of lists are looked at. A change is taken up
// after a second look finds the file as the first did: it may be half written.
const listsEvery = 5 * time.Second

// stamp tells one state of a file from another; zero if it is not there.
type stamp struct {
	modified time.Time
	size     int64
}

func stampOf(name string) stamp {
	info, err := os.Stat(name)
	if err != nil {
		return stamp{}
	}
	return stamp{info.ModTime(), info.Size()}
}

// listWatch reloads when a file of a list has changed. It belongs to one
// goroutine.
type listWatch struct {
	log     *slog.Logger
	inForce func() map[string]stamp // the files, as they were when they were read
	reload  func() error

	last    map[string]stamp // at the look before
	refused map[string]stamp // what was tried and did not come into force, or nil
}

// look looks once.
func (w *listWatch) look() {
	inForce := w.inForce()
	now := map[string]stamp{}
	for name := range inForce {
		now[name] = stampOf(name)
	}
	steady := maps.Equal(now, w.last)
	w.last = now
	switch {
	case !steady, w.refused == nil && maps.Equal(now, inForce), maps.Equal(now, w.refused) && w.refused != nil:
		return
	}
	w.log.Info("files of operator lists have changed", "files", changed(inForce, now))
	w.refused = nil
	if err := w.reload(); err != nil { // logged and counted there
		w.refused = now
	}
}

// changed names the files whose stamps differ.
func changed(before, now map[string]stamp) (names []string) {
	for name := range before {
		if before[name] != now[name] {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// watchLists is the stage of the files of lists.
func (d *daemon) watchLists(ctx context.Context) error {
	w := &listWatch{log: d.log, reload: d.reload, inForce: func() map[string]stamp {
		d.mu.Lock()
		defer d.mu.Unlock()
		return d.config.stamps
	}}
	t := time.NewTicker(d.listsEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
			w.look()
		}
	}
}
