package main

import (
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// A progress shows on the terminal that a command is still working. It shows
// nothing if the writer is not a terminal.
type progress struct {
	bar  *progressbar.ProgressBar
	stop chan struct{}
}

func newProgress(w io.Writer, what string) *progress {
	return &progress{
		bar: progressbar.NewOptions(-1,
			progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(what), progressbar.OptionSetVisibility(isTerminal(w)),
			progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionSetWidth(30),
		),
		stop: make(chan struct{}),
	}
}

// set shows how many of all runs are done.
func (p *progress) set(done, total int) {
	p.bar.ChangeMax(total)
	_ = p.bar.Set(done) // the command works without a progress bar
}

// spin shows the time that passes until the command is done.
func (p *progress) spin() {
	go func() {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-p.stop:
				return
			case <-tick.C:
				_ = p.bar.Add(1)
			}
		}
	}()
}

func (p *progress) done() {
	close(p.stop)
	_ = p.bar.Finish()
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
