package stack_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/config"
	"github.com/relight-aws/relight/internal/iampolicy"
	"github.com/relight-aws/relight/internal/plan"
)

// What relight restores of its own stacks is exactly what the stacks have: every rule
// with its bus, pattern and target, and the schedule. Neither may know a part that
// the other does not. That holds for the home stack and for each forwarder.
func TestGuardIsTheStack(t *testing.T) {
	for _, tt := range []struct {
		configuration string
		app           app
		home          string
	}{
		{`{}`, defaults(), home},
		{graceConfig, graceful(), home},
		{`{"regions": ["` + home + `"]}`, american(), global},
		{hubConfig, hub(), home},
	} {
		c, err := config.Parse([]byte(tt.configuration))
		if err != nil {
			t.Fatal(err)
		}
		if want := 1 + len(c.Baseline().Forwarders(tt.home)); len(tt.app) != want {
			t.Errorf("%s: %d stacks, want %d", tt.configuration, len(tt.app), want)
		}
		for name, st := range tt.app {
			checkGuard(t, tt.configuration+" "+name, c, tt.home, st)
		}
	}
}

func checkGuard(t *testing.T, configuration string, c config.Config, home string, st synthesized) {
	t.Helper()
	s, region := st.template, st.region
	queueName := func(arn string) string {
		for id, q := range s.of("AWS::SQS::Queue") {
			if arn == "${"+id+".Arn}" {
				return text(q.Properties["QueueName"])
			}
		}
		return arn
	}
	d := c.Desired(catalog.Deployment{
		Account: "111122223333", HomeRegion: home, Schedule: "relight-sweep-x",
	})
	parts, bus := d.Parts(home, region), ""
	if parts.Sweeps {
		bus, _ = s.only(t, "AWS::Events::EventBus")
		d.ScheduleRole = text(at(function(t, s, "relight-guard"), "Environment", "Variables", catalog.EnvScheduleRole))
		d.Logs = text(at(function(t, s, "relight-guard"), "Environment", "Variables", catalog.EnvLogs))
		parts = d.Parts(home, region)
	}
	roleName := func(v any) string {
		if v == nil {
			return ""
		}
		arn := text(v)
		for id, r := range s.of("AWS::IAM::Role") {
			if arn == "${"+id+".Arn}" {
				return "role/" + text(r.Properties["RoleName"])
			}
		}
		return arn
	}
	want := map[string]string{}
	for _, r := range parts.Rules {
		target := plan.WantedTarget(d, r)
		on := ""
		if r.Bus != "" {
			on = ref(bus)
		}
		want["rule "+on+" "+r.Name] = fmt.Sprint(sorted(t, r.Pattern), " ", r.Description(), " ", target.ID, " ", last(target.ARN), " ", last(target.Role), " ", last(target.DeadLetters), " ", target.Age, " ", target.Retries, " ", target.Alters)
	}
	for _, group := range parts.Logs {
		want["log group "+group] = fmt.Sprint(catalog.LogDays)
	}
	for _, q := range parts.Queues {
		attributes := plan.WantedQueue(d, q)
		delete(attributes, "MaximumMessageSize") // the stack leaves these to AWS
		delete(attributes, "RedriveAllowPolicy")
		delete(attributes, "KmsMasterKeyId")
		for name, value := range attributes {
			want["queue "+q.Name+" "+name] = value
		}
	}
	for _, m := range parts.Mappings {
		one := plan.WantedMapping(d, m)
		want["mapping "+m.Queue+" "+last(one.Function)] = fmt.Sprint(one.On, " ", one.Batch, " ", one.Window, " ", one.AtOnce, " ", one.Partial, " ", one.Filtered)
	}
	for name, schedule := range plan.WantedSchedules(d) {
		if !parts.Sweeps {
			break
		}
		want["schedule "+name] = fmt.Sprint(schedule.State, " ", schedule.Expression, " ", schedule.Window, " ", schedule.Description, " ", schedule.Bounded, " ", last(schedule.Target), " ", schedule.Role, " ",
			schedule.Input, " ", last(schedule.DeadLetters), " ", schedule.Age, " ", schedule.Retries)
	}

	got := map[string]string{}
	for _, r := range s.of("AWS::Events::Rule") {
		p := r.Properties
		on := ""
		if b := p["EventBusName"]; b != nil {
			on = text(b)
		}
		one := at(p, "Targets", 0)
		alters := at(one, "Input") != nil || at(one, "InputPath") != nil || at(one, "InputTransformer") != nil
		age, retries := fmt.Sprint(catalog.UsualAge), fmt.Sprint(catalog.UsualRetries)
		if policy := at(one, "RetryPolicy"); policy != nil {
			age, retries = text(at(policy, "MaximumEventAgeInSeconds")), text(at(policy, "MaximumRetryAttempts"))
		}
		got["rule "+on+" "+text(p["Name"])] = fmt.Sprint(text(p["EventPattern"]), " ", text(p["Description"]), " ", text(at(one, "Id")), " ", last(queueName(text(at(one, "Arn")))), " ", last(roleName(at(one, "RoleArn"))), " ",
			queueName(text(at(one, "DeadLetterConfig", "Arn"))), " ", age, " ", retries, " ", alters)
	}
	for _, r := range s.of("AWS::Logs::LogGroup") {
		got["log group "+text(r.Properties["LogGroupName"])] = text(r.Properties["RetentionInDays"])
	}
	for id, r := range s.of("AWS::SQS::Queue") {
		p := r.Properties
		name := text(p["QueueName"])
		for attribute, otherwise := range map[string]string{"DelaySeconds": "0", "MessageRetentionPeriod": "345600", "SqsManagedSseEnabled": "", "VisibilityTimeout": ""} {
			if value := text(p[attribute]); p[attribute] != nil {
				got["queue "+name+" "+attribute] = value
			} else if otherwise != "" {
				got["queue "+name+" "+attribute] = otherwise
			}
		}
		if dead := at(p, "RedrivePolicy", "deadLetterTargetArn"); dead != nil {
			got["queue "+name+" RedrivePolicy"] = fmt.Sprintf(`{"deadLetterTargetArn":"arn:aws:sqs:%s:111122223333:%s","maxReceiveCount":%s}`, home, queueName(text(dead)), text(at(p, "RedrivePolicy", "maxReceiveCount")))
		}
		for _, policy := range s.of("AWS::SQS::QueuePolicy") {
			if text(at(policy.Properties, "Queues", 0)) == "${"+id+"}" {
				attribute, arn := "queue "+name+" Policy", "arn:aws:sqs:"+region+":111122223333:"+name
				fill := strings.NewReplacer("${"+id+".Arn}", arn, "${AWS::Partition}", "aws", "${AWS::AccountId}", "111122223333").Replace
				raw, err := json.Marshal(filled(policy.Properties["PolicyDocument"], fill))
				if err != nil {
					t.Fatal(err)
				}
				if got[attribute] = string(raw); iampolicy.Same(want[attribute], got[attribute]) {
					got[attribute] = want[attribute]
				}
			}
		}
		if p["KmsMasterKeyId"] != nil || p["RedriveAllowPolicy"] != nil || p["MaximumMessageSize"] != nil {
			t.Errorf("%s has settings that relight does not know", name)
		}
	}
	for _, r := range s.of("AWS::Lambda::EventSourceMapping") {
		p := r.Properties
		id := strings.TrimSuffix(strings.TrimPrefix(text(p["FunctionName"]), "${"), "}")
		got["mapping "+queueName(text(p["EventSourceArn"]))+" "+text(s.Resources[id].Properties["FunctionName"])] = fmt.Sprint(p["Enabled"] == nil || p["Enabled"] == true, " ", text(p["BatchSize"]), " ", text(p["MaximumBatchingWindowInSeconds"]), " ",
			text(at(p, "ScalingConfig", "MaximumConcurrency")), " ", text(at(p, "FunctionResponseTypes", 0)) == catalog.PartialFailures, " ", p["FilterCriteria"] != nil)
	}
	var named string
	for _, r := range s.of("AWS::Scheduler::Schedule") {
		p, to := r.Properties, at(r.Properties, "Target")
		state, name, window := "ENABLED", text(p["Name"]), "0" // ENABLED is the default
		if p["State"] != nil {
			state = text(p["State"])
		}
		if name != "relight-unannounced-sweep" && name != "relight-daily-digest" {
			named, name = name, "relight-sweep-x"
		}
		if w := at(p, "FlexibleTimeWindow", "MaximumWindowInMinutes"); w != nil {
			window = text(w)
		}
		backfill, _ := s.function(t, "relight-backfill")
		target := text(at(to, "Arn"))
		if target == arn(backfill) {
			target = "function:relight-backfill"
		}
		for id, m := range s.of("AWS::StepFunctions::StateMachine") {
			if target == arn(id) {
				target = "stateMachine:" + text(m.Properties["StateMachineName"])
			}
		}
		got["schedule "+name] = fmt.Sprint(state, " ", text(p["ScheduleExpression"]), " ", window, " ", text(p["Description"]), " ", p["StartDate"] != nil || p["EndDate"] != nil, " ",
			last(target), " ", text(at(to, "RoleArn")), " ", text(at(to, "Input")), " ", queueName(text(at(to, "DeadLetterConfig", "Arn"))), " ",
			text(at(to, "RetryPolicy", "MaximumEventAgeInSeconds")), " ", text(at(to, "RetryPolicy", "MaximumRetryAttempts")))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-catalog +stack):\n%s", configuration, diff)
	}
	if !parts.Sweeps {
		return
	}
	// The function knows the schedule under its real name.
	for _, f := range []string{"relight-guard", "relight-backfill"} {
		if got := text(at(function(t, s, f), "Environment", "Variables", catalog.EnvSchedule)); got != named {
			t.Errorf("%s takes %s for the schedule, want %s", f, got, named)
		}
	}
}

// filled returns a property with each reference in it replaced by a text.
func filled(v any, fill func(string) string) any {
	switch v := v.(type) {
	case string:
		return fill(v)
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = filled(e, fill)
		}
		return out
	case map[string]any:
		if v["Ref"] != nil || v["Fn::GetAtt"] != nil || v["Fn::Join"] != nil {
			return fill(text(v))
		}
		out := map[string]any{}
		for k, e := range v {
			out[k] = filled(e, fill)
		}
		return out
	}
	return v
}

func function(t *testing.T, s template, name string) map[string]any {
	t.Helper()
	_, fn := s.function(t, name)
	return fn.Properties
}

// last returns the last part of an ARN.
func last(arn string) string {
	for i := len(arn) - 1; i >= 0; i-- {
		if arn[i] == ':' {
			return arn[i+1:]
		}
	}
	return arn
}

// No role's policies are longer than IAM accepts. Source: IAM User Guide, "IAM and
// AWS STS quotas": 10,240 characters of inline policies and 6,144 of a managed one, white
// space not counted.
func TestRolesFit(t *testing.T) {
	for _, f := range full {
		for name, s := range f.app() {
			for id, r := range s.of("AWS::IAM::Role") {
				size := 0
				for _, p := range list(r.Properties["Policies"]) {
					size += len(document(at(p, "PolicyDocument"), f.partition, s.region))
				}
				if size > 10240 {
					t.Errorf("%s: %s has %d characters of policies", name, id, size)
				}
			}
			for id, p := range s.of("AWS::IAM::ManagedPolicy") {
				if size := len(document(at(p.Properties, "PolicyDocument"), f.partition, s.region)); size > 6144 {
					t.Errorf("%s: %s has %d characters", name, id, size)
				}
			}
		}
	}
}

// document renders a policy document as IAM gets it. What a reference stands for
// is longer here than it is on AWS: a name has at most 80 characters.
func document(v any, partition, region string) string {
	switch v := v.(type) {
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = document(e, partition, region)
		}
		return "[" + strings.Join(parts, ",") + "]"
	case map[string]any:
		if v["Ref"] != nil || v["Fn::GetAtt"] != nil || v["Fn::Join"] != nil {
			filled := strings.NewReplacer("${AWS::Partition}", partition, "${AWS::AccountId}", "111122223333", "${AWS::Region}", region, stackPart, "0a1b2c3d").Replace(text(v))
			return `"` + resolved.ReplaceAllString(filled, "arn:"+partition+":service:"+region+":111122223333:"+strings.Repeat("x", 64)) + `"`
		}
		var parts []string
		for _, k := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, `"`+k+`":`+document(v[k], partition, region))
		}
		return "{" + strings.Join(parts, ",") + "}"
	}
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

// resolved matches a reference to a resource.
var resolved = regexp.MustCompile(`\$\{[^}]+\}`)
