package stack_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/relight-aws/relight/infra/stack"
)

// An account without a trail gets one that satisfies CIS, and keeps it when the
// stack is deleted. The emulator's CloudFormation does not support trails, so
// only this test checks the template.
func TestTrail(t *testing.T) {
	if n := len(defaults()["relight"].of("AWS::CloudTrail::Trail")); n != 0 {
		t.Errorf("%d trails although none is configured", n)
	}
	s := synth(`{"trail":{"create":true}}`, stack.ARM64, home)["relight"]
	id, trail := s.only(t, "AWS::CloudTrail::Trail")
	p := trail.Properties
	for _, on := range []string{"IsLogging", "IsMultiRegionTrail", "IncludeGlobalServiceEvents", "EnableLogFileValidation"} {
		if p[on] != true {
			t.Errorf("%s is %v", on, p[on])
		}
	}
	if p["TrailName"] != "relight" || p["EventSelectors"] != nil || p["AdvancedEventSelectors"] != nil {
		t.Errorf("trail %v, want the default selectors, which select every management event", p)
	}
	named := func(property, typ string) string {
		id := strings.TrimSuffix(strings.TrimPrefix(text(p[property]), "${"), "}")
		id, _, _ = strings.Cut(id, ".")
		if s.Resources[id].Type != typ {
			t.Errorf("%s is %s, want one of type %s", property, text(p[property]), typ)
		}
		return id
	}
	bucket, role := named("S3BucketName", "AWS::S3::Bucket"), named("CloudWatchLogsRoleArn", "AWS::IAM::Role")
	group, key := named("CloudWatchLogsLogGroupArn", "AWS::Logs::LogGroup"), named("KMSKeyId", "AWS::KMS::Key")

	arnOfTrail := "arn:${AWS::Partition}:cloudtrail:" + home + ":${AWS::AccountId}:trail/relight"
	var policies []string
	for id, r := range s.of("AWS::S3::BucketPolicy") {
		denies, writes := false, false
		for _, st := range list(at(r.Properties, "PolicyDocument", "Statement")) {
			switch {
			case at(st, "Effect") == "Deny" && text(at(st, "Condition", "Bool", "aws:SecureTransport")) == "false":
				denies = true
			case at(st, "Principal", "Service") == "cloudtrail.amazonaws.com":
				writes = true
				if got := text(at(st, "Condition", "StringEquals", "aws:SourceArn")); got != arnOfTrail {
					t.Errorf("%s admits trail %s, want %s", id, got, arnOfTrail)
				}
			}
		}
		if own := text(r.Properties["Bucket"]) == ref(bucket); !denies || writes != own {
			t.Errorf("%s: denies plain HTTP %t, admits CloudTrail %t", id, denies, writes)
		} else if own {
			policies = append(policies, id)
		}
	}
	if len(policies) != 1 || !slices.Contains(trail.DependsOn, policies[0]) {
		t.Errorf("%s depends on %v, want the policy of its bucket, %v", id, trail.DependsOn, policies)
	}
	for id, b := range s.of("AWS::S3::Bucket") {
		public := at(b.Properties, "PublicAccessBlockConfiguration")
		for _, block := range []string{"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"} {
			if at(public, block) != true {
				t.Errorf("%s: %s is %v", id, block, at(public, block))
			}
		}
		if at(b.Properties, "VersioningConfiguration", "Status") != "Enabled" || at(b.Properties, "BucketEncryption") == nil {
			t.Errorf("%s: versions %v, encryption %v", id, b.Properties["VersioningConfiguration"], b.Properties["BucketEncryption"])
		}
	}
	if at(s.Resources[bucket].Properties, "LoggingConfiguration", "DestinationBucketName") == nil {
		t.Error("reads of the bucket are not logged")
	}
	if g := s.Resources[group].Properties; g["LogGroupName"] != "relight-trail" || seconds(g["RetentionInDays"]) != 365 {
		t.Errorf("log group %v", g)
	}
	// The trust must not have a condition on the source, which CloudTrail does not
	// name when it delivers to CloudWatch Logs.
	trust := list(at(s.Resources[role].Properties, "AssumeRolePolicyDocument", "Statement"))
	if len(trust) != 1 || text(at(trust[0], "Principal", "Service")) != "cloudtrail.amazonaws.com" || at(trust[0], "Condition") != nil {
		t.Errorf("trust of the trail's role is %s, want CloudTrail without a condition", text(trust))
	}
	if s.Resources[key].Properties["EnableKeyRotation"] != true {
		t.Error("the key is not rotated")
	}
	for rid, r := range s.Resources {
		if strings.HasPrefix(rid, "trail") && slices.Contains([]string{
			"AWS::S3::Bucket", "AWS::S3::BucketPolicy", "AWS::KMS::Key", "AWS::Logs::LogGroup", "AWS::CloudTrail::Trail",
		}, r.Type) && !strings.HasPrefix(rid, "trails") && (!strings.HasPrefix(r.DeletionPolicy, "Retain") || r.UpdateReplacePolicy != "Retain") {
			t.Errorf("%s would be deleted with the stack: %s, %s", rid, r.DeletionPolicy, r.UpdateReplacePolicy)
		}
	}
}
