package awstest

import (
	"io/fs"
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

// Every belief says how well it is known and where it decides. One that nobody
// recorded has an alternative or says why it has none, what follows, and what
// would settle it.
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
		if b.Grade == Recorded {
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

// Every code says how well it is known, and what follows if an assumed one is
// another.
func TestEveryCodeIsComplete(t *testing.T) {
	for _, c := range errorCodes {
		known := slices.ContainsFunc(beliefs, func(b Belief) bool { return b.ID == c.Belief })
		switch {
		case len(c.Names) == 0 || c.Of == "" || c.Evidence == "" || !slices.Contains(Grades(), c.Grade):
			t.Errorf("%v is incomplete", c.Names)
		case c.Grade == Recorded && !dated.MatchString(c.Evidence):
			t.Errorf("%v were recorded, and their evidence has no date", c.Names)
		case (c.Grade == Assumed) != known:
			t.Errorf("%v: grade %s, belief %q", c.Names, c.Grade, c.Belief)
		}
	}
}

var (
	pointer  = regexp.MustCompile(`\bbelief\s+(?://\s+)?([a-z0-9-]+),\s+(?://\s+)?(assumed|modelled|documented|recorded)\b`)
	testName = regexp.MustCompile("`(Test[A-Za-z]+)`")
)

// What the project takes AWS to do without proof is in the table, not in a
// comment: a comment names the belief's row, with its grade. The tests that the
// table names exist.
func TestDoubtsAreInTheTable(t *testing.T) {
	grades, tests, pointers := map[string]Grade{}, map[string]bool{}, 0
	for _, b := range beliefs {
		grades[b.ID] = b.Grade
		for _, m := range testName.FindAllStringSubmatch(b.Why+b.Then, -1) {
			tests[m[1]] = false
		}
	}
	for _, root := range []string{"../../cmd", "../../functions", "../../infra", "..", "../../docs", "../../README.md", "../../events"} {
		err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !slices.Contains([]string{".go", ".md", ".py"}, filepath.Ext(file)) {
				return err
			}
			raw, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			if strings.Contains(string(raw), "unverif"+"ied") {
				t.Errorf("%s calls something unveri"+"fied: name the row of internal/awstest/beliefs.go", file)
			}
			for _, m := range pointer.FindAllStringSubmatch(string(raw), -1) {
				pointers++
				if string(grades[m[1]]) != m[2] {
					t.Errorf("%s calls belief %s %s; it is %q", file, m[1], m[2], grades[m[1]])
				}
			}
			for name := range tests {
				tests[name] = tests[name] || strings.Contains(string(raw), "func "+name+"(")
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, exists := range tests {
		if !exists {
			t.Errorf("beliefs.go names %s, which does not exist", name)
		}
	}
	if pointers == 0 {
		t.Error("no comment names a belief")
	}
}
