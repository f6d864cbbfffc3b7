package stack_test

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/infra/stack"
)

// These are hubs whose accounts come from the configuration, and from organisational units.
var (
	hubOfListed = sync.OnceValue(func() app {
		return synth(`{"organization": {"id": "o-a1b2c3d4e5", "hubAccount": "111122223333", "accounts": ["444455556666", "222233334444"], "concurrency": 3}}`, stack.ARM64, home)
	})
	hubOfUnits = sync.OnceValue(func() app {
		return synth(`{"organization": {"id": "o-a1b2c3d4e5", "hubAccount": "111122223333", "ous": ["ou-a1b2-c3d4e5f6"], "excludeAccounts": ["222233334444"]}}`, stack.ARM64, home)
	})
)

// definition returns what the state machine of a hub does.
func definition(t *testing.T, a app) map[string]any {
	t.Helper()
	_, machine := a["relight"].only(t, "AWS::StepFunctions::StateMachine")
	var d map[string]any
	if err := json.Unmarshal([]byte(text(machine.Properties["DefinitionString"])), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// The definitions are for reviewers to read.
func TestMachineGolden(t *testing.T) {
	for name, a := range map[string]app{"sweep-all": hub(), "sweep-listed": hubOfListed(), "sweep-units": hubOfUnits()} {
		raw, err := json.MarshalIndent(definition(t, a), "", " ")
		if err != nil {
			t.Fatal(err)
		}
		golden(t, filepath.Join("testdata", name+".asl.json"), string(raw)+"\n")
	}
}

// The role of the state machine may do what its definition does, and nothing else.
func TestMachineRole(t *testing.T) {
	const (
		lambda = "lambda:InvokeFunction on function"
		states = "arn:${AWS::Partition}:states:" + home + ":${AWS::AccountId}:"
		list   = "organizations:ListAccounts on *"
		up     = "organizations:ListParents on arn:${AWS::Partition}:organizations::*:"
	)
	always := []string{
		lambda, "states:StartExecution on " + states + "stateMachine:relight-sweep",
		"states:DescribeExecution on " + states + "execution:relight-sweep/*", "states:StopExecution on " + states + "execution:relight-sweep/*",
		"s3:PutObject on bucket/*", "s3:GetObject on bucket/*", "s3:ListMultipartUploadParts on bucket/*", "s3:AbortMultipartUpload on bucket/*",
	}
	for name, tt := range map[string]struct {
		app  app
		more []string
	}{
		"all":    {hub(), []string{list}},
		"listed": {hubOfListed(), nil},
		"units":  {hubOfUnits(), []string{list, up + "account/o-a1b2c3d4e5/*", up + "ou/o-a1b2c3d4e5/*"}},
	} {
		s := tt.app["relight"].template
		_, machine := s.only(t, "AWS::StepFunctions::StateMachine")
		fn, _ := s.function(t, "relight-backfill")
		bucket, _ := s.only(t, "AWS::S3::Bucket")
		role := s.Resources[strings.TrimSuffix(strings.TrimPrefix(text(machine.Properties["RoleArn"]), "${"), ".Arn}")]
		var got []string
		for _, line := range apart(statements(t, role.Properties)) {
			got = append(got, strings.NewReplacer(arn(fn), "function", arn(bucket), "bucket").Replace(line))
		}
		want := slices.Concat(always, tt.more)
		slices.Sort(want)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		trust := at(role.Properties, "AssumeRolePolicyDocument", "Statement", 0)
		trusted := []string{text(at(trust, "Principal", "Service")), text(at(trust, "Condition", "StringEquals", "aws:SourceAccount")), text(at(trust, "Condition", "ArnLike", "aws:SourceArn"))}
		if diff := cmp.Diff([]string{"states.amazonaws.com", "${AWS::AccountId}", states + "stateMachine:relight-sweep"}, trusted); diff != "" {
			t.Errorf("%s trusts (-want +got):\n%s", name, diff)
		}
	}
}

// Nobody from outside reads the results, nobody reads them without TLS, and they expire.
func TestMachineResults(t *testing.T) {
	s := hub()["relight"].template
	id, bucket := s.only(t, "AWS::S3::Bucket")
	got := map[string]any{"retained": bucket.DeletionPolicy == "RetainExceptOnCreate" && bucket.UpdateReplacePolicy == "Retain"}
	for _, key := range []string{"PublicAccessBlockConfiguration", "BucketEncryption", "LifecycleConfiguration", "OwnershipControls"} {
		got[key] = bucket.Properties[key]
	}
	want := map[string]any{
		"retained":                       true,
		"PublicAccessBlockConfiguration": map[string]any{"BlockPublicAcls": true, "BlockPublicPolicy": true, "IgnorePublicAcls": true, "RestrictPublicBuckets": true},
		"BucketEncryption":               map[string]any{"ServerSideEncryptionConfiguration": []any{map[string]any{"ServerSideEncryptionByDefault": map[string]any{"SSEAlgorithm": "AES256"}}}},
		"LifecycleConfiguration": map[string]any{"Rules": []any{map[string]any{
			"ExpirationInDays": 30.0, "Status": "Enabled", "AbortIncompleteMultipartUpload": map[string]any{"DaysAfterInitiation": 1.0},
		}}},
		"OwnershipControls": map[string]any{"Rules": []any{map[string]any{"ObjectOwnership": "BucketOwnerEnforced"}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	_, policy := s.only(t, "AWS::S3::BucketPolicy")
	statement := at(policy.Properties, "PolicyDocument", "Statement", 0)
	if text(policy.Properties["Bucket"]) != ref(id) || text(at(statement, "Effect")) != "Deny" || text(at(statement, "Condition", "Bool", "aws:SecureTransport")) != "false" {
		t.Errorf("policy %v, want that it denies what comes without TLS", policy.Properties)
	}
}

// The schedules of a hub start the state machine, with a role that may do that and no longer
// invoke the sweep's function. Without an organisation there is no state machine (TestGolden).
func TestMachineIsScheduled(t *testing.T) {
	s := hub()["relight"].template
	id, machine := s.only(t, "AWS::StepFunctions::StateMachine")
	if name := text(machine.Properties["StateMachineName"]); name != "relight-sweep" {
		t.Errorf("the state machine is %s, which no schedule starts", name)
	}
	schedules := s.of("AWS::Scheduler::Schedule")
	for name, schedule := range schedules {
		if target := text(at(schedule.Properties, "Target", "Arn")); target != arn(id) {
			t.Errorf("%s starts %s", name, target)
		}
		role := s.Resources[strings.TrimSuffix(strings.TrimPrefix(text(at(schedule.Properties, "Target", "RoleArn")), "${"), ".Arn}")]
		queue, _ := s.named(t, "AWS::SQS::Queue", "Undelivered")
		want := []string{
			"sqs:SendMessage on " + arn(queue), "states:StartExecution on arn:${AWS::Partition}:states:" + home + ":${AWS::AccountId}:stateMachine:relight-sweep",
		}
		if diff := cmp.Diff(want, apart(statements(t, role.Properties))); diff != "" {
			t.Errorf("role of %s (-want +got):\n%s", name, diff)
		}
	}
	if len(schedules) != 3 {
		t.Errorf("%d schedules, want three", len(schedules))
	}
}
