package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// stage is a part of the daemon that runs until its context is done.
type stage struct {
	name string
	run  func(context.Context) error
}

// runStages runs all stages until ctx is done or one of them ends. They stop
// in the reverse of their order, each waited for: what is upstream comes last
// in the list and stops first, so that what is downstream can drain.
func runStages(ctx context.Context, stages []stage) error {
	type running struct {
		cancel context.CancelFunc
		done   chan error
	}
	// A stage outlives ctx until its turn to stop comes.
	base := context.WithoutCancel(ctx)
	ended := make(chan struct{}, len(stages))
	started := make([]running, len(stages))
	for i, s := range stages {
		stageCtx, cancel := context.WithCancel(base)
		r := running{cancel, make(chan error, 1)}
		started[i] = r
		go func() {
			r.done <- s.run(stageCtx)
			ended <- struct{}{}
		}()
	}
	select {
	case <-ctx.Done():
	case <-ended:
	}
	var errs []error
	for i, stage := range slices.Backward(stages) {
		started[i].cancel()
		if err := <-started[i].done; err != nil && !errors.Is(err, context.Canceled) {
			errs = append(errs, fmt.Errorf("%s: %w", stage.name, err))
		}
	}
	return errors.Join(errs...)
}
