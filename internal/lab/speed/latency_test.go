package speed

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/relight-aws/relight/internal/lab"
)

const (
	rounds = 15
	most   = 300 * time.Millisecond
)

// TestLatency limits how long a deleted alarm, metric filter and flow log stay away.
func TestLatency(t *testing.T) {
	figures, err := lab.Latencies(t.Context(), rounds, arena)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range figures[0] {
		t.Log(l)
		if median := l.Median(lab.Round.Took); median > most {
			t.Errorf("%s: restored after a median of %s, want at most %s", l.Attack, median, most)
		}
	}
}

// TestAgainst measures two builds of relight in turn, each in its own account:
//
//	go test ./internal/lab/speed -run TestAgainst -v -against ../other-checkout -record ../../../docs/figures/latency.txt
func TestAgainst(t *testing.T) {
	if *against == "" {
		t.Skip("no other checkout to measure: -against names one")
	}
	other, err := open(t.Context(), *against)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Cloud.Close()
	figures, err := lab.Latencies(t.Context(), rounds, other, arena)
	if err != nil {
		t.Fatal(err)
	}
	recorded := fmt.Sprintf("# Recorded on %s, on a machine with %d cores: old is commit %s, new is commit %s.\n",
		time.Now().UTC().Format("2 January 2006"), runtime.NumCPU(), commit(t, *against), commit(t, "."))
	for i, name := range []string{"old", "new"} {
		for _, l := range figures[i] {
			t.Logf("%s: %s", name, l)
			recorded += fmt.Sprintf("%s/%s %d ms\n", strings.ReplaceAll(l.Attack, " ", "-"), name, l.Median(lab.Round.Took).Milliseconds())
		}
	}
	if *record != "" {
		if err := os.WriteFile(*record, []byte(recorded), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// commit returns the short name of a checkout's commit.
func commit(t *testing.T, checkout string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "git", "-C", checkout, "rev-parse", "--short=7", "HEAD").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}
