package awstest

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// What follows lists a whole account, as a person does who removes relight. The functions
// never do.

// DescribeAs gives a key a description and tags.
func (a *Account) DescribeAs(key, description string, tags map[string]string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.keyTexts == nil {
		a.keyTexts, a.keyTags = map[string]string{}, map[string]map[string]string{}
	}
	a.keyTexts[key], a.keyTags[key] = description, tags
}

func listTopics(c *request, in *sns.ListTopicsInput) (*sns.ListTopicsOutput, error) {
	found := map[string]snstypes.Topic{}
	for arn := range c.topics {
		found[arn] = snstypes.Topic{TopicArn: aws.String(arn)}
	}
	list, token, err := paged(c, page{token: in.NextToken, usual: 100, bad: "InvalidParameter"}, found)
	return &sns.ListTopicsOutput{Topics: list, NextToken: token}, err
}

func listTopicTags(c *request, in *sns.ListTagsForResourceInput) (*sns.ListTagsForResourceOutput, error) {
	t := c.topics[*in.ResourceArn]
	if t == nil {
		return nil, refuse("ResourceNotFound", "Resource does not exist")
	}
	out := &sns.ListTagsForResourceOutput{}
	for k, v := range t.tags {
		out.Tags = append(out.Tags, snstypes.Tag{Key: aws.String(k), Value: aws.String(v)})
	}
	return out, nil
}

func listKeys(c *request, in *kms.ListKeysInput) (*kms.ListKeysOutput, error) {
	found := map[string]kmstypes.KeyListEntry{}
	for arn := range c.keys {
		if strings.Split(arn, ":")[3] == c.name {
			_, id, _ := strings.Cut(arn, ":key/")
			found[arn] = kmstypes.KeyListEntry{KeyArn: aws.String(arn), KeyId: aws.String(id)}
		}
	}
	list, token, err := paged(c, page{token: in.Marker, ask: in.Limit, least: 1, most: 1000, usual: 100, limit: "ValidationException", bad: "InvalidMarkerException"}, found)
	return &kms.ListKeysOutput{Keys: list, NextMarker: token, Truncated: token != nil}, err
}

func listKeyTags(c *request, in *kms.ListResourceTagsInput) (*kms.ListResourceTagsOutput, error) {
	arn, found := c.key(in.KeyId)
	if !found {
		return nil, noKey(in.KeyId)
	}
	tags := map[string]kmstypes.Tag{}
	for k, v := range c.keyTags[arn] {
		tags[k] = kmstypes.Tag{TagKey: aws.String(k), TagValue: aws.String(v)}
	}
	list, token, err := paged(c, page{token: in.Marker, ask: in.Limit, least: 1, most: 50, usual: 50, limit: "ValidationException", bad: "InvalidMarkerException"}, tags)
	return &kms.ListResourceTagsOutput{Tags: list, NextMarker: token, Truncated: token != nil}, err
}

// listRoles lists roles without their tags. Source: IAM API Reference, ListRoles.
func listRoles(c *request, in *iam.ListRolesInput) (*iam.ListRolesOutput, error) {
	found := map[string]iamtypes.Role{}
	for name, r := range c.roles.read(in.Marker == nil) {
		if strings.HasPrefix(r.path, aws.ToString(in.PathPrefix)) {
			one := *describeRole(r)
			one.Tags = nil
			found[name] = one
		}
	}
	list, marker, err := paged(c, iamPage(in.Marker, in.MaxItems), found)
	return &iam.ListRolesOutput{Roles: list, Marker: marker, IsTruncated: marker != nil}, err
}

func getParametersByPath(c *request, in *ssm.GetParametersByPathInput) (*ssm.GetParametersByPathOutput, error) {
	found := map[string]ssmtypes.Parameter{}
	for name, p := range c.params {
		below, ok := strings.CutPrefix(name, strings.TrimSuffix(*in.Path, "/")+"/")
		if ok && (aws.ToBool(in.Recursive) || !strings.Contains(below, "/")) {
			newest := p[len(p)-1]
			found[name] = ssmtypes.Parameter{Name: aws.String(name), Value: newest.Value, Type: newest.Type, Version: newest.Version}
		}
	}
	list, token, err := paged(c, page{token: in.NextToken, ask: in.MaxResults, least: 1, most: 10, usual: 10, limit: "ValidationException", bad: "InvalidNextToken"}, found)
	return &ssm.GetParametersByPathOutput{Parameters: list, NextToken: token}, err
}

func listSchedules(c *request, in *scheduler.ListSchedulesInput) (*scheduler.ListSchedulesOutput, error) {
	found := map[string]schedulertypes.ScheduleSummary{}
	for name, s := range c.schedules {
		if strings.HasPrefix(name, aws.ToString(in.NamePrefix)) {
			one := schedulertypes.ScheduleSummary{Name: aws.String(name)}
			if s.Target != nil {
				one.Target = &schedulertypes.TargetSummary{Arn: s.Target.Arn}
			}
			found[name] = one
		}
	}
	list, token, err := paged(c, page{token: in.NextToken, ask: in.MaxResults, least: 1, most: 100, usual: 100, limit: "ValidationException", bad: "ValidationException"}, found)
	return &scheduler.ListSchedulesOutput{Schedules: list, NextToken: token}, err
}

// listQueueTags returns no tags: the queues here have none.
func listQueueTags(c *request, in *sqs.ListQueueTagsInput) (*sqs.ListQueueTagsOutput, error) {
	_, _, err := c.queue(in.QueueUrl)
	return &sqs.ListQueueTagsOutput{}, err
}

// listingOperations are the operations that this file answers.
var listingOperations = []operation{
	handle(listTopics), handle(listTopicTags), handle(listKeys), handle(listKeyTags), handle(listRoles), handle(getParametersByPath), handle(listSchedules), handle(listQueueTags),
}
