package awstest

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var dated = regexp.MustCompile(`\b20\d\d(-\d\d)*\b`)

// Every clause says how well it is known: a recorded one by whom and when, a
// documented one where, an assumed one which belief has its other way.
func TestEveryClauseHasAGrade(t *testing.T) {
	for _, c := range clauses {
		switch {
		case !slices.Contains(Grades(), c.grade):
			t.Errorf("%s has the grade %q", c.name, c.grade)
		case c.source == "":
			t.Errorf("%s has no source", c.name)
		case (c.grade == Recorded) != dated.MatchString(c.record):
			t.Errorf("%s is %s, and its record is %q", c.name, c.grade, c.record)
		case (c.grade == Assumed) != (c.belief != ""):
			t.Errorf("%s is %s, and its belief is %q", c.name, c.grade, c.belief)
		case c.belief != "" && !slices.ContainsFunc(beliefs, func(b Belief) bool { return b.ID == c.belief }):
			t.Errorf("%s: there is no belief %s", c.name, c.belief)
		}
	}
}

// Every belief says how well it is known and where it decides. An assumed one
// has an alternative or says why it has none, what follows, and what would
// settle it.
func TestEveryBeliefIsComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, b := range beliefs {
		if b.ID == "" || seen[b.ID] {
			t.Errorf("the ID %q is missing or taken", b.ID)
		}
		seen[b.ID] = true
		if b.Says == "" || b.Evidence == "" || b.Decides == "" || !slices.Contains(Grades(), b.Grade) {
			t.Errorf("%s is incomplete", b.ID)
		}
		if b.Grade == Recorded && !dated.MatchString(b.Evidence) {
			t.Errorf("%s was recorded, and its evidence has no date", b.ID)
		}
		if b.Decides != "nowhere" {
			if _, err := os.Stat(filepath.Join("../..", b.Decides)); err != nil {
				t.Errorf("%s decides in %s, which does not exist", b.ID, b.Decides)
			}
		}
		if b.Grade != Assumed {
			continue
		}
		if (b.Other == "") == (b.Why == "") {
			t.Errorf("%s needs another way, or the reason why it has none", b.ID)
		}
		if b.Then == "" || b.Settles == "" {
			t.Errorf("%s does not say what follows, or what would settle it", b.ID)
		}
	}
}

// What the account assumes is in the table, not in a comment.
func TestDoubtsAreInTheTable(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(raw), "unverif"+"ied") {
			t.Errorf("%s calls something unveri"+"fied: put it into beliefs.go", file)
		}
	}
}
