package app_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/events"
	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/awstest"
	"github.com/relight-aws/relight/internal/catalog"
)

const listed = `"accounts":["` + other + `","` + third + `"]`

// sweepAll has the sweep's function do what the schedule asks of it, or what a request says.
func (w *world) handle(request string) app.Sweep {
	w.t.Helper()
	return must(w.app(catalog.Backfill).HandleBackfill(w.t.Context(), json.RawMessage(request))).(app.Sweep)
}

// swept returns what a sweep says of an account.
func swept(s app.Sweep, account string) app.Swept {
	i := slices.IndexFunc(s.Accounts, func(a app.Swept) bool { return a.Account == account })
	if i < 0 {
		return app.Swept{}
	}
	return s.Accounts[i]
}

// spokeMemories returns the parameters of the hub in which relight remembers something of an
// account.
func (w *world) spokeMemories(account string) []string {
	w.t.Helper()
	var names []string
	want := w.config.Baseline()
	want.Member = account
	for _, name := range []string{want.AdoptedMemory(), want.TrailMemory(), want.FindingsMemory()} {
		if _, err := w.SSM.GetParameter(w.t.Context(), &ssm.GetParameterInput{Name: aws.String(name)}); err == nil {
			names = append(names, name)
		}
	}
	return names
}

// A sweep of the hub restores every listed account, with nobody's event. Of one that lets it
// not in, people are notified once. What it remembers of an account is in the hub.
func TestSweepOfOrganization(t *testing.T) {
	t.Parallel()
	w, guarded, bare := hub(t, listed)
	group := strings.ReplaceAll(trailGroup, account, other)
	guarded.AddTrailTo("audit", group)
	guarded.AddTopic(home, "relight-alarms", 1)
	must(guarded.IAM.DeleteRolePolicy(t.Context(), &iam.DeleteRolePolicyInput{RoleName: aws.String("relight-delivery"), PolicyName: aws.String(catalog.DeliveryPolicy)}))
	told := len(w.Messages())
	got := w.handle(`{}`)

	if want := []string{memberVPC + " with arn:aws:iam::" + other + ":role/relight-delivery"}; !slices.Equal(flowLogsOf(t, guarded), want) {
		t.Errorf("flow logs %v, want %v\n%s", flowLogsOf(t, guarded), want, w.log.String())
	}
	if alarms := must(guarded.CloudWatch.DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{})).MetricAlarms; len(alarms) != len(catalog.Controls()) {
		t.Errorf("%d alarms, want one for each of %d controls", len(alarms), len(catalog.Controls()))
	}
	if policies := must(guarded.IAM.ListRolePolicies(t.Context(), &iam.ListRolePoliciesInput{RoleName: aws.String("relight-delivery")})).PolicyNames; len(policies) != 1 {
		t.Errorf("policies %v of the delivery role, want the one that was deleted", policies)
	}
	if !slices.ContainsFunc(w.org.Sessions(), func(s awstest.Session) bool { return s.By == sessionOf(catalog.Function(catalog.DeliveryRoles)) }) {
		t.Errorf("sessions %+v, want one of the only function that may write the delivery role", w.org.Sessions())
	}
	if s := swept(got, other); s.Repaired == 0 || s.Unrestored > 0 || s.Error != "" {
		t.Errorf("%+v, want repairs alone", s)
	}
	if s := swept(got, third); s.Unrestored == 0 || s.Findings != 1 {
		t.Errorf("%+v, want a finding and a failure", s)
	}
	if got := bare.Calls().Since(nil); len(got) > 0 {
		t.Errorf("calls %v in an account without the role", got)
	}
	if got := len(w.spokeMemories(other)); got != 3 {
		t.Errorf("memories %v of a swept account, want three", w.spokeMemories(other))
	}
	for _, want := range []string{third, "arn:aws:iam::" + third + ":role/relight-spoke", other} {
		if said := w.told(told); !strings.Contains(said, want) {
			t.Errorf("no message names %s:\n%s", want, said)
		}
	}

	before, lights, told := w.State(), guarded.State(), len(w.Messages())
	w.handle(`{}`)
	if diff := cmp.Diff(before, w.State()); diff != "" {
		t.Errorf("the next sweep changed the hub:\n%s", diff)
	}
	if diff := cmp.Diff(lights, guarded.State()); diff != "" {
		t.Errorf("the next sweep changed the account:\n%s", diff)
	}
	if said := w.told(told); said != "" {
		t.Errorf("the next sweep said again:\n%s", said)
	}

	mallory := "arn:aws:iam::" + other + ":user/Mallory"
	w.now = w.now.Add(time.Hour)
	guarded.AddToHistory("DeleteAlarms", strings.ReplaceAll(past(w.now.Add(-time.Minute), "monitoring.amazonaws.com", "DeleteAlarms", mallory, `{"alarmNames":["`+rootUsage+`"]}`, ""), account, other))
	must(guarded.CloudWatch.DeleteAlarms(t.Context(), &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{rootUsage}}))
	w.handle(`{}`)
	if said := w.told(told); !strings.Contains(said, mallory) {
		t.Errorf("no message names who deleted an alarm:\n%s", said)
	}

	must(guarded.CloudTrail.DeleteTrail(t.Context(), &cloudtrail.DeleteTrailInput{Name: aws.String("audit")}))
	w.handle(`{"account":"` + other + `"}`)
	trails := must(guarded.CloudTrail.DescribeTrails(t.Context(), &cloudtrail.DescribeTrailsInput{})).TrailList
	if len(trails) != 1 || !strings.Contains(aws.ToString(trails[0].CloudWatchLogsLogGroupArn), group) {
		t.Errorf("trails %v, want the one that the sweep before remembered\n%s", trails, w.told(told))
	}
}

// The first sweep of an account adopts what others made there. It is one only if the hub
// remembers nothing of the account, and the role there is new: nobody can have both.
func TestFirstSweepOfGuardedAccount(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		do      func(w *world, guarded *awstest.Account)
		adopted bool
	}{
		"the role is new": {func(*world, *awstest.Account) {}, true},
		"the role is old": {func(w *world, _ *awstest.Account) { w.now = w.now.Add(2 * time.Hour) }, false},
		"the role is made again": {func(w *world, guarded *awstest.Account) {
			w.handle(`{}`)
			w.deleteFlowLogsOf(guarded)
			w.now = w.now.Add(2 * time.Hour)
			guarded.RemoveRole(spokeRole)
			w.makeRole(guarded, "Role")
		}, false},
		"the memory is deleted": {func(w *world, _ *awstest.Account) {
			w.handle(`{}`)
			w.now = w.now.Add(2 * time.Hour)
			w.deleteParameters(w.spokeMemories(other)...)
		}, false},
		"the role cannot be read": {func(_ *world, guarded *awstest.Account) { guarded.Deny("GetRole") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, guarded, _ := hub(t, listed)
			guarded.Now = w.time
			guarded.RemoveRole(spokeRole)
			w.makeRole(guarded, "Role")
			test.do(w, guarded)
			w.addTheirFlowLog(guarded, 365)
			w.handle(`{}`)
			if got := len(guarded.FlowLogs(home, memberVPC)); (got == 1) != test.adopted {
				t.Errorf("%d flow logs, want that of others to be adopted: %t\n%s", got, test.adopted, w.log.String())
			}
		})
	}
}

// Whoever has the hub's stack checked because the guard's function does not answer waits for no
// guarded account.
func TestCheckOfTheStackAlone(t *testing.T) {
	t.Parallel()
	w, guarded, bare := hub(t, listed)
	w.checks = true
	w.limit("relight-guard")
	calls := guarded.Calls()
	must(w.app("loggroups").HandleEvent(t.Context(), batch(events.Read("DeleteMetricFilter.ours.json"))))
	if want := []string{"guard", "backfill"}; !slices.Equal(w.invoked, want) {
		t.Errorf("invoked %v, want %v", w.invoked, want)
	}
	if got := guarded.Calls().Since(calls); len(got)+bare.Calls().Total() > 0 {
		t.Errorf("calls %v and %d in guarded accounts", got, bare.Calls().Total())
	}
}

// A request for an account that is not guarded does nothing, and says why.
func TestSweepOutOfScope(t *testing.T) {
	t.Parallel()
	for keys, of := range map[string]string{
		listed:                                "555566667777",
		`"excludeAccounts":["` + other + `"]`: other,
	} {
		w, guarded, _ := hub(t, keys)
		calls := guarded.Calls()
		for _, request := range []string{`{"account":"` + of + `"}`, `{"account":"` + of + `","accept":{"adopt":{"topics":["x"]}}}`} {
			if _, err := w.app(catalog.Backfill).HandleBackfill(t.Context(), json.RawMessage(request)); err == nil || !strings.Contains(err.Error(), of+" is not guarded") {
				t.Errorf("%s: %v, want that the account is not guarded", request, err)
			}
		}
		if got := guarded.Calls().Since(calls); len(got) > 0 {
			t.Errorf("calls %v", got)
		}
	}
	if _, err := app.ParseRequest([]byte(`{"account":"security"}`)); err == nil || !strings.Contains(err.Error(), "use 12 digits") {
		t.Errorf("%v, want what an account's ID looks like", err)
	}
}

// An invocation without time for every account names those that are left, and the next one
// begins with them.
func TestSweepWithoutTime(t *testing.T) {
	t.Parallel()
	w, guarded, _ := hub(t, listed)
	a, before := w.app(catalog.Backfill), guarded.Calls()
	short, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	s := must(a.SweepAll(short, app.Request{}))
	if diff := cmp.Diff([]string{other, third}, s.Left); diff != "" || len(guarded.Calls().Since(before)) > 0 {
		t.Errorf("left (-want +got):\n%s%v", diff, guarded.Calls().Since(before))
	}
	if log := w.log.String(); !strings.Contains(log, "no time left") || !strings.Contains(log, other+", "+third) {
		t.Errorf("the log lacks that they are left:\n%s", log)
	}
	if s := must(a.SweepAll(t.Context(), app.Request{})); len(s.Accounts) != 2 || len(s.Left) > 0 {
		t.Errorf("%+v, want both accounts", s)
	}
}
