package remedy_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/remedy"
)

const (
	alice   = "arn:aws:sts::111122223333:assumed-role/operator/alice"
	mallory = "arn:aws:iam::111122223333:user/mallory"
)

var (
	noon  = time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)
	wants = catalog.Desired{
		Baseline:   catalog.Baseline{Prefix: "relight", PauseBy: []string{"arn:aws:iam::111122223333:role/operator"}},
		Deployment: catalog.Deployment{Account: "111122223333"},
	}
)

// version returns a version that pauses relight, written at so many minutes after noon.
func version(n int64, by string, at, minutes int) remedy.PauseVersion {
	begin := noon.Add(time.Duration(at) * time.Minute)
	return remedy.PauseVersion{Version: n, By: by, At: begin, Text: remedy.NewPause(begin.Add(time.Duration(minutes)*time.Minute), "work", nil, nil).Encode()}
}

// Pauses that follow each other may not add up to more than half a day, whoever wrote
// what in between.
func TestPausesAddUp(t *testing.T) {
	resumed := func(n int64, at int) remedy.PauseVersion {
		return remedy.PauseVersion{Version: n, By: alice, At: noon.Add(time.Duration(at) * time.Minute), Text: remedy.Resume().Encode()}
	}
	var many []remedy.PauseVersion
	for i := range 100 {
		many = append(many, version(int64(i+5), alice, i, 1))
	}
	tests := map[string]struct {
		versions []remedy.PauseVersion
		now      int    // minutes after noon
		why      string // it pauses nothing; "" for a pause
	}{
		"one":                       {[]remedy.PauseVersion{version(1, alice, 0, 720)}, 0, ""},
		"one minute before its end": {[]remedy.PauseVersion{version(1, alice, 0, 720)}, 719, ""},
		"longer":                    {[]remedy.PauseVersion{version(1, alice, 0, 722)}, 0, "it is 12h2m long"},
		"again at its end":          {[]remedy.PauseVersion{version(1, alice, 0, 720), version(2, alice, 720, 60)}, 721, "paused for 13h in 24h"},
		"extended":                  {[]remedy.PauseVersion{version(1, alice, 0, 60), version(2, alice, 30, 690)}, 31, ""},
		"extended too far":          {[]remedy.PauseVersion{version(1, alice, 0, 60), version(2, alice, 30, 700)}, 31, "paused for 12h10m in 24h"},
		"ended in between":          {[]remedy.PauseVersion{version(1, alice, 0, 720), resumed(2, 60), version(3, alice, 120, 660)}, 121, ""},
		"ended too late":            {[]remedy.PauseVersion{version(1, alice, 0, 720), resumed(2, 90), version(3, alice, 120, 660)}, 121, "paused for 12h30m in 24h"},
		"a day later":               {[]remedy.PauseVersion{version(1, alice, 0, 720), version(2, alice, 1440, 720)}, 1441, ""},
		"less than a day later":     {[]remedy.PauseVersion{version(1, alice, 0, 720), version(2, alice, 1000, 720)}, 1001, "paused for"},
		"refused ones do not count": {[]remedy.PauseVersion{version(1, alice, 0, 900), version(2, mallory, 1, 600), version(3, alice, 2, 720)}, 3, ""},
		"a stranger after it":       {[]remedy.PauseVersion{version(1, alice, 0, 720), version(2, mallory, 60, 720)}, 61, "does not name its author"},
		"in any order":              {[]remedy.PauseVersion{version(2, alice, 720, 60), version(1, alice, 0, 720)}, 721, "paused for 13h in 24h"},
		"a history that is full":    {many, 100, "its history does not show"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p, found := remedy.PauseOf(wants, tt.versions, noon.Add(time.Duration(tt.now)*time.Minute))
			switch {
			case tt.why == "" && (p == nil || len(found) > 0):
				t.Errorf("%v, %v", p, found)
			case tt.why != "" && (p != nil || len(found) != 1 || !strings.Contains(fmt.Sprint(found), tt.why)):
				t.Errorf("%v, %v; want %q", p, found, tt.why)
			}
		})
	}
}

// Whatever those who may pause write, and whenever, relight is paused for no more than half
// of any day, and for a minute for each version that clocks may differ by.
func TestNoPauseLastsLonger(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var versions []remedy.PauseVersion
		at, paused := 0, map[int]bool{}
		for n := range rapid.IntRange(1, 12).Draw(rt, "versions") {
			by := rapid.SampledFrom([]string{alice, alice, alice, mallory}).Draw(rt, "by")
			v := version(int64(n+1), by, at, rapid.SampledFrom([]int{-10, 5, 60, 300, 600, 720, 2000}).Draw(rt, "minutes"))
			if rapid.IntRange(0, 4).Draw(rt, "resume") == 0 {
				v.Text = remedy.Resume().Encode()
			}
			versions = append(versions, v)
			for range rapid.IntRange(1, 900).Draw(rt, "wait") {
				p, _ := remedy.PauseOf(wants, versions, noon.Add(time.Duration(at)*time.Minute))
				paused[at] = p != nil
				at++
			}
		}
		total := 0
		for minute := range at {
			if paused[minute] {
				total++
			}
			if paused[minute-24*60] {
				total--
			}
			if total > 12*60+1 {
				rt.Fatalf("paused for %d minutes in the day before minute %d", total, minute)
			}
		}
	})
}
