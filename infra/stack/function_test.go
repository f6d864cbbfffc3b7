package stack_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/aws/jsii-runtime-go"
	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/infra/stack"
	"github.com/relight-aws/relight/internal/catalog"
)

func TestFunctions(t *testing.T) {
	tests := []struct {
		app          app
		prefix, arch string
	}{
		{defaults(), "relight", "arm64"},
		{custom(), "acme", "x86_64"},
	}
	for _, tt := range tests {
		s := tt.app[tt.prefix].template
		topic, _ := s.named(t, "AWS::SNS::Topic", "Topic")
		for id, r := range s.of("AWS::Lambda::Function") {
			p := r.Properties
			name := text(p["FunctionName"])
			timeout := 60.0
			if name == tt.prefix+"-backfill" || name == tt.prefix+"-audit" {
				timeout = 900
			}
			if seconds(p["Timeout"]) != timeout || seconds(p["MemorySize"]) != 256 {
				t.Errorf("%s: %v s and %v MB, want %v s and 256 MB", name, p["Timeout"], p["MemorySize"], timeout)
			}
			if text(p["Runtime"]) != "provided.al2023" || text(p["Handler"]) != "bootstrap" || text(p["Architectures"]) != `["`+tt.arch+`"]` {
				t.Errorf("%s runs %s of %s on %s", name, p["Handler"], p["Runtime"], text(p["Architectures"]))
			}
			role := "${" + strings.TrimPrefix(name, tt.prefix+"-") + "Role"
			env, _ := at(p, "Environment", "Variables").(map[string]any)
			vars := 12
			if timeout == 60 { // it puts events off to its own queue, and to no delayed one
				vars++
				if q := text(env[catalog.EnvQueue]); !strings.HasPrefix(q, "${"+strings.TrimPrefix(name, tt.prefix+"-")+"Queue") {
					t.Errorf("%s puts events off to %s", name, q)
				}
			}
			if len(env) != vars || !strings.HasPrefix(text(env[catalog.EnvLastResort]), "${LastResort") || env[catalog.EnvDeadLetters] == nil || !strings.HasPrefix(text(env[catalog.EnvSchedule]), tt.prefix+"-sweep-") || !strings.HasPrefix(text(env[catalog.EnvScheduleRole]), "${scheduleScheduleRole") || text(env[catalog.EnvAccount]) != "${AWS::AccountId}" || text(env[catalog.EnvHomeRegion]) != home ||
				text(env[catalog.EnvTopic]) != ref(topic) || !strings.HasPrefix(text(env[catalog.EnvTopicKey]), "${Key") || !strings.HasPrefix(text(env[catalog.EnvDeliveryRole]), "${DeliveryRole") ||
				!strings.HasPrefix(text(env[catalog.EnvRole]), role) || !strings.HasPrefix(text(env[catalog.EnvSweepRole]), "${backfillRole") {
				t.Errorf("%s: environment %v", name, env)
			}
			group := s.Resources[strings.Trim(text(at(p, "LoggingConfig", "LogGroup")), "${}")]
			if text(group.Properties["LogGroupName"]) != "/aws/lambda/"+name+"-"+text(env[catalog.EnvLogs]) || text(env[catalog.EnvLogs]) != stackPart ||
				seconds(group.Properties["RetentionInDays"]) != 90 || group.DeletionPolicy != "RetainExceptOnCreate" || group.UpdateReplacePolicy != "Retain" {
				t.Errorf("%s logs to %+v", id, group)
			}
		}
	}
}

// The schedule also starts the first sweep after a deployment. Without a start
// date it starts at once, CloudFormation creates it last, and a change of the
// code creates a new schedule.
func TestSweep(t *testing.T) {
	s := defaults()["relight"].template
	fn, _ := s.function(t, "relight-backfill")
	schedule := s.schedule(t, "OFF")
	p := schedule.Properties
	if text(p["ScheduleExpression"]) != "rate(15 minutes)" || p["StartDate"] != nil || text(p["State"]) == "DISABLED" {
		t.Errorf("schedule %s from %v, want rate(15 minutes) without a start date", p["ScheduleExpression"], p["StartDate"])
	}
	if got := text(at(p, "Target", "Arn")); got != arn(fn) {
		t.Errorf("schedule invokes %s, want %s", got, fn)
	}
	var input struct {
		Kinds []catalog.Kind
		Mode  catalog.Mode
	}
	if err := json.Unmarshal([]byte(text(at(p, "Target", "Input"))), &input); err != nil || !slices.Equal(input.Kinds, catalog.Kinds()) || input.Mode != catalog.Repair {
		t.Errorf("schedule asks for %+v, %v; want every kind repaired", input, err)
	}
	for _, typ := range []string{"AWS::Lambda::EventSourceMapping", "AWS::Events::Rule", "AWS::Lambda::EventInvokeConfig"} {
		for id := range s.of(typ) {
			if !slices.Contains(schedule.DependsOn, id) {
				t.Errorf("the first sweep does not wait for %s", id)
			}
		}
	}

	name := func(a app) any {
		return a["relight"].template.schedule(t, "OFF").Properties["Name"]
	}
	was := name(defaults())
	if again := name(synth(`{}`, stack.ARM64, home)); again != was {
		t.Errorf("schedule %v became %v with nothing changed", was, again)
	}
	if other := name(synth(`{"trailLogs":{"retentionDays":400}}`, stack.ARM64, home)); other == was {
		t.Errorf("schedule is still %v with another configuration, so no sweep would follow", other)
	}
}

// schedule returns the only schedule with a mode of its flexible time window, other
// than those of the daily digest and of audits.
func (s template) schedule(t *testing.T, mode string) resource {
	t.Helper()
	var found []resource
	for _, r := range s.of("AWS::Scheduler::Schedule") {
		if description := r.Properties["Description"]; text(at(r.Properties, "FlexibleTimeWindow", "Mode")) == mode && description != catalog.DigestDescription && description != catalog.AuditDescription {
			found = append(found, r)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d schedules with a flexible time window %s, want one", len(found), mode)
	}
	return found[0]
}

// A second schedule sweeps at a time that nobody can know before: at any time of
// each interval. In all else it is like the first.
func TestUnannouncedSweep(t *testing.T) {
	for minutes, s := range map[float64]template{15: defaults()["relight"].template, 30: custom()["acme"].template} {
		fixed, random := s.schedule(t, "OFF"), s.schedule(t, "FLEXIBLE")
		if got := at(random.Properties, "FlexibleTimeWindow", "MaximumWindowInMinutes"); got != minutes {
			t.Errorf("the window is %v minutes, want %v", got, minutes)
		}
		for _, property := range []string{"ScheduleExpression", "Target", "State", "StartDate"} {
			if diff := cmp.Diff(fixed.Properties[property], random.Properties[property]); diff != "" {
				t.Errorf("%s (-fixed +random):\n%s", property, diff)
			}
		}
	}
}

// Failed sweeps, and invocations that the schedule could not deliver, go to
// queues that an alarm watches.
func TestSweepFailures(t *testing.T) {
	s := custom()["acme"].template
	_, async := s.only(t, "AWS::Lambda::EventInvokeConfig")
	schedule := s.schedule(t, "OFF")
	var queues []string
	for id := range s.of("AWS::SQS::Queue") {
		queues = append(queues, arn(id))
	}
	failed := text(at(async.Properties, "DestinationConfig", "OnFailure", "Destination"))
	undelivered := text(at(schedule.Properties, "Target", "DeadLetterConfig", "Arn"))
	if !slices.Contains(queues, failed) || !slices.Contains(queues, undelivered) || failed == undelivered {
		t.Errorf("failed sweeps go to %s, undelivered ones to %s; want two queues of the stack", failed, undelivered)
	}
	if q := async.Properties["Qualifier"]; q != "$LATEST" || seconds(async.Properties["MaximumEventAgeInSeconds"]) != 1800 {
		t.Errorf("asynchronous invocations of %v expire after %v s, want those of $LATEST to expire at the next sweep", q, async.Properties["MaximumEventAgeInSeconds"])
	}
}

func TestStacks(t *testing.T) {
	if got := len(defaults()); got != 2 {
		t.Errorf("%d stacks by default, want the home stack and the forwarder of IAM's events", got)
	}
	if got := len(custom()); got != 3 {
		t.Errorf("%d stacks with one further region, want 3", got)
	}
	for name, s := range custom() {
		want := map[string]*string{"relight": jsii.String("acme"), "team": jsii.String("security")}
		for k, v := range want {
			if got := s.tags[k]; got == nil || *got != *v {
				t.Errorf("%s: tag %s is %v, want %s", name, k, got, *v)
			}
		}
		if !s.protected {
			t.Errorf("%s is not protected against termination as configured", name)
		}
	}
	if defaults()["relight"].protected {
		t.Error("protected against termination although the configuration does not ask for it")
	}
}
