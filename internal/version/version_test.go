package version

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
)

func TestChoose(t *testing.T) {
	module := func(v string) *debug.BuildInfo { return &debug.BuildInfo{Main: debug.Module{Version: v}} }
	for _, tt := range []struct {
		linked string
		info   *debug.BuildInfo
		want   string
	}{
		{"v1.2.3", module("v1.2.2"), "1.2.3"},
		{"6e8ec76-dirty", nil, "6e8ec76-dirty"},
		{"", module("v1.2.3"), "1.2.3"},
		{"", module("(devel)"), "development"},
		{"", module(""), "development"},
		{"", nil, "development"},
	} {
		if got := choose(tt.linked, tt.info); got != tt.want {
			t.Errorf("choose(%q, %v) = %q, want %q", tt.linked, tt.info, got, tt.want)
		}
	}
}

// The Makefile links the version into the variable that this package has.
func TestLinked(t *testing.T) {
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	const variable = "github.com/relight-aws/relight/internal/version.linked"
	if !strings.Contains(string(makefile), "linked := -X "+variable+"=$(VERSION)") {
		t.Errorf("the Makefile does not set %s", variable)
	}
	for line := range strings.Lines(string(makefile)) {
		if strings.Contains(line, "go build") && !strings.Contains(line, "$(linked)") {
			t.Errorf("a build does not link the version: %s", line)
		}
	}
	path := filepath.Join(t.TempDir(), "relight")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-ldflags", "-X "+variable+"=v9.8.7", "-o", path, "../../cmd/relight").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, args := range [][]string{{"--version"}, {"version"}} {
		if out, err := exec.CommandContext(t.Context(), path, args...).Output(); err != nil || string(out) != "relight 9.8.7\n" {
			t.Errorf("relight %v: %q, %v", args, out, err)
		}
	}
}
