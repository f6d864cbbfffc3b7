package lifecycle

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
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
	raw := must(json.Marshal(lab.Config())) // says where relight's own flow logs go
	file := filepath.Join(t.TempDir(), "config.json")
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if out := s.deployed(2, "remove", "--plan", "--config", file); !strings.Contains(out, "- topic relight-") {
		t.Errorf("before it removes anything, it lists %s", out)
	}
	out := s.deployed(0, "remove", "--yes", "--logs", "--config", file)
	if left, err := s.Cloud.Leftovers(t.Context()); err != nil || len(left) > 0 {
		t.Errorf("it left %s, %v:\n%s", strings.Join(left, "; "), err, out)
	}
	if !s.exists(theirs) {
		t.Error("it removed the alarm of others")
	}
}
