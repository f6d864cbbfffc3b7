package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/relight-aws/relight/internal/audit/audittest"
)

// A page that cannot be written is an error in one sentence, and the table is printed.
func TestAuditPage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.html")
	var table strings.Builder
	if err := deliver(&table, &flags{output: "text"}, audittest.Broken(), path); !errors.Is(err, errToDo) {
		t.Errorf("%v, want %v", err, errToDo)
	}
	if raw, err := os.ReadFile(path); err != nil || !strings.Contains(string(raw), "<h1>Account 111122223333</h1>") {
		t.Errorf("no page: %v", err)
	}
	if err := deliver(&table, &flags{output: "text"}, audittest.Healthy(), path); err != nil {
		t.Error(err)
	}
	var again strings.Builder
	err := deliver(&again, &flags{output: "text"}, audittest.Broken(), filepath.Join(t.TempDir(), "gone", "audit.html"))
	if !errors.Is(err, fs.ErrNotExist) || errors.Is(err, errToDo) || !strings.HasPrefix(err.Error(), "--html: open ") {
		t.Errorf("%v, want that the folder does not exist", err)
	}
	if !strings.Contains(again.String(), "4 fail, 1 unknown, 19 pass, 1 not applicable") {
		t.Errorf("the table is not printed: %s", again.String())
	}
}
