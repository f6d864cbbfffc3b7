package plan_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
)

// delivery is the statement with which AWS's documents admit flow logs, with the objects
// that it names, and further members of its condition.
func delivery(action, resource, conditions string) string {
	return fmt.Sprintf(`{"Sid":"AWSLogDelivery","Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},"Action":%q,"Resource":%q,"Condition":{%s}}`, action, resource, conditions)
}

// bucketFindings returns the findings about a bucket with a policy, of flow logs in a
// folder of it.
func bucketFindings(t *testing.T, hive bool, at plan.BucketState) (found []plan.Finding) {
	t.Helper()
	want := policy(t)
	want.FlowLogs.To = catalog.Destined{ARN: "arn:aws:s3:::flows/own", Files: catalog.Files{Hive: hive}}
	want.FlowLogs.Chosen = map[catalog.ResourceType]catalog.Selection{catalog.Subnet: {IDs: []string{"subnet-1"}}} // to the same bucket, which is judged once
	got := flowLogs(want)
	got.State.(*plan.FlowLogState).Own = map[string]plan.BucketState{"flows": at}
	p, err := plan.Of(catalog.FlowLogs, want, got)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range p.Findings {
		if strings.HasPrefix(f.Subject, "bucket ") {
			found = append(found, f)
		}
	}
	return found
}

// A policy that admits the delivery is no finding, however it is written. For any other
// the finding says why, and its statement suffices.
func TestBucketPolicies(t *testing.T) {
	const (
		ours   = `"StringEquals":{"aws:SourceAccount":"` + account + `"},"ArnLike":{"aws:SourceArn":"arn:aws:logs:*:` + account + `:*"}`
		ourACL = `"StringEquals":{"aws:SourceAccount":"` + account + `","s3:x-amz-acl":"bucket-owner-full-control"},"ArnLike":{"aws:SourceArn":"arn:aws:logs:us-east-1:` + account + `:*"}`
		acl    = "arn:aws:s3:::flows"
	)
	check := delivery("s3:GetBucketAcl", acl, ours)
	statements := func(list ...string) string {
		return `{"Version":"2012-10-17","Statement":[` + strings.Join(list, ",") + `]}`
	}
	tests := []struct {
		name, policy string
		hive         bool
		cause        string // "" if the policy admits the delivery
	}{
		{"AWS's", statements(delivery("s3:PutObject", "arn:aws:s3:::flows/own/AWSLogs/"+account+"/*", ourACL), check), false, ""},
		{"AWS's for Hive", statements(delivery("s3:PutObject", "arn:aws:s3:::flows/own/AWSLogs/aws-account-id="+account+"/*", ourACL), check), true, ""},
		{"without an ACL", statements(delivery("s3:PutObject", "arn:aws:s3:::flows/own/AWSLogs/"+account+"/*", ours), check), false, ""},
		{"everything", statements(delivery("s3:*", "arn:aws:s3:::flows*", "")), false, ""},
		{"one statement for both", statements(`{"Effect":"Allow","Principal":{"Service":["delivery.logs.amazonaws.com","cloudtrail.amazonaws.com"]},"Action":["s3:PutObject","s3:GetBucketAcl"],"Resource":["arn:aws:s3:::flows","arn:aws:s3:::flows/*"]}`), false, ""},
		{"besides a denial of plain HTTP", statements(delivery("s3:PutObject", "arn:aws:s3:::flows/*", ours), check,
			`{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::flows","arn:aws:s3:::flows/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}}`), false, ""},

		{"none", "", false, "it has no policy"},
		{"another folder", statements(delivery("s3:PutObject", "arn:aws:s3:::flows/AWSLogs/"+account+"/*", ourACL), check), false, "does not allow delivery.logs.amazonaws.com s3:PutObject"},
		{"AWS's, but for Hive", statements(delivery("s3:PutObject", "arn:aws:s3:::flows/own/AWSLogs/"+account+"/*", ourACL), check), true, "s3:PutObject"},
		{"no access list", statements(delivery("s3:PutObject", "arn:aws:s3:::flows/*", ourACL)), false, "s3:GetBucketAcl"},
		{"another account", statements(delivery("s3:PutObject", "arn:aws:s3:::flows/*", strings.ReplaceAll(ourACL, account, other)), check), false, "s3:PutObject"},
		{"another region", statements(delivery("s3:PutObject", "arn:aws:s3:::flows/*", strings.ReplaceAll(ourACL, "us-east-1", "eu-west-1")), check), false, "s3:PutObject"},
		{"denied", statements(delivery("s3:PutObject", "arn:aws:s3:::flows/*", ours), check, `{"Effect":"Deny","Principal":"*","Action":"s3:Put*","Resource":"*"}`), false, "denies delivery.logs.amazonaws.com s3:PutObject"},
		{"denied to all but the organisation", statements(delivery("s3:PutObject", "arn:aws:s3:::flows/*", ours), check,
			`{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-1"}}}`), false, "denies"},
		{"no policy at all", "not JSON", false, "its policy cannot be read"},
	}
	for _, tt := range tests {
		found := bucketFindings(t, tt.hive, plan.BucketState{Exists: true, Policy: tt.policy})
		switch {
		case tt.cause == "":
			if len(found) > 0 {
				t.Errorf("%s: %v", tt.name, found)
			}
			continue
		case len(found) != 1 || found[0].Code != plan.FlowLogBucketShut || !strings.Contains(found[0].Problem, tt.cause) || !found[0].Alert:
			t.Errorf("%s: %v, want %q", tt.name, found, tt.cause)
			continue
		}
		offered := regexp.MustCompile(`\{.*\}`).FindString(found[0].Remedy)
		if left := bucketFindings(t, tt.hive, plan.BucketState{Exists: true, Policy: statements(offered)}); len(left) > 0 {
			t.Errorf("%s: the statement that it offers does not suffice: %s\n%v", tt.name, offered, left)
		}
	}
	// A message cuts a line after 800 bytes, and a bucket's name has up to 63 characters.
	for _, f := range bucketFindings(t, true, plan.BucketState{Exists: true}) {
		if line := strings.ReplaceAll(f.String(), "flows", strings.Repeat("b", 63)); len(line) > 800 {
			t.Errorf("%d bytes: %s", len(line), line)
		}
	}
	if found := bucketFindings(t, false, plan.BucketState{}); len(found) != 1 || found[0].Code != plan.FlowLogBucketMissing {
		t.Errorf("no bucket: %v", found)
	}
	if found := bucketFindings(t, false, plan.BucketState{Exists: true, Hidden: "not ours"}); len(found) > 0 {
		t.Errorf("a bucket of another account: %v", found)
	}
}
