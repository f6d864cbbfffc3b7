package lifecycle

import (
	"io"
	"strings"

	"github.com/relight-aws/relight/internal/lab"
)

// Once the stacks are destroyed, relight remove leaves nothing of relight's in any
// region, and everything of others.
func removes(s *scene) {
	t := s.t
	if err := s.Cloud.Destroy(t.Context(), must(lab.Checkout()), io.Discard); err != nil {
		t.Fatal(err)
	}
	if out := s.relight(2, "remove", "--plan"); !strings.Contains(out, "- topic relight-") {
		t.Errorf("before it removes anything, it lists %s", out)
	}
	s.relight(0, "remove", "--yes", "--logs")
	if left, err := s.Cloud.Leftovers(t.Context()); err != nil || len(left) > 0 {
		t.Errorf("it left %s, %v", strings.Join(left, "; "), err)
	}
	if !s.exists(theirs) {
		t.Error("it removed the alarm of others")
	}
}
