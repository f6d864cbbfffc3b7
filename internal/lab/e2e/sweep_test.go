package e2e

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/relight-aws/relight/events"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/lab"
	"github.com/relight-aws/relight/internal/lab/tap"
)

// TestSweep harms what the whole deployment depends on while the functions
// receive no events. The sweep restores it; the function of the delivery role
// restores that role, because only it may. An event about the topic's key makes
// relight check everything about the topic. A sweep that finds everything healthy
// makes few calls.
func TestSweep(t *testing.T) {
	s := shared
	s.drain(t)
	s.listening(t, false)
	defer s.listening(t, true)
	defer s.purge(t)
	intruder := s.Customer.Intruder.In(lab.Region)
	for _, attacks := range [][]string{
		{"sns DeleteTopic"},
		{"sns SetTopicAttributes, no key", "sns SetSubscriptionAttributes, a filter policy"},
		{"iam DeleteRole, with its policies", "cloudtrail DeleteTrail"},
		{"cloudtrail UpdateTrail, stripped", "cloudtrail StopLogging", "logs PutLogGroupDeletionProtection, off, flow logs'"},
	} {
		want, err := s.Customer.Snapshot(t.Context(), s.Cloud.Root())
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range attacks {
			attack(name)(t, intruder)
		}
		s.invoke(t, catalog.Backfill, map[string]any{})
		if err := s.Cloud.ConfirmSubscriptions(t.Context()); err != nil {
			t.Fatal(err)
		}
		got, err := s.Customer.Snapshot(t.Context(), s.Cloud.Root())
		if err != nil {
			t.Fatal(err)
		}
		if diff := got.Diff(want); len(diff) > 0 {
			t.Errorf("%v left behind: %v", attacks, diff)
		}
	}

	// The lab's configuration chooses subnets and network interfaces by a tag, whose flow
	// logs go to a bucket: that is one read each.
	const most = 60 + 3
	since := time.Now()
	s.invoke(t, catalog.Backfill, map[string]any{"regions": []string{lab.Region}})
	if calls, _ := s.calls(t, catalog.Backfill, since); tap.Invocations(calls) >= most || len(writesOf(calls)) > 0 {
		t.Errorf("a sweep of a healthy region makes %d calls, %d of them writes; want fewer than %d, and no write: %s", tap.Invocations(calls), len(writesOf(calls)), most, names(calls))
	}

	config, err := s.root.Lambda.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: aws.String(s.name("topics"))})
	if err != nil {
		t.Fatal(err)
	}
	var event map[string]any
	if err := json.Unmarshal(events.Read("PutKeyPolicy.logs.json"), &event); err != nil {
		t.Fatal(err)
	}
	detail := event["detail"].(map[string]any)
	detail["requestParameters"].(map[string]any)["keyId"] = config.Environment.Variables[catalog.EnvTopicKey]
	s.invoke(t, "topics", event)
}
