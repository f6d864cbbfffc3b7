package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/internal/audit"
	"github.com/relight-aws/relight/internal/audit/audittest"
)

// A page that cannot be written is an error in one sentence, and the table is printed.
func TestAuditPage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.html")
	var table strings.Builder
	if err := deliver(&table, &flags{output: "text", terminal: isTerminal}, audittest.Broken(), path); !errors.Is(err, errToDo) {
		t.Errorf("%v, want %v", err, errToDo)
	}
	if raw, err := os.ReadFile(path); err != nil || !strings.Contains(string(raw), "<h1>Account 111122223333</h1>") {
		t.Errorf("no page: %v", err)
	}
	if err := deliver(&table, &flags{output: "text", terminal: isTerminal}, audittest.Healthy(), path); err != nil {
		t.Error(err)
	}
	var again strings.Builder
	err := deliver(&again, &flags{output: "text", terminal: isTerminal}, audittest.Broken(), filepath.Join(t.TempDir(), "gone", "audit.html"))
	if !errors.Is(err, fs.ErrNotExist) || errors.Is(err, errToDo) || !strings.HasPrefix(err.Error(), "--html: open ") {
		t.Errorf("%v, want that the folder does not exist", err)
	}
	if !strings.Contains(again.String(), "4 fail, 1 unknown, 19 pass, 1 not applicable") {
		t.Errorf("the table is not printed: %s", again.String())
	}
}

// Each output format is of its own form, with a finding for each check.
func TestAuditOutputs(t *testing.T) {
	rep := audittest.Broken()
	for output, first := range map[string]string{"asff": "SchemaVersion", "ocsf": "class_uid"} {
		var printed strings.Builder
		if err := printAudit(&printed, &flags{output: output}, rep); err != nil {
			t.Fatal(err)
		}
		var list []map[string]any
		if err := json.Unmarshal([]byte(printed.String()), &list); err != nil || len(list) != len(rep.Checks) || list[0][first] == nil {
			t.Errorf("%s: %d findings, want %d; %v", output, len(list), len(rep.Checks), err)
		}
	}
	var printed strings.Builder
	if err := printAudit(&printed, &flags{output: "json"}, rep); err != nil {
		t.Fatal(err)
	}
	var again audit.Report
	if err := json.Unmarshal([]byte(printed.String()), &again); err != nil || !cmp.Equal(again, rep) {
		t.Errorf("%v: %s", err, cmp.Diff(rep, again))
	}
}

// The text is the one that docs/audit.md shows.
func TestAuditText(t *testing.T) {
	var printed strings.Builder
	if err := printAudit(&printed, &flags{output: "text", terminal: isTerminal}, audittest.Example()); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile("../../docs/audit.md")
	if err != nil {
		t.Fatal(err)
	}
	if _, shown, _ := strings.Cut(string(raw), "$ build/relight audit\n"); !strings.HasPrefix(shown, printed.String()+"```\n") {
		t.Errorf("docs/audit.md does not show what is printed:\n%s", printed.String())
	}
}

// No name that somebody chose controls the terminal.
func TestAuditTextIsPlain(t *testing.T) {
	var printed strings.Builder
	if err := printAudit(&printed, &flags{output: "text", terminal: isTerminal}, audittest.Broken()); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(printed.String()) {
		if text := strings.TrimSuffix(line, "\n"); oneLine(text) != text {
			t.Errorf("%q", text)
		}
	}
}
