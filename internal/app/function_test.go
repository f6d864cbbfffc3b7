package app_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cftypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/events"
	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/awstest"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
)

// putCode replaces the code of a function.
func (w *world) putCode(function, code string) {
	w.t.Helper()
	must(w.Lambda.UpdateFunctionCode(w.t.Context(), &lambda.UpdateFunctionCodeInput{FunctionName: aws.String(function), ZipFile: []byte(code)}))
}

// reconfigure changes settings of a function.
func (w *world) reconfigure(function string, in lambda.UpdateFunctionConfigurationInput) {
	w.t.Helper()
	in.FunctionName = aws.String(function)
	must(w.Lambda.UpdateFunctionConfiguration(w.t.Context(), &in))
}

// updated makes the stack one that a deployment changed at that time.
func (w *world) updated(at time.Time, status cftypes.StackStatus) {
	w.SetStack(home, cftypes.Stack{StackName: aws.String("relight"), StackStatus: status, CreationTime: aws.Time(w.now.Add(-48 * time.Hour)), LastUpdatedTime: aws.Time(at)})
}

// everyTurn is how many intervals pass until sweeps have read every function in turn.
var everyTurn = 2 * len(catalog.Functions())

// changedFunctions sweeps in some intervals, and returns what the last sweep says of
// functions that changed.
func (w *world) changedFunctions(intervals int) (found []string) {
	w.t.Helper()
	for range intervals {
		w.now = w.now.Add(15 * time.Minute)
		found = nil
		for _, r := range w.sweep(app.Request{Kinds: []catalog.Kind{catalog.Guard}}).Reports {
			for _, f := range r.Findings {
				if f.Code == string(plan.GuardFunctionChanged) {
					found = append(found, f.Subject+f.Problem[strings.LastIndex(f.Problem, ":"):])
				}
			}
		}
	}
	return found
}

const ownVariable = "NAME" // of a function's environment

// functionHarms are the ways to make one of relight's functions another one, and what a
// finding says of each.
var functionHarms = map[string]struct {
	do   func(w *world, function string)
	says string
}{
	"code": {func(w *world, f string) { w.putCode(f, "return") }, "code"},
	"role": {func(w *world, f string) {
		w.reconfigure(f, lambda.UpdateFunctionConfigurationInput{Role: aws.String("arn:aws:iam::111122223333:role/mallory")})
	}, "role"},
	"a layer": {func(w *world, f string) {
		w.reconfigure(f, lambda.UpdateFunctionConfigurationInput{Layers: []string{"arn:aws:lambda:us-east-1:444455556666:layer:wrapper:1"}})
	}, "Layers"},
	"a variable": {func(w *world, f string) {
		w.reconfigure(f, lambda.UpdateFunctionConfigurationInput{Environment: &lambdatypes.Environment{Variables: map[string]string{ownVariable: f, "AWS_ENDPOINT_URL": "https://198.51.100.7/hidden"}}})
	}, "environment variable AWS_ENDPOINT_URL"},
	"another variable": {func(w *world, f string) {
		w.reconfigure(f, lambda.UpdateFunctionConfigurationInput{Environment: &lambdatypes.Environment{Variables: map[string]string{ownVariable: "hidden"}}})
	}, "environment variable " + ownVariable},
	"very many variables": {func(w *world, f string) {
		many := map[string]string{}
		for i := range 200 {
			many["V"+strings.Repeat("x", i+1)] = "v"
		}
		w.reconfigure(f, lambda.UpdateFunctionConfigurationInput{Environment: &lambdatypes.Environment{Variables: many}})
	}, "Environment, environment variable " + ownVariable},
	"timeout": {func(w *world, f string) {
		w.reconfigure(f, lambda.UpdateFunctionConfigurationInput{Timeout: aws.Int32(1)})
	}, "Timeout"},
	"memory": {func(w *world, f string) {
		w.reconfigure(f, lambda.UpdateFunctionConfigurationInput{MemorySize: aws.Int32(128)})
	}, "MemorySize"},
	"handler": {func(w *world, f string) {
		w.reconfigure(f, lambda.UpdateFunctionConfigurationInput{Handler: aws.String("other")})
	}, "Handler"},
	"key": {func(w *world, f string) {
		w.reconfigure(f, lambda.UpdateFunctionConfigurationInput{KMSKeyArn: aws.String("arn:aws:kms:us-east-1:111122223333:key/theirs")})
	}, "KMSKeyArn"},
}

// A sweep finds what somebody changed of relight's own functions although no event said
// so. relight reports it until it is undone, and changes no function.
func TestFunctionChangedWithoutEvent(t *testing.T) {
	t.Parallel()
	for name, harm := range functionHarms {
		for function, intervals := range map[string]int{"relight-guard": 2, "relight-alarms": everyTurn, "relight-backfill": everyTurn} {
			if intervals > 2 && name != "code" {
				continue // each sweep reads the guard's own function
			}
			t.Run(name+" of "+function, func(t *testing.T) {
				t.Parallel()
				w := healthy(t, few)
				w.anHour()
				harm.do(w, function)
				harmed, writes := w.State(), len(w.Writes())
				var found []string
				told := w.mailOf(func() { found = w.changedFunctions(intervals) })
				if diff := cmp.Diff([]string{"function " + function + ": " + harm.says}, found); diff != "" {
					t.Errorf("findings (-want +got):\n%s", diff)
				}
				if strings.Count(told, "["+string(plan.GuardFunctionChanged)+"] function "+function) != 1 || strings.Contains(told+w.log.String(), "hidden") {
					t.Errorf("people read %q", told)
				}
				if diff := cmp.Diff(harmed, w.State()); diff != "" {
					t.Errorf("relight changed (-before +after):\n%s", diff)
				}
				if slices.ContainsFunc(w.Writes()[writes:], func(write awstest.Write) bool { return strings.Contains(write.Target, ":function:") }) {
					t.Errorf("writes %v", w.Writes()[writes:])
				}
				if told := w.digest(); !strings.Contains(told, "function "+function) {
					t.Errorf("the digest says %q", told)
				}
				w.putCode(function, function)
				w.reconfigure(function, lambda.UpdateFunctionConfigurationInput{
					Role: aws.String("arn:aws:iam::111122223333:role/" + function), Layers: []string{}, Timeout: aws.Int32(60), MemorySize: aws.Int32(256), Handler: aws.String("bootstrap"), KMSKeyArn: aws.String(""),
					Environment: &lambdatypes.Environment{Variables: map[string]string{ownVariable: function}},
				})
				if s := w.sweep(app.Request{}); s.Findings != 0 {
					t.Errorf("put back, but %v", codes(s))
				}
			})
		}
	}
}

// A deployment makes functions others, and is no finding. relight learns from the next
// sweep on what they are, and only once.
func TestFunctionChangedByDeployment(t *testing.T) {
	t.Parallel()
	const function = "relight-alarms"
	w := healthy(t, few)
	w.anHour()
	w.anHour()
	for _, f := range catalog.Functions() {
		w.putCode("relight-"+string(f), "next "+string(f))
	}
	w.updated(w.now.Add(-time.Minute), cftypes.StackStatusUpdateInProgress)
	memory := w.parameter(adoptedMemory)
	if s := w.sweep(app.Request{}); s.Findings != 0 || w.parameter(adoptedMemory) != memory {
		t.Errorf("while CloudFormation changes the stack: %v; learned %t", codes(s), w.parameter(adoptedMemory) != memory)
	}
	w.updated(w.now.Add(-time.Minute), cftypes.StackStatusUpdateComplete)
	before := w.Calls()
	if s := w.sweep(app.Request{}); s.Findings != 0 || w.Calls().Since(before)["GetFunction"] != len(catalog.Functions()) {
		t.Errorf("after the deployment %v; calls %v", codes(s), w.Calls().Since(before))
	}
	before = w.Calls()
	if s := w.sweep(app.Request{}); s.Findings != 0 || w.Calls().Since(before)["GetFunction"] > 2 {
		t.Errorf("later %v; calls %v", codes(s), w.Calls().Since(before))
	}
	w.putCode(function, "return")
	if got := w.changedFunctions(everyTurn); !slices.Equal(got, []string{"function " + function + ": code"}) {
		t.Errorf("changed after the deployment, but %v", got)
	}
	w.updated(w.now, cftypes.StackStatusUpdateComplete)
	if got := w.changedFunctions(everyTurn); !slices.Equal(got, []string{"function " + function + ": code"}) {
		t.Errorf("a deployment that left the function alone hides it: %v", got)
	}
	w.putCode(function, "the version after next")
	w.updated(w.now, cftypes.StackStatusUpdateComplete)
	if got := w.changedFunctions(everyTurn); len(got) > 0 {
		t.Errorf("a deployment has replaced it, but %v", got)
	}
	w.putCode("relight-guard", "return")

	w.SetStack(home, cftypes.Stack{
		StackName: aws.String("relight"), StackStatus: cftypes.StackStatusDeleteInProgress, CreationTime: aws.Time(w.now.Add(-48 * time.Hour)), DeletionTime: aws.Time(w.now),
		LastUpdatedTime: aws.Time(w.now.Add(-time.Duration(everyTurn) * 15 * time.Minute)),
	})
	if s := w.sweep(app.Request{}); s.Findings != 0 {
		t.Errorf("while CloudFormation deletes the stack: %v", codes(s))
	}
}

// A deployment that ends while a sweep reads the functions is not taken for somebody
// else's change.
func TestDeploymentDuringSweep(t *testing.T) {
	t.Parallel()
	w := healthy(t, few)
	w.anHour()
	w.putCode("relight-backfill", "return") // it is read after the others once a sweep has found that
	if got := w.changedFunctions(everyTurn); len(got) != 1 {
		t.Fatalf("changed %v", got)
	}
	w.now = w.now.Add(15 * time.Minute) // nor is it the turn of this function
	stacks := 0
	w.stall = func(_ context.Context, operation string) error {
		if operation == "DescribeStacks" {
			stacks++
		}
		if operation == "GetFunction" && stacks == 1 { // it reads those that the deployment may have changed
			stacks++
			w.now = w.now.Add(2 * time.Hour)
			for _, f := range catalog.Functions() {
				w.putCode("relight-"+string(f), "next")
			}
			w.updated(w.now, cftypes.StackStatusUpdateComplete)
		}
		return nil
	}
	guard := app.Request{Kinds: []catalog.Kind{catalog.Guard}, Regions: []string{home}}
	w.sweep(guard)
	if stacks != 3 {
		t.Errorf("the stack was read %d times, want 2", stacks-1)
	}
	w.stall = nil
	if s := w.sweep(guard); s.Findings != 0 {
		t.Errorf("the next sweep: %v", codes(s))
	}
	if got := w.changedFunctions(everyTurn); len(got) > 0 {
		t.Error(got)
	}
}

// What relight remembers of its functions counts only if its sweep wrote it.
func TestFunctionMemory(t *testing.T) {
	t.Parallel()
	const function = "relight-guard" // which each sweep reads
	changed := string(plan.GuardFunctionChanged)
	for name, tt := range map[string]struct {
		harm  func(w *world)
		codes []string // of the next sweep's findings
		later []string // of the one after it
	}{
		"written by somebody who knows the new code": {func(w *world) {
			other := healthy(t, few)
			other.putCode(function, "return")
			other.updated(other.now, cftypes.StackStatusUpdateComplete)
			other.sweep(app.Request{})
			w.putAs(writers["a user"], adoptedMemory, other.parameter(adoptedMemory))
		}, []string{"memory-foreign", changed}, []string{changed}},
		"deleted":        {func(w *world) { w.deleteParameters(adoptedMemory) }, []string{"memory-missing"}, nil},
		"unreadable":     {func(w *world) { w.putAs(sessionOf(catalog.Backfill), adoptedMemory, "{") }, []string{"memory-unusable"}, []string{"memory-unusable"}},
		"not to be read": {func(w *world) { w.Deny("GetParameterHistory") }, []string{"memory-unusable", "trail-memory-unusable"}, []string{"memory-unusable", "trail-memory-unusable"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := healthy(t, few)
			w.anHour()
			w.putCode(function, "return")
			tt.harm(w)
			for i, want := range [][]string{tt.codes, tt.later} {
				before := w.Calls()
				got := codes(w.sweep(app.Request{}))
				if n := w.Calls().Since(before)["GetFunction"]; n > 2 && name != "deleted" {
					t.Errorf("sweep %d: it read functions %d times", i, n)
				}
				slices.Sort(got)
				slices.Sort(want)
				if diff := cmp.Diff(want, slices.Compact(got)); diff != "" {
					t.Errorf("sweep %d: findings (-want +got):\n%s", i, diff)
				}
			}
		})
	}
}

// If the function of the sweep is replaced, no sweep says so: the guard's does, once
// any function has it check the stack.
func TestSweepFunctionChanged(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		harm func(*world)
		says string
	}{
		"nothing":  {func(*world) {}, ""},
		"replaced": {func(w *world) { w.putCode("relight-backfill", "return") }, "[guard-function-changed] function relight-backfill"},
		"reconfigured": {func(w *world) {
			w.reconfigure("relight-backfill", lambda.UpdateFunctionConfigurationInput{Timeout: aws.Int32(1)})
		}, "[guard-function-changed] function relight-backfill"},
		"deleted": {func(w *world) { w.DeleteFunction(home, "relight-backfill") }, "[guard-function-gone] function relight-backfill"},
		"another function's code, which sweeps report": {func(w *world) { w.putCode("relight-guard", "return") }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := healthy(t, few)
			w.anHour()
			tt.harm(w)
			check := []byte(`{"repair":"guard"}`)
			guard := w.app(catalog.Function(catalog.Guard))
			for i := range 2 { // a process says it once
				told := w.mailOf(func() { must(guard.HandleEvent(t.Context(), check)) })
				if !strings.Contains(told, tt.says) || (told == "") != (tt.says == "") {
					t.Errorf("check %d: people read %q, want %q", i, told, tt.says)
				}
				tt.says = ""
			}
		})
	}
}

// Calls on functions say nothing of what sweeps remember, and cost no more reads.
func TestFunctionEventsReadNoMemory(t *testing.T) {
	t.Parallel()
	w := healthy(t, few)
	w.limit("relight-alarms")
	before := w.Calls()
	w.send(events.Read("PutFunctionConcurrency20171031.ours.json"), true)
	if used := w.Calls().Since(before); used["GetParameterHistory"] > 0 || used["GetFunction"] != 2 { // one of them after the repair
		t.Errorf("calls %v", used)
	}
}
