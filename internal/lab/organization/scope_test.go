package organization

import (
	"context"
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/relight-aws/relight/internal/lab"
	"github.com/relight-aws/relight/internal/lab/tap"
)

// outside is an account of the organisation that the configuration does not list.
const outside = "444455556666"

// still turns the schedules off for a test, so that no sweep calls AWS meanwhile.
func still(t *testing.T) {
	t.Helper()
	must(t, arena.Cloud.Emulator.Schedules(t.Context(), false))
	ctx := context.WithoutCancel(t.Context())
	t.Cleanup(func() { must(t, arena.Cloud.Emulator.Schedules(ctx, true)) })
	must(t, arena.Settle(t.Context()))
}

// calledIn returns the functions' calls in an account since a moment. It adds those that open
// a session in any account, because the tap keeps no parameters of reads.
func calledIn(account string, since time.Time) []string {
	return operations(arena.Cloud.Tap.Calls(func(c tap.Call) bool {
		_, ours := arena.Deployment.By(c.Role, c.Principal)
		return ours && !c.Time.Before(since) && (c.Account == account || c.Operation == "AssumeRole")
	}))
}

// skipped waits until the function for flow logs has logged that it skipped an event, and
// returns the reason.
func skipped(t *testing.T, id string) (reason string) {
	t.Helper()
	var group string
	for _, f := range arena.Deployment.Functions {
		if f.Name == "relight-flowlogs" {
			group = f.Logs
		}
	}
	logs := arena.Cloud.Beneath().In(lab.Region).Logs
	for deadline := time.Now().Add(healTimeout); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		pages := cloudwatchlogs.NewFilterLogEventsPaginator(logs, &cloudwatchlogs.FilterLogEventsInput{LogGroupName: &group})
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			must(t, err)
			for _, e := range page.Events {
				var line struct {
					Msg, Reason string
					ID          string `json:"event_id"`
				}
				if json.Unmarshal([]byte(aws.ToString(e.Message)), &line) == nil && line.Msg == "skipped event" && line.ID == id {
					return line.Reason
				}
			}
		}
	}
	t.Fatalf("the function has not logged that it skipped event %s", id)
	return ""
}

// raised returns the last event about a call that is on the buses.
func raised(t *testing.T, account, operation string) tap.Event {
	t.Helper()
	must(t, arena.Cloud.Tap.Flush(t.Context()))
	all := arena.Cloud.Tap.Events()
	for i := len(all) - 1; i >= 0; i-- {
		if e := all[i]; e.Account == account && strings.Contains(string(e.Detail), `"eventName":"`+operation+`"`) {
			return e
		}
	}
	t.Fatalf("no event about %s in account %s", operation, account)
	return tap.Event{}
}

// No principal of the hub but the functions gets into a guarded account, however many rights
// it has in the hub. Nobody of the guarded account does, either.
func TestWhoGetsIn(t *testing.T) {
	who := arena.Spokes[0]
	role := "arn:aws:iam::" + who.Account + ":role/relight-spoke"
	for name, p := range map[string]lab.Principal{"hub's": arena.Customer.Intruder, "spoke's": who.Intruder} {
		out, err := p.In(lab.Region).AWS(t.Context(), "sts", "assume-role", "--role-arn", role, "--role-session-name", "relight-flowlogs")
		if err == nil || !strings.Contains(err.Error(), "AccessDenied") {
			t.Errorf("the %s intruder: %s, %v; want AccessDenied", name, out, err)
		}
	}
}

// An event whose record is of another account than the one that sent it leads to nothing
// anywhere, and a caller in a spoke can send none in the name of AWS.
func TestForgedEvents(t *testing.T) {
	still(t)
	forger, victim := arena.Spokes[0], arena.Spokes[1]
	s := forger.Intruder.In(lab.Region)
	for _, at := range lab.SpokeAttacks() {
		if at.Account == victim.Account && at.Name == "ec2 CreateVpc" {
			carryOut(t, at)
		}
	}
	genuine := raised(t, victim.Account, "CreateVpc")
	since := time.Now()

	bus := "arn:aws:events:" + lab.Region + ":" + lab.Account + ":event-bus/relight"
	for source, code := range map[string]string{"aws.ec2": "NotAuthorizedForSourceException", "ec2": ""} {
		out, err := s.Events.PutEvents(t.Context(), &eventbridge.PutEventsInput{Entries: []ebtypes.PutEventsRequestEntry{{
			EventBusName: &bus, Source: aws.String(source), DetailType: &genuine.DetailType, Detail: aws.String(string(genuine.Detail)),
		}}})
		must(t, err)
		if got := aws.ToString(out.Entries[0].ErrorCode); got != code {
			t.Errorf("an event of source %s: %q, want %q", source, got, code)
		}
	}

	// What no caller can send: an event in the name of AWS, on the forger's own bus.
	for _, account := range []string{victim.Account, lab.Account} {
		forged := genuine
		forged.Account, forged.ID = forger.Account, strings.Repeat("0", 8)+genuine.ID[8:24]+account
		forged.Detail = json.RawMessage(strings.ReplaceAll(string(genuine.Detail), victim.Account, account))
		must(t, arena.Cloud.Emulator.Put(t.Context(), forged))
		if why := skipped(t, forged.ID); !strings.Contains(why, account) {
			t.Errorf("the record of %s is skipped, because: %s", account, why)
		}
	}
	must(t, arena.Settle(t.Context()))
	for _, account := range []string{forger.Account, victim.Account} {
		if calls := calledIn(account, since); len(calls) > 0 {
			t.Errorf("calls after forged events: %v", calls)
		}
	}
	if made := restorations(lab.Account, since); len(made) > 0 {
		t.Errorf("writes in the hub after forged events: %v", operations(made))
	}
}

// An account that the configuration does not list has the same stack, and its events reach
// the hub; they lead to no call there. When it leaves the organisation, they reach it no more.
func TestAccountsOutOfScope(t *testing.T) {
	root := arena.Cloud.RootOf(outside).In(lab.Region)
	must(t, arena.Cloud.Join(t.Context(), outside))
	must(t, arena.Cloud.DeploySpoke(t.Context(), outside, arena.SpokeTemplate, false))
	still(t)
	queue, err := root.SQS.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String("relight-undelivered")})
	must(t, err)
	undelivered := func() map[string]string { // error by event
		out, err := root.SQS.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: queue.QueueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: []string{"All"}})
		must(t, err)
		found := map[string]string{}
		for _, m := range out.Messages {
			var e tap.Event
			must(t, json.Unmarshal([]byte(*m.Body), &e))
			found[e.ID] = aws.ToString(m.MessageAttributes["ERROR_CODE"].StringValue)
		}
		return found
	}

	since := time.Now()
	made, err := root.EC2.CreateVpc(t.Context(), &ec2.CreateVpcInput{CidrBlock: aws.String("10.88.0.0/16")})
	must(t, err)
	if why := skipped(t, raised(t, outside, "CreateVpc").ID); !strings.Contains(why, outside) {
		t.Errorf("the event is skipped, because: %s", why)
	}
	must(t, arena.Settle(t.Context()))
	if calls := calledIn(outside, since); len(calls) > 0 {
		t.Errorf("calls after an event of an account that is not guarded: %v", calls)
	}
	logs, err := root.EC2.DescribeFlowLogs(t.Context(), &ec2.DescribeFlowLogsInput{})
	must(t, err)
	if len(logs.FlowLogs) > 0 {
		t.Errorf("it has flow logs: %v", logs.FlowLogs)
	}
	if found := undelivered(); len(found) > 0 {
		t.Errorf("while it is a member, these events are not delivered: %v", found)
	}

	_, err = root.AWS(t.Context(), "organizations", "leave-organization")
	must(t, err)
	_, err = root.EC2.DeleteVpc(t.Context(), &ec2.DeleteVpcInput{VpcId: made.Vpc.VpcId})
	must(t, err)
	left := raised(t, outside, "DeleteVpc").ID
	if found := undelivered(); !maps.Equal(found, map[string]string{left: "NO_PERMISSIONS"}) {
		t.Errorf("after it left, undelivered events %v, want %s", found, left)
	}
}
