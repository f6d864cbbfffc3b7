package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	lambdaevents "github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/events"
	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/awstest"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/remedy"
	"github.com/relight-aws/relight/internal/spoke"
)

const (
	organizationID = "o-a1b2c3d4e5"
	third          = "777788889999" // an account beside the hub and other
	spokeRole      = "arn:aws:iam::" + other + ":role/relight-spoke"
	memberVPC      = "vpc-0a1b2c3d4e5f60001" // in each account but the hub
)

// hubConfig returns the configuration of a hub, with these keys of organization in
// addition, that operators may pause.
func hubConfig(keys string) string {
	if keys != "" {
		keys = "," + keys
	}
	return `{"pause":{"by":["` + operatorRole + `"]},"organization":{"id":"` + organizationID + `","hubAccount":"` + account + `"` + keys + `}}`
}

// hub returns a healthy hub and two further accounts of its organisation, each with a VPC.
// The first one has the stack of a guarded account.
func hub(t *testing.T, keys string) (w *world, guarded, bare *awstest.Account) {
	t.Helper()
	w, guarded, bare = hubOf(t, hubConfig(keys))
	for _, id := range []string{"Role", "DeliveryRole"} {
		w.makeRole(guarded, id)
	}
	return w, guarded, bare
}

// hubOf returns a healthy hub with a configuration and two further accounts of its
// organisation, each with a VPC and without a stack of relight's.
func hubOf(t *testing.T, configuration string) (w *world, guarded, bare *awstest.Account) {
	t.Helper()
	w = healthy(t, configuration)
	guarded, bare = awstest.New(other, home), awstest.New(third, home)
	for _, a := range []*awstest.Account{guarded, bare} {
		a.PageSize(0)
		a.AddRegion(second, "opt-in-not-required")
		a.AddVPC(home, memberVPC)
	}
	w.org = awstest.NewOrganization(organizationID, w.Account, guarded, bare)
	return w, guarded, bare
}

// makeRole makes a role of the template in an account, as CloudFormation does.
func (w *world) makeRole(a *awstest.Account, id string) {
	w.t.Helper()
	var of struct {
		Resources map[string]struct{ Properties map[string]any }
	}
	if err := json.Unmarshal(must(spoke.Template(w.config, home)), &of); err != nil {
		w.t.Fatal(err)
	}
	properties := resolved(of.Resources[id].Properties, a.ID).(map[string]any)
	text := func(v any) *string { return aws.String(string(must(json.Marshal(v)))) }
	in := &iam.CreateRoleInput{
		RoleName: aws.String(properties["RoleName"].(string)), Description: aws.String(properties["Description"].(string)),
		AssumeRolePolicyDocument: text(properties["AssumeRolePolicyDocument"]),
	}
	for _, tag := range properties["Tags"].([]any) {
		tag := tag.(map[string]any)
		in.Tags = append(in.Tags, iamtypes.Tag{Key: aws.String(tag["Key"].(string)), Value: aws.String(tag["Value"].(string))})
	}
	must(a.IAM.CreateRole(w.t.Context(), in))
	for _, p := range properties["Policies"].([]any) {
		if p, is := p.(map[string]any); is {
			must(a.IAM.PutRolePolicy(w.t.Context(), &iam.PutRolePolicyInput{
				RoleName: in.RoleName, PolicyName: aws.String(p["PolicyName"].(string)), PolicyDocument: text(p["PolicyDocument"]),
			}))
		}
	}
}

// resolved returns a value of the template in an account that owns no trail.
func resolved(v any, account string) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = resolved(e, account)
		}
		return out
	case map[string]any:
		if s, is := v["Fn::Sub"].(string); is {
			return strings.NewReplacer("${AWS::Partition}", "aws", "${AWS::AccountId}", account, "${AWS::Region}", home).Replace(s)
		}
		if v["Fn::If"] != nil {
			return nil
		}
		out := map[string]any{}
		for k, e := range v {
			out[k] = resolved(e, account)
		}
		return out
	}
	return v
}

// from returns a sample event as another account sends it.
func from(account, name string) []byte {
	return []byte(strings.ReplaceAll(string(events.Read(name)), "111122223333", account))
}

// flowLogsOf returns the flow logs of an account in the home region, by what they deliver with.
func flowLogsOf(t *testing.T, a *awstest.Account) (roles []string) {
	t.Helper()
	for _, fl := range must(a.EC2.DescribeFlowLogs(t.Context(), &ec2.DescribeFlowLogsInput{})).FlowLogs {
		roles = append(roles, aws.ToString(fl.ResourceId)+" with "+aws.ToString(fl.DeliverLogsPermissionArn))
	}
	return roles
}

func (w *world) deleteFlowLogsOf(a *awstest.Account) {
	w.t.Helper()
	in := &ec2.DeleteFlowLogsInput{}
	for _, fl := range must(a.EC2.DescribeFlowLogs(w.t.Context(), &ec2.DescribeFlowLogsInput{})).FlowLogs {
		in.FlowLogIds = append(in.FlowLogIds, *fl.FlowLogId)
	}
	if len(in.FlowLogIds) > 0 {
		must(a.EC2.DeleteFlowLogs(w.t.Context(), in))
	}
}

// An event from a guarded account has its flow logs restored there, by a session that says
// which function acts. Nothing of the hub and of other accounts changes, and relight's own
// events from there change nothing.
func TestGuardedAccount(t *testing.T) {
	t.Parallel()
	for role, asBatch := range map[string]bool{"relight-spoke": false, "AuditLights": true} {
		w, guarded, bare := hub(t, `"externalId":"lights","roleName":"`+role+`"`)
		before, told := w.State(), len(w.Messages())
		want := []string{memberVPC + " with arn:aws:iam::" + other + ":role/relight-delivery"}
		for _, event := range []string{"CreateVpc.default.json", "DeleteFlowLogs.one.json"} {
			if again, errs := w.send(from(other, event), asBatch); len(errs)+len(again) > 0 {
				t.Fatalf("%s: %v, again %v", event, errs, again)
			}
			if diff := cmp.Diff(want, flowLogsOf(t, guarded)); diff != "" {
				t.Fatalf("%s: (-want +got):\n%s%s", event, diff, w.log.String())
			}
			w.deleteFlowLogsOf(guarded)
		}
		w.send(from(other, "DeleteFlowLogs.one.json"), asBatch)
		if got := flowLogsOf(t, guarded); len(got) != 1 {
			t.Errorf("flow logs %v, want one", got)
		}
		if diff := cmp.Diff(before, w.State()); diff != "" {
			t.Errorf("the hub changed (-before +after):\n%s", diff)
		}
		if calls := bare.Calls(); len(calls) > 0 {
			t.Errorf("calls in an account without events: %v", calls)
		}
		for _, s := range w.org.Sessions() {
			want := awstest.Session{By: sessionOf("flowlogs"), Role: "arn:aws:iam::" + other + ":role/" + role, Name: "relight-flowlogs", Tags: map[string]string{"relight-function": "flowlogs"}}
			if diff := cmp.Diff(want, s); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		}
		if said := w.told(told); !strings.Contains(said, other) {
			t.Errorf("no message names the account:\n%s", said)
		}

		own := "arn:aws:sts::" + other + ":assumed-role/" + role + "/relight-flowlogs"
		echo := []byte(strings.NewReplacer("arn:aws:iam::"+other+":user/Alice", own, "64c51541", "64c51542").Replace(string(from(other, "DeleteFlowLogs.one.json"))))
		writes := len(guarded.Writes())
		w.send(echo, asBatch)
		if got := len(guarded.Writes()); got != writes {
			t.Errorf("%d writes after an event of relight's own", got-writes)
		}
		w.deleteFlowLogsOf(guarded)
		told = len(w.Messages())
		must(w.app(catalog.Function(catalog.FlowLogs)).HandleEvent(t.Context(), batch(from(other, "DeleteFlowLogs.one.json"), echo)))
		if said := w.told(told); !strings.Contains(said, "user/Alice") || strings.Contains(said, own) {
			t.Errorf("the message is to name Alice, and not relight itself:\n%s", said)
		}
	}
}

// In a guarded account that owns a trail, the trail records again, and the controls have
// their filters and alarms, which notify the topic that the template made.
func TestGuardedTrail(t *testing.T) {
	t.Parallel()
	w, guarded, _ := hub(t, "")
	group := strings.ReplaceAll(trailGroup, account, other)
	guarded.AddTrailTo("audit", group)
	topic := guarded.AddTopic(home, "relight-alarms", 1)
	before := w.State()
	lights := func() (recording bool, filters, alarms int) {
		status := must(guarded.CloudTrail.GetTrailStatus(t.Context(), &cloudtrail.GetTrailStatusInput{Name: aws.String("audit")}))
		if found, err := guarded.Logs.DescribeMetricFilters(t.Context(), &cloudwatchlogs.DescribeMetricFiltersInput{LogGroupName: aws.String(group)}); err == nil {
			filters = len(found.MetricFilters)
		}
		for _, a := range must(guarded.CloudWatch.DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{})).MetricAlarms {
			if slices.Equal(a.AlarmActions, []string{topic}) {
				alarms++
			}
		}
		return *status.IsLogging, filters, alarms
	}
	controls := len(catalog.Controls())
	deleteGroup := func() {
		must(guarded.Logs.DeleteLogGroup(t.Context(), &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: aws.String(group)}))
	}
	for _, a := range []struct {
		what, event     string
		do              func()
		filters, alarms int
	}{
		{"the log group is deleted", "DeleteLogGroup.trail.json", deleteGroup, controls, 0},
		{"no alarm is there", "DeleteAlarms.all.json", func() {}, controls, controls},
		{"the trail is stopped", "StopLogging.name.json", func() {
			must(guarded.CloudTrail.StopLogging(t.Context(), &cloudtrail.StopLoggingInput{Name: aws.String("audit")}))
		}, controls, controls},
		{"a filter is deleted", "DeleteMetricFilter.ours.json", func() {
			must(guarded.Logs.DeleteMetricFilter(t.Context(), &cloudwatchlogs.DeleteMetricFilterInput{LogGroupName: aws.String(group), FilterName: aws.String(rootUsage)}))
		}, controls, controls},
		{"an alarm is deleted", "DeleteAlarms.one.json", func() {
			must(guarded.CloudWatch.DeleteAlarms(t.Context(), &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{rootUsage}}))
		}, controls, controls},
	} {
		a.do()
		if again, errs := w.send(from(other, a.event), true); len(errs)+len(again) > 0 {
			t.Errorf("%s: %v, again %v", a.what, errs, again)
		}
		if recording, filters, alarms := lights(); !recording || filters != a.filters || alarms != a.alarms {
			t.Fatalf("%s: recording %t, %d filters, %d alarms\n%s", a.what, recording, filters, alarms, w.log.String())
		}
		writes := len(guarded.Writes())
		if w.send(from(other, a.event), true); len(guarded.Writes()) != writes {
			t.Errorf("%s: once more, %v", a.what, guarded.Writes()[writes:])
		}
	}
	if diff := cmp.Diff(before, w.State()); diff != "" {
		t.Errorf("the hub changed (-before +after):\n%s", diff)
	}
}

// A pause of the hub is one in all accounts, and nobody in a guarded one can make one.
func TestPauseOfGuardedAccount(t *testing.T) {
	t.Parallel()
	w, guarded, _ := hub(t, "")
	w.pause(time.Hour)
	w.send(from(other, "DeleteFlowLogs.one.json"), true)
	if got := flowLogsOf(t, guarded); len(got) > 0 {
		t.Errorf("flow logs %v in a pause", got)
	}
	w.deleteAs(operator, pauseParameter)
	if _, err := guarded.SSM.PutParameter(t.Context(), &ssm.PutParameterInput{
		Name: aws.String(pauseParameter), Value: aws.String(remedy.NewPause(w.now.Add(time.Hour), "mine", nil, nil).Encode()), Type: ssmtypes.ParameterTypeString,
	}); err != nil {
		t.Fatal(err)
	}
	invoked := len(w.invoked)
	w.send([]byte(strings.ReplaceAll(string(parameterEvent(t, "PutParameter.memory.json", pauseParameter, operator)), account, other)), true)
	if len(w.invoked) > invoked {
		t.Errorf("%v invoked for a parameter of a guarded account", w.invoked[invoked:])
	}
	w.send(from(other, "DeleteFlowLogs.one.json"), true)
	if got := flowLogsOf(t, guarded); len(got) != 1 {
		t.Errorf("flow logs %v after the pause", got)
	}
}

// The function of the delivery role restores the one of a guarded account, as the template
// made it. Nothing has to be restored of one that the template has just made.
func TestGuardedDeliveryRole(t *testing.T) {
	t.Parallel()
	w, guarded, _ := hub(t, "")
	made := guarded.State()
	event := strings.ReplaceAll(string(from(other, "DeleteRolePolicy.ours.json")), "relight-flow-logs-delivery", "relight-delivery")
	writes := len(guarded.Writes())
	if w.send([]byte(event), true); len(guarded.Writes()) != writes {
		t.Errorf("writes %v to what the template made", guarded.Writes()[writes:])
	}
	must(guarded.IAM.DeleteRolePolicy(t.Context(), &iam.DeleteRolePolicyInput{RoleName: aws.String("relight-delivery"), PolicyName: aws.String(catalog.DeliveryPolicy)}))
	if again, errs := w.send([]byte(event), true); len(errs)+len(again) > 0 {
		t.Fatal(errs, again)
	}
	if diff := cmp.Diff(made, guarded.State()); diff != "" {
		t.Errorf("(-made +restored):\n%s%s", diff, w.log.String())
	}
	by := map[string]bool{}
	for _, s := range w.org.Sessions() {
		by[s.Tags["relight-function"]] = true
		if s.By != sessionOf(catalog.Function(s.Tags["relight-function"])) {
			t.Errorf("the session of another function: %+v", s)
		}
	}
	if !by["deliveryroles"] {
		t.Errorf("sessions of %v, want one of the function of the delivery roles", by)
	}
}

// No event leads to a call outside the account that EventBridge says it is from, and none
// in an account that is not guarded. The log says why.
func TestOutOfScope(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		keys   string
		event  []byte
		reason string
	}{
		"excluded":     {`"excludeAccounts":["` + other + `"]`, from(other, "DeleteFlowLogs.one.json"), "account " + other + " is not guarded, as organization says"},
		"not listed":   {`"accounts":["` + third + `"]`, from(other, "DeleteFlowLogs.one.json"), "account " + other + " is not guarded, as organization says"},
		"another kind": {"", from(other, "DeleteTopic.ours.json"), "topics are restored in this deployment's own account only"},
		"forged": {
			"", []byte(strings.Replace(string(from(other, "DeleteFlowLogs.one.json")), `"account": "`+other+`"`, `"account": "`+third+`"`, 1)),
			"record of account " + other + " in an envelope of " + third,
		},
		"forged for the hub": {
			"", []byte(strings.Replace(string(events.Read("DeleteFlowLogs.one.json")), `"account": "`+account+`"`, `"account": "`+other+`"`, 1)),
			"record of account " + account + " in an envelope of " + other,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, guarded, bare := hub(t, tt.keys)
			hubs, theirs := w.Calls(), guarded.Calls()
			for _, asBatch := range []bool{false, true} {
				if again, errs := w.send(tt.event, asBatch); len(errs)+len(again) > 0 {
					t.Errorf("errors %v, again %v", errs, again)
				}
			}
			for id, calls := range map[string]awstest.Calls{account: w.Calls().Since(hubs), other: guarded.Calls().Since(theirs), third: bare.Calls()} {
				if len(calls) > 0 {
					t.Errorf("account %s: %v", id, calls)
				}
			}
			if log := w.log.String(); !strings.Contains(log, "skipped event") || !strings.Contains(log, tt.reason) {
				t.Errorf("the log does not say %q:\n%s", tt.reason, log)
			}
		})
	}
}

// Only the functions of the account that the configuration calls the hub act elsewhere: not
// those of another deployment with the same configuration, and not the command line.
func TestNoHub(t *testing.T) {
	t.Parallel()
	for reason, change := range map[string]func(o *app.Options){
		"account " + other + " is not this deployment's": func(o *app.Options) { o.Spokes = false },
		"account " + other + " is guarded from " + third + ", as organization.hubAccount says, and this deployment is in " + account: func(o *app.Options) {
			o.Config.Organization.HubAccount = third
		},
	} {
		w, guarded, _ := hub(t, "")
		o := w.options(home, catalog.Function(catalog.FlowLogs))
		organization := *o.Config.Organization
		o.Config.Organization = &organization
		change(&o)
		hubs, theirs := w.Calls(), guarded.Calls()
		res, err := app.NewWith(o).Replay(t.Context(), from(other, "DeleteFlowLogs.one.json"), catalog.Repair)
		if err != nil || len(res.Ignored) != 1 || !strings.Contains(res.Ignored[0], reason) || len(res.Reports) > 0 {
			t.Errorf("%+v, %v; want %q", res, err, reason)
		}
		if calls := w.Calls().Since(hubs).Total() + guarded.Calls().Since(theirs).Total(); calls > 0 {
			t.Errorf("%q: %d calls", reason, calls)
		}
	}
}

// What comes in a storm from a guarded account is put off in the hub's queue, and restored
// there. A storm in one account puts nothing off of another.
func TestStormOfGuardedAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, guarded, _ := hub(t, "")
		w.timed()
		var put []*sqs.SendMessageInput
		awstest.Handle(w.Account, func(_ context.Context, in *sqs.SendMessageInput) (*sqs.SendMessageOutput, error) {
			put = append(put, in)
			return &sqs.SendMessageOutput{}, nil
		})
		a := w.instance(catalog.Function(catalog.FlowLogs))
		handle := func(body string) {
			must(a.HandleEvent(t.Context(), batch([]byte(body))))
		}
		for i := range 8 {
			w.deleteFlowLogsOf(guarded)
			later := time.Now().Add(time.Second).UTC().Format(time.RFC3339) // than the check before, at the precision of records
			handle(strings.NewReplacer("64c51541", fmt.Sprintf("%08d", i), "2026-03-03T09:48:32Z", later).Replace(string(from(other, "DeleteFlowLogs.one.json"))))
			if len(flowLogsOf(t, guarded)) == 0 {
				break
			}
		}
		if len(put) == 0 || len(flowLogsOf(t, guarded)) > 0 {
			t.Fatalf("messages %v, flow logs %v; want what came last to be put off", put, flowLogsOf(t, guarded))
		}
		last := put[len(put)-1]
		w.deleteFlowLogs(home, "vpc-1")
		if handle(string(events.Read("DeleteFlowLogs.one.json"))); len(w.logs("vpc-1")) != 1 {
			t.Error("an event of the hub waits for the storm of another account")
		}
		time.Sleep(time.Duration(last.DelaySeconds) * time.Second)
		if handle(*last.MessageBody); len(flowLogsOf(t, guarded)) != 1 {
			t.Errorf("flow logs %v, want the one that waited\n%s", flowLogsOf(t, guarded), w.log.String())
		}
	})
}

// What an event claims beside its account leads to no call outside that account: an
// account may put on the bus of the hub whatever it likes.
func TestForgedDetail(t *testing.T) {
	t.Parallel()
	for _, name := range events.All() {
		w, guarded, bare := hub(t, "")
		var e map[string]any
		if json.Unmarshal(events.Read(name), &e) != nil || e["account"] != account {
			continue
		}
		e["account"] = third
		if detail, is := e["detail"].(map[string]any); is {
			delete(detail, "recipientAccountId") // some events have none
		}
		hubs, theirs := w.Calls(), guarded.Calls()
		w.send(must(json.Marshal(e)), true)
		asked := w.Calls().Since(hubs)
		maps.DeleteFunc(asked, func(op string, _ int) bool {
			return slices.Contains([]string{"AssumeRole", "Publish", "PutEvents", "GetParameterHistory"}, op)
		})
		if calls := guarded.Calls().Since(theirs); len(asked)+len(calls)+len(bare.Calls()) > 0 {
			t.Errorf("%s: %v in the hub, %v in %s, %v in an account that lets nobody in", name, asked, calls, other, bare.Calls())
		}
	}
}

// An account that lets the hub no longer in is a finding that names account, role and what
// to do, and does not keep another one from being restored.
func TestClosedAccount(t *testing.T) {
	t.Parallel()
	tests := map[string]func(w *world, guarded *awstest.Account){
		"no role": func(w *world, guarded *awstest.Account) { guarded.RemoveRole(spokeRole) },
		"another trust": func(w *world, guarded *awstest.Account) {
			must(guarded.IAM.UpdateAssumeRolePolicy(w.t.Context(), &iam.UpdateAssumeRolePolicyInput{
				RoleName: aws.String("relight-spoke"), PolicyDocument: aws.String(strings.ReplaceAll(trustOf(w, guarded), account, third)),
			}))
		},
		"another external ID": func(w *world, guarded *awstest.Account) { w.config.Organization.ExternalID = "other" },
		"no permission":       func(w *world, guarded *awstest.Account) { w.Deny("AssumeRole") },
	}
	for name, shut := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, guarded, _ := hub(t, `"externalId":"lights"`)
			shut(w, guarded)
			calls, told := guarded.Calls(), len(w.Messages())
			w.deleteFlowLogs(home, "vpc-1", "vpc-2")
			res := must(w.app(catalog.Function(catalog.FlowLogs)).HandleEvent(t.Context(), batch(from(other, "DeleteFlowLogs.one.json"), events.Read("DeleteFlowLogs.one.json"))))
			if again := res.(lambdaevents.SQSEventResponse).BatchItemFailures; len(again) > 0 {
				t.Errorf("again %v, want the refusal to be for good", again)
			}
			if got := guarded.Calls().Since(calls); len(got) > 0 {
				t.Errorf("calls %v", got)
			}
			if gaps := w.gaps(); len(gaps) > 0 {
				t.Errorf("the hub lacks %v", gaps)
			}
			for _, want := range []string{other, "sts.AssumeRole", spokeRole, "relight spoke-template", "organization.excludeAccounts"} {
				if said := w.told(told); !strings.Contains(said, want) {
					t.Errorf("no message names %s:\n%s", want, said)
				}
			}
			if log := w.log.String(); !strings.Contains(log, `"account-closed"`) {
				t.Errorf("the log lacks the finding:\n%s", log)
			}
			a := w.app(catalog.Function(catalog.FlowLogs))
			w.Fail("Publish", "AuthorizationError")
			must(a.HandleEvent(t.Context(), batch(from(other, "DeleteFlowLogs.one.json")))) // this message is lost
			for minutes, messages := range []int{1, 0, 0, 1} {                              // people hear of it, and again when it lasts
				w.now = w.now.Add(time.Duration(minutes) * 2 * time.Minute)
				told = len(w.Messages())
				must(a.HandleEvent(t.Context(), batch(from(other, "DeleteFlowLogs.one.json"))))
				if got := len(w.Messages()) - told; got != messages {
					t.Errorf("%d messages after a call in step %d, want %d", got, minutes, messages)
				}
			}
		})
	}
}

func trustOf(w *world, a *awstest.Account) string {
	w.t.Helper()
	out := must(a.IAM.GetRole(w.t.Context(), &iam.GetRoleInput{RoleName: aws.String("relight-spoke")}))
	return must(url.QueryUnescape(aws.ToString(out.Role.AssumeRolePolicyDocument)))
}
