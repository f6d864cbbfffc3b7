package stack_test

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// cfn-lint finds no errors in the golden templates, such as properties that
// CloudFormation does not know or values that it rejects.
func TestLint(t *testing.T) {
	lint := filepath.Join("..", "..", ".venv", "bin", "cfn-lint")
	templates, err := filepath.Glob("testdata/*.template.json")
	if err != nil || len(templates) == 0 {
		t.Fatalf("no templates to lint: %v", err)
	}
	out, err := exec.CommandContext(t.Context(), lint, append([]string{"--non-zero-exit-code", "error", "--"}, templates...)...).CombinedOutput()
	if err != nil {
		t.Errorf("%v (make test installs cfn-lint): %s", err, out)
	}
}
