package awsio

import (
	"context"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/relight-aws/relight/internal/remedy"
)

// atOnce makes reads that do not depend on each other at the same time, and waits for
// all of them: what AWS takes time for is calls that wait for one another. It returns
// the error of the first of them, in the order given, that failed. A read that panics
// makes atOnce panic once all are over.
//
// No read may use what another one sets.
func atOnce(reads ...func() error) error {
	errs := make([]error, len(reads))
	panics := make([]*remedy.Panic, len(reads))
	var all sync.WaitGroup
	for i, read := range reads {
		all.Go(func() {
			defer func() {
				if cause := recover(); cause != nil {
					panics[i] = &remedy.Panic{Cause: cause, Stack: debug.Stack()}
				}
			}()
			errs[i] = read()
		})
	}
	all.Wait()
	for _, p := range panics {
		if p != nil {
			panic(*p)
		}
	}
	if i := slices.IndexFunc(errs, func(err error) bool { return err != nil }); i >= 0 {
		return errs[i]
	}
	return nil
}

// recalling returns a read of what relight remembers, if it is already sure that the
// plan needs it: the run that asks for it next does not wait then. An error is left to
// the run, which gets the same answer.
func recalling(ctx context.Context, sure bool) func() error {
	return func() error {
		if sure {
			_, _ = remedy.Recall(ctx)
		}
		return nil
	}
}

// eachAtOnce is atOnce for one read of each item, which gets the item's index.
func eachAtOnce[T any](items []T, read func(i int, item T) error) error {
	reads := make([]func() error, len(items))
	for i, item := range items {
		reads[i] = func() error { return read(i, item) }
	}
	return atOnce(reads...)
}
