package stack_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden templates")

// hashes matches the hashes of assets, which change with every build, and the
// part of the schedule's name that is derived from one.
var hashes = regexp.MustCompile(`\b[0-9a-f]{64}\b|(sweep-)[0-9a-f]{8}\b`)

// The golden templates are for reviewers to read.
func TestGolden(t *testing.T) {
	for _, a := range []app{defaults(), custom()} {
		for name, s := range a {
			raw, err := json.MarshalIndent(s.raw, "", " ")
			if err != nil {
				t.Fatal(err)
			}
			got := hashes.ReplaceAllString(string(raw), "${1}hash") + "\n"
			golden(t, filepath.Join("testdata", name+".template.json"), got)
		}
	}
}

// golden compares what the code makes with a file, or writes the file.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got); go test ./infra/stack -update rewrites it:\n%s", path, diff)
	}
}
