package speed

import (
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
//	go test ./internal/lab/speed -run TestAgainst -v -against ../other-checkout
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
	for i, name := range []string{*against, "this checkout"} {
		for _, l := range figures[i] {
			t.Logf("%s: %s", name, l)
		}
	}
}
