package app_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/events"
	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/catalog"
)

// The first sweep protects an account that has no protection yet. A second
// sweep has nothing to restore.
func TestFirstSweep(t *testing.T) {
	t.Parallel()
	w := deployed(t, "")
	before := w.State()
	first := w.sweep(app.Request{})
	if gaps := w.gaps(); len(gaps) > 0 {
		t.Errorf("not protected: %v", gaps)
	}
	after := w.State()
	for key, was := range before {
		if after[key] != was {
			t.Errorf("%s changed from %s to %s", key, was, after[key])
		}
	}
	if diff := cmp.Diff([]string{"af-south-1"}, first.NotOptedIn); diff != "" {
		t.Errorf("regions not opted in (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{second, home}, first.Regions); diff != "" {
		t.Errorf("regions (-want +got):\n%s", diff)
	}
	if got := len(w.Messages()); got != 1 {
		t.Errorf("%d messages, want one for the whole sweep", got)
	}
	writes := len(w.Writes())
	want := first.Healthy + first.Planned
	want -= 2                            // the flow logs' group in two regions does not count as a protection
	want -= len(catalog.Functions()) - 2 // the first sweep read every function, and a later one reads two
	if s := w.sweep(app.Request{}); s.Planned != 0 || s.Healthy != want {
		t.Errorf("second sweep plans %d, has %d healthy; want 0, %d", s.Planned, s.Healthy, want)
	}
	if s := w.sweep(app.Request{}); s.Held != s.Healthy {
		t.Errorf("the earlier name has %d, want %d", s.Held, s.Healthy)
	}
	if len(w.Writes()) != writes {
		t.Errorf("second sweep wrote %v", w.Writes()[writes:])
	}
}

// Mode plan reports what a repair would do and changes nothing.
func TestPlanMode(t *testing.T) {
	t.Parallel()
	w := deployed(t, "")
	before := w.State()
	planned := w.sweep(app.Request{Mode: "plan"})
	if diff := cmp.Diff(before, w.State()); diff != "" {
		t.Errorf("changed (-before +after):\n%s", diff)
	}
	if len(w.Messages()) > 0 {
		t.Errorf("messages %+v, want none", w.Messages())
	}
	if diff := cmp.Diff(planned.Reports, w.sweep(app.Request{Mode: "plan"}).Reports); diff != "" {
		t.Errorf("two plans of one account differ:\n%s", diff)
	}
	repaired := w.sweep(app.Request{})
	if planned.Planned != repaired.Planned || repaired.Repaired != repaired.Planned {
		t.Errorf("planned %d, then planned %d and repaired %d", planned.Planned, repaired.Planned, repaired.Repaired)
	}
}

// A kind's mode limits every run of the kind, whatever causes the run.
func TestModes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		mode  string
		looks bool
	}{
		{"observe", true},
		{"off", false},
	}
	for _, tt := range tests {
		t.Run(tt.mode, func(t *testing.T) {
			w := deployed(t, `{"modes":{"alarms":"`+tt.mode+`"}}`)
			were := w.Alarms(home)
			w.sweep(app.Request{Mode: "repair"})
			if diff := cmp.Diff(were, w.Alarms(home)); diff != "" {
				t.Errorf("alarms (-before +after):\n%s", diff)
			}
			before := w.Calls()
			again, errs := w.send(events.Read("DeleteAlarms.one.json"), true)
			if len(again)+len(errs) > 0 {
				t.Errorf("failed: %v, %v", again, errs)
			}
			if got := w.Calls().Since(before)["DescribeAlarms"] > 0; got != tt.looks {
				t.Errorf("observed: %t, want %t", got, tt.looks)
			}
			if got := len(w.FlowLogs(home, "vpc-1")); got != 1 {
				t.Errorf("%d flow logs: another kind's mode must not matter", got)
			}
		})
	}
}

func TestBackfillRequests(t *testing.T) {
	t.Parallel()
	tests := []struct {
		raw     string
		reports int
		err     string // in the error; "" for none
	}{
		{raw: `{}`, reports: runs()},
		{raw: `null`, reports: runs()},
		{raw: ``, reports: runs()},
		{raw: `{"kinds":["flowlogs"]}`, reports: 2},
		{raw: `{"kinds":["loggroups","alarms"]}`, reports: 2},
		{raw: `{"kinds":["guard"]}`, reports: 2}, // the stack of the home region, and the forwarder
		{raw: `{"regions":["eu-west-1"]}`, reports: 2},
		{raw: `{"regions":["eu-west-1","eu-west-1"]}`, reports: 2},
		{raw: `{"mode":"plan"}`, reports: runs()},
		{raw: `{"kinds":["flowlog"]}`, err: `no kind "flowlog"`},
		{raw: `{"mode":"dry"}`, err: `no mode "dry"`},
		{raw: `{"kinds":["x"],"mode":"y"}`, err: "no mode"},
		{raw: `{"region":"eu-west-1"}`, err: "unknown field"},
		{raw: `{"regions":["af-south-1"]}`, err: "region af-south-1 is not enabled for account 111122223333"},
		{raw: `{"regions":["mars-1"]}`, err: "region mars-1 is not enabled"},
		{raw: `[]`, err: "backfill takes"},
		{raw: `{`, err: "backfill takes"},
	}
	for _, tt := range tests {
		w := healthy(t, "")
		w.deleteFlowLogs(home, "vpc-1")
		before := w.State()
		got, err := w.app(catalog.Backfill).HandleBackfill(t.Context(), json.RawMessage(tt.raw))
		s, _ := got.(app.Sweep)
		if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
			t.Errorf("%s: error %v, want %q", tt.raw, err, tt.err)
		}
		if len(s.Reports) != tt.reports {
			t.Errorf("%s: %d reports, want %d", tt.raw, len(s.Reports), tt.reports)
		}
		if diff := cmp.Diff(before, w.State()); tt.err != "" && diff != "" {
			t.Errorf("%s: rejected, but the account changed (-before +after):\n%s", tt.raw, diff)
		}
	}
}

// Once a region is enabled, every sweep covers it, although nothing is deployed
// there.
func TestNewlyEnabledRegion(t *testing.T) {
	t.Parallel()
	const region = "af-south-1"
	w := healthy(t, "")
	w.send(events.Read("EnableRegion.opted-in.json"), true)
	w.AddRegion(region, "opted-in")
	w.AddVPC(region, "vpc-7")
	if s := w.sweep(app.Request{}); !slices.Contains(s.Regions, region) || len(w.FlowLogs(region, "vpc-7")) != 1 {
		t.Errorf("swept %v, %d flow logs in %s", s.Regions, len(w.FlowLogs(region, "vpc-7")), region)
	}
}

// relight restores the other regions if one region cannot be read.
func TestSweepBeyondAFailure(t *testing.T) {
	t.Parallel()
	w := deployed(t, "")
	w.Fail("DescribeTrails", "InternalFailure", "InternalFailure")
	s := w.sweep(app.Request{})
	if s.Unrestored != 2 {
		t.Errorf("%d unrestored, want the two kinds that could not be observed", s.Unrestored)
	}
	if len(w.FlowLogs(home, "vpc-1")) != 1 || len(w.FlowLogs(second, "vpc-3")) != 1 {
		t.Error("flow logs were not healed")
	}
}

// Two sweeps at the same time may repeat each other's writes, and do no harm.
func TestConcurrentSweeps(t *testing.T) {
	t.Parallel()
	w := deployed(t, "")
	done := make(chan app.Sweep)
	for range 2 {
		go func() {
			s, err := w.app(catalog.Backfill).Sweep(t.Context(), app.Request{}, nil)
			if err != nil {
				t.Error(err)
			}
			done <- s
		}()
	}
	for range 2 {
		if s := <-done; s.Unrestored != 0 {
			t.Errorf("%d unrestored: %+v", s.Unrestored, s)
		}
	}
	if gaps := w.gaps(); len(gaps) > 0 {
		t.Errorf("not protected: %v", gaps)
	}
	if got := len(w.FlowLogs(home, "vpc-1")); got != 1 {
		t.Errorf("%d flow logs on vpc-1, want 1", got)
	}
}

func TestProgress(t *testing.T) {
	t.Parallel()
	w := deployed(t, "")
	var got [][2]int
	_, err := w.app(catalog.Backfill).Sweep(t.Context(), app.Request{}, func(done, total int) { got = append(got, [2]int{done, total}) })
	if err != nil {
		t.Fatal(err)
	}
	var want [][2]int
	for i := range runs() {
		want = append(want, [2]int{i + 1, runs()})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("progress (-want +got):\n%s", diff)
	}
}

// relight does not touch a region that the configuration skips, and the sweep
// names it.
func TestSkippedRegion(t *testing.T) {
	t.Parallel()
	w := deployed(t, `{"skipRegions": ["`+second+`"]}`)
	before := w.Calls()
	s := w.sweep(app.Request{Kinds: []catalog.Kind{catalog.FlowLogs}})
	if !slices.Equal(s.Regions, []string{home}) || !slices.Equal(s.Skipped, []string{second}) {
		t.Errorf("swept %v, skipped %v; want %s and %s", s.Regions, s.Skipped, home, second)
	}
	if n := w.Calls().Since(before)["DescribeVpcs"]; n == 0 {
		t.Error("the home region was not checked")
	}
	if gaps := w.gaps(); !slices.Contains(gaps, "vpc-3") {
		t.Errorf("%s was repaired in the skipped region", "vpc-3")
	}
}

// runs returns how many runs a sweep of every kind makes in two regions, of which the
// second has a forwarder.
func runs() int {
	n := 0
	for _, k := range catalog.Kinds() {
		if n++; k.Regional() || k == catalog.Guard {
			n++
		}
	}
	return n
}
