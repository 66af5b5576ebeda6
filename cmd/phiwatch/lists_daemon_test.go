package main

import (
	"context"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestDaemonTakesUpChangedLists runs the daemon on a list in a file: a change
// comes into force, a damaged file leaves the list as it was and says so.
func TestDaemonTakesUpChangedLists(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	web := freeAddress(t)
	file := newFakes(t).configFile(t, web, localHub(t, nil))
	list := filepath.Join(filepath.Dir(file), "labels.txt")
	write(t, list, "one\n")
	appendFile(t, file, "lists: {phi_labels: [zero]}\nlists_files: {phi_labels: labels.txt}\n")

	d, err := newDaemon(ctx, func() (*config, error) { return loadConfig(file) }, slog.New(slog.NewTextHandler(t.Output(), nil)), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	d.listsEvery = 20 * time.Millisecond
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- d.run(running) }()
	defer func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	shows := func(lines ...string) func() bool {
		return func() bool {
			if get(web, "/-/healthy", nil) != http.StatusOK {
				return false
			}
			metrics := page(t, web, "/metrics")
			for _, line := range lines {
				if !strings.Contains(metrics, "\n"+line+"\n") {
					return false
				}
			}
			return true
		}
	}
	await(ctx, t, "the first lists", shows(`phiwatch_list_values{list="phi_labels"} 2`, `phiwatch_list_values{list="phi_apps"} 0`))

	write(t, list, "one\ntwo\n")
	await(ctx, t, "the change", shows(`phiwatch_list_values{list="phi_labels"} 3`))

	write(t, list, "# nothing\n")
	await(ctx, t, "the refusal", shows(`phiwatch_config_last_reload_successful 0`, `phiwatch_list_values{list="phi_labels"} 3`))

	write(t, list, "three\n")
	await(ctx, t, "the mended list", shows(`phiwatch_config_last_reload_successful 1`, `phiwatch_list_values{list="phi_labels"} 2`))
}
