package app_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/events"
	"github.com/relight-aws/relight/internal/app"
)

// A copy of a healthy world is like one that was made anew, and what one test does to
// its copy does not show in another's.
func TestCopied(t *testing.T) {
	t.Parallel()
	anew := deploy(t, "")
	anew.PageSize(0)
	anew.sweep(app.Request{})
	w := healthy(t, "")
	same := func(what string) {
		t.Helper()
		if diff := cmp.Diff(anew.State(), w.State()); diff != "" {
			t.Errorf("%s (-anew +copy):\n%s", what, diff)
		}
		if diff := cmp.Diff(anew.Messages(), w.Messages()); diff != "" {
			t.Errorf("%s, messages (-anew +copy):\n%s", what, diff)
		}
	}
	same("a copy differs")
	healthy(t, "").deleteAlarms(rootUsage)
	same("a copy changes with another")
	for _, x := range []*world{anew, w} {
		x.deleteAlarms(ours()...)
		x.deleteGroup(home, trailGroup)
		x.send(events.Read("DeleteLogGroup.trail.json"), true)
		x.send(events.Read("DeleteAlarms.all.json"), true)
		x.sweep(app.Request{})
	}
	same("a copy behaves differently")
	if s := w.sweep(app.Request{}); s.Planned != 0 {
		t.Errorf("a copy is not converged: %+v", s)
	}
}
