package remedy_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

// A world is VPCs with and without flow logs, as Observer and Applier.
type world struct {
	vpcs    map[string]bool // whether it has a flow log
	unread  []error         // of the first observations
	refuse  map[string]error
	forget  map[string]bool // an action on it succeeds and does nothing
	reuses  bool            // a verification relies on what was read before
	next    string          // a VPC that loses its flow log after the first application
	looks   int
	applied [][]string
}

func (w *world) Observe(ctx context.Context, s remedy.Scope) (plan.Observed, error) {
	w.looks++
	if w.reuses {
		_ = remedy.Before(ctx)
	}
	got := plan.Observed{Account: s.Account, Region: s.Region}
	if w.looks <= len(w.unread) && w.unread[w.looks-1] != nil {
		// Half a listing comes with the error, to be dropped.
		got.State = &plan.FlowLogState{Networks: []plan.Network{{ID: "vpc-half"}}}
		return got, w.unread[w.looks-1]
	}
	state := &plan.FlowLogState{LogGroups: map[string]plan.LogGroup{"logs": {Name: "logs"}}}
	got.State = state
	for id, logged := range w.vpcs {
		vpc := plan.Network{ID: id, Owner: s.Account}
		if logged {
			vpc.FlowLogs = []plan.FlowLog{{ID: "fl", Status: "ACTIVE", TrafficType: "REJECT", Format: catalog.DefaultFlowLogFormat, Destination: catalog.ToS3}}
		}
		state.Networks = append(state.Networks, vpc)
	}
	return got, nil
}

func (w *world) Apply(_ context.Context, _ remedy.Scope, actions []plan.Action) []remedy.Outcome {
	var outcomes []remedy.Outcome
	var targets []string
	for _, a := range actions {
		id := a.Step().Target
		targets = append(targets, id)
		if w.refuse[id] == nil && !w.forget[id] {
			w.vpcs[id] = true
		}
		outcomes = append(outcomes, remedy.Outcome{Action: a, Err: w.refuse[id]})
	}
	w.applied = append(w.applied, targets)
	if w.next != "" {
		w.vpcs[w.next] = false
	}
	return outcomes
}

var everything = remedy.Scope{Account: account, Region: "us-east-1", Kind: catalog.FlowLogs}

func (w *world) run(t *testing.T, mode catalog.Mode) remedy.Report {
	t.Helper()
	want := catalog.Desired{Baseline: catalog.Baseline{FlowLogs: catalog.FlowLogSpec{TrafficType: "REJECT", LogGroup: "logs"}}}
	return remedy.Reconciler{Adopted: allAdopted, Observer: w, Applier: w, Want: want}.Run(t.Context(), everything, mode)
}

func TestRunRepairsAndLooksAgain(t *testing.T) {
	w := &world{vpcs: map[string]bool{"vpc-1": false, "vpc-2": true, "vpc-3": false}}
	rep := w.run(t, catalog.Repair)
	if rep.Err != nil || rep.Repaired() != 2 || len(rep.Remaining) != 0 || rep.Plan.Healthy != 1 || rep.Failures() != nil {
		t.Errorf("%+v", rep)
	}
	if rep.Scope != everything || rep.Mode != catalog.Repair {
		t.Errorf("report of %v in mode %s", rep.Scope, rep.Mode)
	}
	if w.looks != 2 || len(w.applied) != 1 || !slices.Equal(w.applied[0], []string{"vpc-1", "vpc-3"}) {
		t.Errorf("%d looks, applied %v", w.looks, w.applied)
	}
	if rep = w.run(t, catalog.Repair); len(rep.Plan.Actions) > 0 || len(w.applied) != 1 || w.looks != 3 {
		t.Errorf("a run at rest: %v, applied %v, %d looks in all", rep.Plan.Actions, w.applied, w.looks)
	}
}

// A verification that relies on what was read before reads all of it again if something of
// the repair is left to do, and not if something else has broken meanwhile.
func TestVerificationReadsAgain(t *testing.T) {
	for name, tt := range map[string]struct {
		world world
		looks int
		left  int
	}{
		"all is well":                        {world: world{reuses: true}, looks: 2},
		"something of the repair is missing": {world: world{reuses: true, forget: map[string]bool{"vpc-1": true}}, looks: 3, left: 1},
		"something else is":                  {world: world{reuses: true, next: "vpc-2"}, looks: 2, left: 1},
		"everything was read anyway":         {world: world{forget: map[string]bool{"vpc-1": true}}, looks: 2, left: 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := &tt.world
			w.vpcs = map[string]bool{"vpc-1": false, "vpc-2": true}
			if rep := w.run(t, catalog.Repair); w.looks != tt.looks || len(rep.Remaining) != tt.left {
				t.Errorf("%d looks, %d left, want %d and %d", w.looks, len(rep.Remaining), tt.looks, tt.left)
			}
		})
	}
}

func TestRunWritesNothing(t *testing.T) {
	half := errors.New("throttled on page 2")
	tests := map[string]struct {
		unread error
		mode   catalog.Mode
		looks  int
	}{
		"in mode observe":        {nil, catalog.Observe, 1},
		"in mode off":            {nil, catalog.Off, 1},
		"in no mode":             {nil, "", 1},
		"after a failed reading": {half, catalog.Repair, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := &world{vpcs: map[string]bool{"vpc-1": false}, unread: []error{tt.unread}}
			rep := w.run(t, tt.mode)
			if w.applied != nil || w.vpcs["vpc-1"] || len(rep.Outcomes) > 0 || rep.Remaining != nil || w.looks != tt.looks {
				t.Errorf("applied %v after %d looks: %+v", w.applied, w.looks, rep)
			}
			if !errors.Is(rep.Err, tt.unread) || !errors.Is(rep.Failures(), tt.unread) {
				t.Errorf("error %v, want %v", rep.Err, tt.unread)
			}
			if wantPlanned := tt.unread == nil; (len(rep.Plan.Actions) == 1) != wantPlanned {
				t.Errorf("planned %v", rep.Plan.Actions)
			}
			if tt.unread != nil && !strings.HasPrefix(rep.Err.Error(), "observe 111122223333/us-east-1/flowlogs: ") {
				t.Errorf("error %v does not say what was read", rep.Err)
			}
		})
	}
}

// An observer that reads another kind than it was asked for is an error too.
func TestRunOfAnUnreadKind(t *testing.T) {
	w := &world{vpcs: map[string]bool{"vpc-1": false}}
	s := everything
	s.Kind = catalog.Alarms
	rep := remedy.Reconciler{Adopted: allAdopted, Observer: w, Applier: w}.Run(t.Context(), s, catalog.Repair)
	if rep.Err == nil || w.applied != nil {
		t.Errorf("%v, applied %v", rep.Err, w.applied)
	}
}

func TestRunReportsFailures(t *testing.T) {
	denied := failed(remedy.Terminal)
	w := &world{vpcs: map[string]bool{"vpc-1": false, "vpc-2": false, "vpc-3": false}, refuse: map[string]error{"vpc-1": denied}}
	rep := w.run(t, catalog.Repair)
	if rep.Repaired() != 2 || len(rep.Remaining) != 1 || rep.Remaining[0].Step().Target != "vpc-1" || rep.Err != nil {
		t.Errorf("%d repaired, remaining %v, error %v", rep.Repaired(), rep.Remaining, rep.Err)
	}
	if !errors.Is(rep.Failures(), denied) || remedy.ClassOf(rep.Failures()) != remedy.Terminal {
		t.Errorf("failures %v", rep.Failures())
	}
}

// Replies are promises: what the second look still asks for was not restored.
func TestRunDoesNotBelieveReplies(t *testing.T) {
	w := &world{vpcs: map[string]bool{"vpc-1": false, "vpc-2": false}, forget: map[string]bool{"vpc-1": true}}
	rep := w.run(t, catalog.Repair)
	if rep.Repaired() != 1 || !slices.Equal(rep.Restored(), []bool{false, true}) || len(rep.Remaining) != 1 || rep.Failures() != nil {
		t.Errorf("%d repaired, %v, remaining %v, failures %v", rep.Repaired(), rep.Restored(), rep.Remaining, rep.Failures())
	}
}

func TestRunThatCannotLookAgain(t *testing.T) {
	late := failed(remedy.Transient)
	w := &world{vpcs: map[string]bool{"vpc-1": false}, unread: []error{nil, late}}
	rep := w.run(t, catalog.Repair)
	if !errors.Is(rep.Err, late) || !strings.HasPrefix(rep.Err.Error(), "verify: ") || rep.Remaining != nil || len(rep.Outcomes) != 1 {
		t.Errorf("%+v", rep)
	}
}

// Another kind of action on the same target is another action.
func TestRestoredTellsActionsApart(t *testing.T) {
	create := plan.CreateLogGroup{Name: "g", RetentionDays: 365, Reason: "missing"}
	raise := plan.RaiseRetention{LogGroup: "g", Days: 365, Reason: "kept 1 days"}
	reworded := create
	reworded.Reason = "still missing"
	tests := []struct {
		remaining plan.Action
		want      int
	}{{nil, 1}, {raise, 1}, {create, 0}, {reworded, 0}}
	for _, tt := range tests {
		rep := remedy.Report{Outcomes: []remedy.Outcome{{Action: create}}}
		if tt.remaining != nil {
			rep.Remaining = []plan.Action{tt.remaining}
		}
		if got := rep.Repaired(); got != tt.want {
			t.Errorf("%d repaired with %v remaining, want %d", got, tt.remaining, tt.want)
		}
	}
}

// A call with advice is told of where it was made on what a protection leans
// on, or where the event does not say on what.
func TestNotices(t *testing.T) {
	advised := func(names ...string) remedy.Cause {
		return remedy.Cause{EventName: "DeleteLogStream", Advice: "Ask who.", Names: remedy.NamesOf(names...)}
	}
	plain := remedy.Cause{EventName: "DeleteLogGroup", Names: "trail"}
	tests := map[string]struct {
		causes  []remedy.Cause
		touched []string
		err     error
		want    int
	}{
		"touched":      {[]remedy.Cause{advised("other", "trail")}, []string{"trail"}, nil, 1},
		"untouched":    {[]remedy.Cause{advised("other")}, []string{"trail"}, nil, 0},
		"unnamed":      {[]remedy.Cause{advised()}, nil, nil, 1},
		"no advice":    {[]remedy.Cause{plain}, []string{"trail"}, nil, 0},
		"unread":       {[]remedy.Cause{advised("other")}, nil, errors.New("throttled"), 1},
		"plain unread": {[]remedy.Cause{plain}, nil, errors.New("throttled"), 0},
		"one of two":   {[]remedy.Cause{advised("trail"), plain}, []string{"trail"}, nil, 1},
		"not an event": {nil, []string{"trail"}, nil, 0},
	}
	for name, tt := range tests {
		rep := remedy.Report{Scope: remedy.Scope{Names: "other\ntrail"}, Causes: tt.causes, Err: tt.err, Plan: plan.Plan{Touched: tt.touched}}
		if got := len(rep.Notices()); got != tt.want || rep.Alerts() != (tt.want > 0) {
			t.Errorf("%s: %d notices, alerts %t; want %d", name, got, rep.Alerts(), tt.want)
		}
	}
	merged := remedy.Report{Causes: []remedy.Cause{advised("other")}}
	if len(merged.Notices()) != 1 {
		t.Error("a look at all of a type cannot tell whose the name was, and tells nobody")
	}
	finding := remedy.Report{Plan: plan.Plan{Findings: []plan.Finding{{Subject: "s", Alert: true}}}}
	if finding.Alerts() {
		t.Error("a sweep's finding alerts; the sweep's own alarm speaks for it")
	}
	if finding.Causes = []remedy.Cause{plain}; !finding.Alerts() {
		t.Error("a finding that an event led to does not alert")
	}
}

// allAdopted makes whatever others made count.
func allAdopted(context.Context) (plan.Adopted, error) { return plan.Adopted{All: true}, nil }
