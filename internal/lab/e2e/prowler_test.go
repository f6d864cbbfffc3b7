package e2e

import (
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/relight-aws/relight/internal/audit"
	"github.com/relight-aws/relight/internal/lab"
	"github.com/relight-aws/relight/internal/lab/prowler"
)

var (
	prowlerIn = flag.String("prowler", "", "a virtual environment with Prowler: compare relight audit with it")
	recordTo  = flag.String("record", "", "a file for the figures of the comparison")
)

// TestProwler compares the audit with Prowler, check by check: in the healthy account and
// after the attacks of each round of TestAudit. Every difference is in the table of
// known ones, and every known one is seen.
func TestProwler(t *testing.T) {
	if *prowlerIn == "" {
		t.Log("without -prowler, nothing is compared: make prowler")
		return
	}
	s := shared
	s.drain(t)
	s.listening(t, false)
	defer s.listening(t, true)
	defer s.purge(t)
	cli := build(t)
	run := prowler.Run{Version: prowler.Version(), Date: time.Now().UTC().Format(time.DateOnly)}
	missing := map[string]map[string]bool{} // questions by attack
	for _, d := range prowler.Differences() {
		missing[d.Attack] = map[string]bool{}
		for _, q := range d.Questions {
			missing[d.Attack][q] = true
		}
	}
	compare := func(attacks []string, rep audit.Report) {
		begin := time.Now()
		found, err := prowler.Scan(t.Context(), *prowlerIn, s.Cloud.Root().Environ(lab.Region), rep.Regions, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		state := prowler.State{Attacks: attacks, Seconds: int(time.Since(begin).Seconds())}
		for _, a := range prowler.Compare(found, rep) {
			switch d, known := prowler.Known(a, attacks); {
			case a.Relight == prowler.Silent:
				state.Unreached++
			case !a.Differ():
				state.Agreed++
			case known:
				delete(missing[d.Attack], a.Question)
				state.Differ = append(state.Differ, a)
			default:
				t.Errorf("after %q, %s %s: Prowler %s, relight %s; the table of differences does not have it", attacks, a.Question, a.VPC, a.Prowler, a.Relight)
			}
		}
		t.Logf("after %q: %d agree, %d differ, %d not reached, %d s", attacks, state.Agreed, len(state.Differ), state.Unreached, state.Seconds)
		run.States = append(run.States, state)
	}

	compare(nil, s.audit(t, cli, 0))
	s.inRounds(t, cli, func(round map[string]harm, rep audit.Report) { compare(sortedKeys(round), rep) })
	for _, attack := range slices.Sorted(maps.Keys(missing)) {
		for question := range missing[attack] {
			t.Errorf("after %s, both agree about %s; the table of differences says otherwise", attack, question)
		}
	}
	if *recordTo == "" || t.Failed() {
		return
	}
	raw, err := json.Marshal(run)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Clean(*recordTo), append(raw, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}
