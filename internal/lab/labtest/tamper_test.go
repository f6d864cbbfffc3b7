package labtest

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"

	"github.com/relight-aws/relight/internal/lab"
)

// A role's permissions read back after each call that changes them.
func TestRoleChanges(t *testing.T) {
	const name = "changed"
	c := iam.NewFromConfig(config(lab.Region))
	role(t, name, "ec2.amazonaws.com", "logs:*")
	document := func(action string) *string {
		return aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"` + action + `","Resource":"*"}]}`)
	}
	made, err := c.CreatePolicy(t.Context(), &iam.CreatePolicyInput{PolicyName: aws.String(name), PolicyDocument: document("s3:*")})
	must(t, err)
	arn := made.Policy.Arn
	_, err = c.AttachRolePolicy(t.Context(), &iam.AttachRolePolicyInput{RoleName: aws.String(name), PolicyArn: arn})
	must(t, err)

	// version returns the policy's default version and its document.
	version := func() (string, string) {
		p, err := c.GetPolicy(t.Context(), &iam.GetPolicyInput{PolicyArn: arn})
		must(t, err)
		v, err := c.GetPolicyVersion(t.Context(), &iam.GetPolicyVersionInput{PolicyArn: arn, VersionId: p.Policy.DefaultVersionId})
		must(t, err)
		text, err := url.QueryUnescape(*v.PolicyVersion.Document)
		must(t, err)
		if !v.PolicyVersion.IsDefaultVersion {
			t.Errorf("version %s does not know that it is the default", *v.PolicyVersion.VersionId)
		}
		return *p.Policy.DefaultVersionId, text
	}
	_, err = c.CreatePolicyVersion(t.Context(), &iam.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: document("sqs:*"), SetAsDefault: true})
	must(t, err)
	if v, text := version(); v != "v2" || text != *document("sqs:*") {
		t.Errorf("default %s is %s", v, text)
	}
	_, err = c.SetDefaultPolicyVersion(t.Context(), &iam.SetDefaultPolicyVersionInput{PolicyArn: arn, VersionId: aws.String("v1")})
	must(t, err)
	if v, text := version(); v != "v1" || text != *document("s3:*") {
		t.Errorf("default %s is %s", v, text)
	}
	_, err = c.SetDefaultPolicyVersion(t.Context(), &iam.SetDefaultPolicyVersionInput{PolicyArn: arn, VersionId: aws.String("v9")})
	wantCode(t, err, "NoSuchEntity")

	get := func() *iam.GetRoleOutput {
		out, err := c.GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String(name)})
		must(t, err)
		return out
	}
	_, err = c.PutRolePermissionsBoundary(t.Context(), &iam.PutRolePermissionsBoundaryInput{RoleName: aws.String(name), PermissionsBoundary: arn})
	must(t, err)
	if got := get().Role.PermissionsBoundary; got == nil || *got.PermissionsBoundaryArn != *arn {
		t.Errorf("boundary %+v", got)
	}
	_, err = c.DeleteRolePermissionsBoundary(t.Context(), &iam.DeleteRolePermissionsBoundaryInput{RoleName: aws.String(name)})
	must(t, err)
	trust := `{"Version":"2012-10-17","Statement":[]}`
	_, err = c.UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String(name), PolicyDocument: &trust})
	must(t, err)
	got := get().Role
	if text, _ := url.QueryUnescape(*got.AssumeRolePolicyDocument); got.PermissionsBoundary != nil || text != trust {
		t.Errorf("role %+v with trust %s", got, text)
	}

	inline, err := c.ListRolePolicies(t.Context(), &iam.ListRolePoliciesInput{RoleName: aws.String(name)})
	must(t, err)
	policy, err := c.GetRolePolicy(t.Context(), &iam.GetRolePolicyInput{RoleName: aws.String(name), PolicyName: aws.String("p")})
	must(t, err)
	if text, _ := url.QueryUnescape(*policy.PolicyDocument); !slices.Equal(inline.PolicyNames, []string{"p"}) || !strings.Contains(text, "logs:*") {
		t.Errorf("inline policies %q, the first %s", inline.PolicyNames, text)
	}
	attached := func() int {
		out, err := c.ListAttachedRolePolicies(t.Context(), &iam.ListAttachedRolePoliciesInput{RoleName: aws.String(name)})
		must(t, err)
		return len(out.AttachedPolicies)
	}
	before := attached()
	_, err = c.DetachRolePolicy(t.Context(), &iam.DetachRolePolicyInput{RoleName: aws.String(name), PolicyArn: arn})
	must(t, err)
	if got := attached(); before != 1 || got != 0 {
		t.Errorf("%d policies and then %d, want 1 and 0", before, got)
	}
}

// A topic and its subscriptions read back as they were made and changed.
func TestTopicChanges(t *testing.T) {
	const region = "us-east-2"
	c := sns.NewFromConfig(config(region))
	made, err := c.CreateTopic(t.Context(), &sns.CreateTopicInput{
		Name: aws.String("changed"), Tags: []snstypes.Tag{{Key: aws.String("k"), Value: aws.String("v")}},
		Attributes: map[string]string{"KmsMasterKeyId": "alias/k", "Policy": `{"Version":"2012-10-17","Statement":[
			{"Sid":"a","Effect":"Allow","Principal":{"Service":"cloudwatch.amazonaws.com"},"Action":"sns:Publish","Resource":"*"},
			{"Sid":"b","Effect":"Allow","Principal":{"AWS":"*"},"Action":"sns:GetTopicAttributes","Resource":"*"}]}`},
	})
	must(t, err)
	arn := made.TopicArn
	topic := func() map[string]string {
		out, err := c.GetTopicAttributes(t.Context(), &sns.GetTopicAttributesInput{TopicArn: arn})
		must(t, err)
		return out.Attributes
	}
	tags, err := c.ListTagsForResource(t.Context(), &sns.ListTagsForResourceInput{ResourceArn: arn})
	must(t, err)
	if got := topic(); got["KmsMasterKeyId"] != "alias/k" || len(tags.Tags) != 1 || *tags.Tags[0].Value != "v" {
		t.Errorf("topic %v with tags %v", got, tags.Tags)
	}
	_, err = c.RemovePermission(t.Context(), &sns.RemovePermissionInput{TopicArn: arn, Label: aws.String("a")})
	must(t, err)
	var policy struct{ Statement []struct{ Sid string } }
	must(t, json.Unmarshal([]byte(topic()["Policy"]), &policy))
	if len(policy.Statement) != 1 || policy.Statement[0].Sid != "b" {
		t.Errorf("policy %+v, want statement b alone", policy)
	}

	subscribe := func(protocol, endpoint string) *string {
		out, err := c.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: arn, Protocol: &protocol, Endpoint: &endpoint, ReturnSubscriptionArn: true})
		must(t, err)
		return out.SubscriptionArn
	}
	queue, mail := subscribe("sqs", "arn:aws:sqs:"+region+":"+lab.Account+":none"), subscribe("email", "a@example.com")
	if got := topic(); got["SubscriptionsConfirmed"] != "1" || got["SubscriptionsPending"] != "1" {
		t.Errorf("counts %v", got)
	}
	if !strings.HasPrefix(*mail, *arn+":") {
		t.Errorf("ARN of the mail address %s, which was asked for", *mail)
	}
	filter := func(policy string) string {
		_, err := c.SetSubscriptionAttributes(t.Context(), &sns.SetSubscriptionAttributesInput{
			SubscriptionArn: queue, AttributeName: aws.String("FilterPolicy"), AttributeValue: &policy,
		})
		must(t, err)
		out, err := c.GetSubscriptionAttributes(t.Context(), &sns.GetSubscriptionAttributesInput{SubscriptionArn: queue})
		must(t, err)
		return out.Attributes["FilterPolicy"]
	}
	if got := filter(`{"a":["b"]}`); got != `{"a":["b"]}` {
		t.Errorf("filter policy %q", got)
	}
	if got := filter(`{}`); got != "" {
		t.Errorf("filter policy %q after it was removed", got)
	}
	_, err = c.Unsubscribe(t.Context(), &sns.UnsubscribeInput{SubscriptionArn: queue})
	must(t, err)
	if got := topic(); got["SubscriptionsConfirmed"] != "0" {
		t.Errorf("counts %v after Unsubscribe", got)
	}
	_, err = c.DeleteTopic(t.Context(), &sns.DeleteTopicInput{TopicArn: arn})
	must(t, err)
	all, err := c.ListSubscriptions(t.Context(), &sns.ListSubscriptionsInput{})
	must(t, err)
	for _, s := range all.Subscriptions {
		if *s.TopicArn == *arn {
			t.Errorf("subscription %s outlived its topic", *s.SubscriptionArn)
		}
	}
	_, err = c.GetTopicAttributes(t.Context(), &sns.GetTopicAttributesInput{TopicArn: arn})
	wantCode(t, err, "NotFound")
}

// A region that has been opted into is visible to EC2, and opting in raises an
// event in us-east-1.
func TestRegions(t *testing.T) {
	const name = "af-south-1"
	c := ec2.NewFromConfig(config(lab.Region))
	status := func(all bool) string {
		out, err := c.DescribeRegions(t.Context(), &ec2.DescribeRegionsInput{AllRegions: &all})
		must(t, err)
		for _, r := range out.Regions {
			if *r.RegionName == name {
				return *r.OptInStatus
			}
		}
		return ""
	}
	if all, own := status(true), status(false); all != "not-opted-in" || own != "" {
		t.Errorf("at first %q among all regions and %q among the account's", all, own)
	}
	s := subscribe(t, "us-east-1", "default", `{"source":["aws.account"]}`)
	cli(t, "eu-west-1", "account", "enable-region", "--region-name", name)
	if got := cli(t, lab.Region, "account", "get-region-opt-status", "--region-name", name, "--query", "RegionOptStatus", "--output", "text"); got != "ENABLED" {
		t.Errorf("status %s, want ENABLED", got)
	}
	if all, own := status(true), status(false); all != "opted-in" || own != "opted-in" {
		t.Errorf("enabled: %q among all regions and %q among the account's", all, own)
	}
	cli(t, lab.Region, "account", "disable-region", "--region-name", name)
	if all := status(true); all != "not-opted-in" {
		t.Errorf("disabled: %q", all)
	}
	var got []string
	for _, e := range s.next() {
		got = append(got, e.Record.EventName+" "+e.Record.RequestParameters["regionName"].(string))
	}
	if want := []string{"EnableRegion " + name, "DisableRegion " + name}; !slices.Equal(got, want) {
		t.Errorf("events %q, want %q", got, want)
	}
}

// Calls on a bucket raise events in its region; calls on its objects raise
// none.
func TestBucketEvents(t *testing.T) {
	const region, name = "us-west-2", "bucket-events"
	s := subscribe(t, region, "default", `{"source":["aws.s3"],"detail":{"errorCode":[{"exists":false}]}}`)
	cli(t, region, "s3", "mb", "s3://"+name)
	cli(t, region, "s3api", "put-bucket-policy", "--bucket", name, "--policy", *lab.TrailBucketPolicy(name))
	cli(t, region, "s3api", "put-object", "--bucket", name, "--key", "k")
	cli(t, region, "s3api", "put-bucket-lifecycle-configuration", "--bucket", name, "--lifecycle-configuration",
		`{"Rules":[{"ID":"r","Status":"Enabled","Filter":{"Prefix":""},"Expiration":{"Days":1}}]}`)
	cli(t, region, "s3api", "delete-bucket-policy", "--bucket", name)
	cli(t, region, "s3", "rb", "s3://"+name, "--force")
	var got []string
	for _, e := range s.next() {
		got = append(got, e.Record.EventName)
		if e.Region != region || e.Record.RequestParameters["bucketName"] != name {
			t.Errorf("%s in %s with %v", e.Record.EventName, e.Region, e.Record.RequestParameters)
		}
	}
	if want := []string{"CreateBucket", "PutBucketPolicy", "PutBucketLifecycle", "DeleteBucketPolicy", "DeleteBucket"}; !slices.Equal(got, want) {
		t.Errorf("events %q, want %q", got, want)
	}
}

// A key's state shows that it is disabled or scheduled for deletion.
func TestKeyStates(t *testing.T) {
	const region = "us-west-2"
	key := cli(t, region, "kms", "create-key", "--query", "KeyMetadata.KeyId", "--output", "text")
	state := func() string {
		return cli(t, region, "kms", "describe-key", "--key-id", key, "--query", "join(' ',[KeyMetadata.KeyState,to_string(KeyMetadata.Enabled)])", "--output", "text")
	}
	for _, step := range []struct{ call, want string }{
		{"", "Enabled true"},
		{"disable-key", "Disabled false"},
		{"enable-key", "Enabled true"},
		{"schedule-key-deletion", "PendingDeletion false"},
		{"cancel-key-deletion", "Disabled false"},
	} {
		if step.call != "" {
			cli(t, region, "kms", step.call, "--key-id", key)
		}
		if got := state(); got != step.want {
			t.Errorf("after %q: %s, want %s", step.call, got, step.want)
		}
	}
}

// A parameter keeps its history of versions, and a missing parameter is an
// error.
func TestParameters(t *testing.T) {
	const region = "us-west-2"
	put := func(args ...string) string {
		return cli(t, region, append([]string{"ssm", "put-parameter", "--name", "/relight/p", "--query", "Version", "--output", "text"}, args...)...)
	}
	get := func(args ...string) string {
		return cli(t, region, append([]string{"ssm", "get-parameter", "--output", "text", "--name"}, args...)...)
	}
	if v := put("--type", "String", "--value", "one"); v != "1" {
		t.Errorf("first version %s", v)
	}
	if v := put("--type", "SecureString", "--value", "two", "--overwrite"); v != "2" {
		t.Errorf("second version %s", v)
	}
	if got := get("/relight/p", "--with-decryption", "--query", "Parameter.[Value,Version,Type]"); got != "two\t2\tSecureString" {
		t.Errorf("parameter %q", got)
	}
	if got := get("/relight/p:1", "--query", "Parameter.Value"); got != "one" {
		t.Errorf("first version %q", got)
	}
	user := iamUser{"", lab.Account, lab.Secret}
	for call, code := range map[string]string{
		"ssm get-parameter --name /relight/none":                          "ParameterNotFound",
		"ssm put-parameter --name /relight/p --value three --type String": "ParameterAlreadyExists",
	} {
		if err := user.run(t, region, call); err == nil || !strings.Contains(err.Error(), code) {
			t.Errorf("%v, want %s", err, code)
		}
	}
}

// A VPC shows its current tags.
func TestVPCTags(t *testing.T) {
	c := ec2.NewFromConfig(config("us-west-2"))
	tag := func(key string) ec2types.Tag { return ec2types.Tag{Key: &key, Value: aws.String("v")} }
	made, err := c.CreateVpc(t.Context(), &ec2.CreateVpcInput{
		CidrBlock:         aws.String("10.0.0.0/16"),
		TagSpecifications: []ec2types.TagSpecification{{ResourceType: ec2types.ResourceTypeVpc, Tags: []ec2types.Tag{tag("a")}}},
	})
	must(t, err)
	id := *made.Vpc.VpcId
	tags := func() (keys []string) {
		out, err := c.DescribeVpcs(t.Context(), &ec2.DescribeVpcsInput{VpcIds: []string{id}})
		must(t, err)
		for _, tag := range out.Vpcs[0].Tags {
			keys = append(keys, *tag.Key)
		}
		slices.Sort(keys)
		return keys
	}
	_, err = c.CreateTags(t.Context(), &ec2.CreateTagsInput{Resources: []string{id}, Tags: []ec2types.Tag{tag("b")}})
	must(t, err)
	if got := tags(); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("tags %q, want a and b", got)
	}
	_, err = c.DeleteTags(t.Context(), &ec2.DeleteTagsInput{Resources: []string{id}, Tags: []ec2types.Tag{{Key: aws.String("a")}}})
	must(t, err)
	if got := tags(); !slices.Equal(got, []string{"b"}) {
		t.Errorf("tags %q, want b", got)
	}
}

// A pattern matches inside arrays of objects, one element at a time.
//
// Source: "Arrays in EventBridge event patterns",
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pattern-arrays.html
func TestPatternsOfArrays(t *testing.T) {
	c := eventbridge.NewFromConfig(config(lab.Region))
	const event = `{"id":"i","source":"aws.ec2","detail-type":"t","account":"111122223333","time":"2026-01-02T03:04:05Z","region":"us-east-1",
		"resources":[],"detail":{"requestParameters":{"tagSet":{"items":[{"key":"team","value":"x"},{"key":"relight:exempt","value":"true"}]}}}}`
	for items, want := range map[string]bool{
		`{"key":["relight:exempt"]}`:                            true,
		`{"key":["relight:exempt"],"value":["true"]}`:           true,
		`{"key":["relight:exempt"],"value":["x"]}`:              false,
		`{"key":["other"]}`:                                     false,
		`{"key":[{"prefix":"relight:"}]}`:                       true,
		`{"key":[{"anything-but":["team"]}]}`:                   true,
		`{"other":[{"exists":false}],"key":["team"]}`:           true,
		`{"value":[{"exists":false}],"key":["relight:exempt"]}`: false,
	} {
		pattern := `{"detail":{"requestParameters":{"tagSet":{"items":` + items + `}}}}`
		out, err := c.TestEventPattern(t.Context(), &eventbridge.TestEventPatternInput{Event: aws.String(event), EventPattern: &pattern})
		must(t, err)
		if out.Result != want {
			t.Errorf("%s matches: %v, want %v", items, out.Result, want)
		}
	}
	s := subscribe(t, "us-west-2", "default", `{"source":["aws.ec2"],"detail":{"eventName":["CreateTags"],"requestParameters":{"tagSet":{"items":{"key":["relight:exempt"]}}}}}`)
	id := vpc(t, ec2.NewFromConfig(config("us-west-2")))
	cli(t, "us-west-2", "ec2", "create-tags", "--resources", id, "--tags", "Key=team,Value=x")
	cli(t, "us-west-2", "ec2", "create-tags", "--resources", id, "--tags", "Key=team,Value=x", "Key=relight:exempt,Value=true")
	if got := s.next(); len(got) != 1 {
		t.Errorf("%d events, want the second call's", len(got))
	}
}
