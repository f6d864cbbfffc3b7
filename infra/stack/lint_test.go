package stack_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/relight-aws/relight/internal/config"
	"github.com/relight-aws/relight/internal/spoke"
)

// cfn-lint finds no errors in the golden templates, such as properties that
// CloudFormation does not know or values that it rejects.
func TestLint(t *testing.T) {
	templates, err := filepath.Glob("testdata/*.template.json")
	if err != nil || len(templates) == 0 {
		t.Fatalf("no templates to lint: %v", err)
	}
	lint(t, templates)
}

// Nor does it in a template with everything switched on and the longest names,
// in the regions of a partition.
func TestLintEverything(t *testing.T) {
	for _, f := range full {
		dir := t.TempDir()
		var templates []string
		for name, s := range f.app() {
			raw, err := json.Marshal(s.raw)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, name+".template.json")
			if err := os.WriteFile(path, raw, 0o600); err != nil {
				t.Fatal(err)
			}
			templates = append(templates, path)
		}
		lint(t, templates, "--regions", f.home, f.further)
	}
}

// Nor does it in the template of an organisation's guarded account.
func TestLintSpoke(t *testing.T) {
	templates := []struct{ home, further, keys string }{{home, global, `{"organization": {"id": "o-a1b2c3d4e5", "hubAccount": "111122223333"}, "regions": ["` + remote + `"]}`}}
	for _, f := range full {
		templates = append(templates, struct{ home, further, keys string }{f.home, f.further, switchedOn(f.partition, f.home, f.further)})
	}
	for _, tt := range templates {
		c, err := config.Parse([]byte(tt.keys))
		if err != nil {
			t.Fatal(err)
		}
		text, err := spoke.Template(c, tt.home)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "spoke.template.json")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		lint(t, []string{path}, "--regions", tt.home, tt.further)
	}
}

func lint(t *testing.T, templates []string, options ...string) {
	t.Helper()
	args := append(append([]string{"--non-zero-exit-code", "error"}, options...), "--")
	out, err := exec.CommandContext(t.Context(), filepath.Join("..", "..", ".venv", "bin", "cfn-lint"), append(args, templates...)...).CombinedOutput()
	if err != nil {
		t.Errorf("%v %v: %v (make test installs cfn-lint): %s", templates, options, err, out)
	}
}

// Nor does it in the templates of a hub, whose state machine it checks too.
func TestLintHub(t *testing.T) {
	dir := t.TempDir()
	var templates []string
	for i, a := range []app{hub(), hubOfUnits()} {
		raw, err := json.Marshal(a["relight"].raw)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, string(rune('a'+i))+".template.json")
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		templates = append(templates, path)
	}
	lint(t, templates)
}
