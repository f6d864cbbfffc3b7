package awstest

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

func (p *party) groupARN(group string) *string {
	return aws.String(p.arn("logs", "log-group:"+group+":*"))
}

func (p *party) arn(service, resource string) string {
	return "arn:aws:" + service + ":" + p.Region + ":" + p.Account + ":" + resource
}

// trail makes a trail with the clause's name, which delivers to a log group of
// that name.
func (p *party) trail(change func(*cloudtrail.CreateTrailInput)) error {
	if err := p.group(p.id, nil); err != nil {
		return err
	}
	in := &cloudtrail.CreateTrailInput{
		Name: aws.String(p.id), S3BucketName: aws.String(p.Bucket), IsMultiRegionTrail: aws.Bool(true), EnableLogFileValidation: aws.Bool(true),
		CloudWatchLogsLogGroupArn: p.groupARN(p.id), CloudWatchLogsRoleArn: aws.String(p.TrailRole),
	}
	if change != nil {
		change(in)
	}
	_, err := p.CloudTrail.CreateTrail(p.ctx, in)
	if err == nil {
		p.later(func() {
			_, _ = p.CloudTrail.DeleteTrail(p.ctx, &cloudtrail.DeleteTrailInput{Name: aws.String(p.id)})
		})
	}
	return err
}

// describeTrail returns the trail with the clause's name.
func (p *party) describeTrail() (types.Trail, error) {
	out, err := p.CloudTrail.DescribeTrails(p.ctx, &cloudtrail.DescribeTrailsInput{})
	if err != nil {
		return types.Trail{}, err
	}
	for _, t := range out.TrailList {
		if aws.ToString(t.Name) == p.id {
			return t, nil
		}
	}
	return types.Trail{}, errors.New("the trail is not listed")
}

func (p *party) logging(name string) (bool, error) {
	out, err := p.CloudTrail.GetTrailStatus(p.ctx, &cloudtrail.GetTrailStatusInput{Name: aws.String(name)})
	if err != nil {
		return false, err
	}
	return aws.ToBool(out.IsLogging), nil
}

func (p *party) selectors() (*cloudtrail.GetEventSelectorsOutput, error) {
	return p.CloudTrail.GetEventSelectors(p.ctx, &cloudtrail.GetEventSelectorsInput{TrailName: aws.String(p.id)})
}

func (p *party) update(change cloudtrail.UpdateTrailInput) error {
	change.Name = aws.String(p.id)
	_, err := p.CloudTrail.UpdateTrail(p.ctx, &change)
	return err
}

var trailClauses = []clause{
	{name: "new trail does not log until it is started", source: "CloudTrail User Guide, Creating a trail with the AWS CLI", grade: Documented, check: func(p *party) error {
		if err := p.trail(nil); err != nil {
			return err
		}
		before, err := p.logging(p.id)
		if err != nil {
			return err
		}
		arn := p.arn("cloudtrail", "trail/"+p.id)
		if _, err := p.CloudTrail.StartLogging(p.ctx, &cloudtrail.StartLoggingInput{Name: aws.String(arn)}); err != nil {
			return err
		}
		after, err := p.logging(arn)
		return errors.Join(err, want("logging before", before, false), want("logging after", after, true))
	}},
	{name: "new trail records every management event", source: "CloudTrail User Guide, Logging management events", grade: Recorded, record: custodian + "2019-01-23", check: func(p *party) error {
		if err := p.trail(nil); err != nil {
			return err
		}
		out, err := p.selectors()
		if err != nil || len(out.EventSelectors) != 1 {
			return errors.Join(err, want("basic selectors", len(out.EventSelectors), 1))
		}
		s := out.EventSelectors[0]
		return errors.Join(want("type", s.ReadWriteType, types.ReadWriteTypeAll), want("management", aws.ToBool(s.IncludeManagementEvents), true),
			want("excluded", len(s.ExcludeManagementEventSources), 0), want("advanced", len(out.AdvancedEventSelectors), 0))
	}},
	{name: "second trail with the same name is refused", source: "CloudTrail API Reference, CreateTrail, Errors", grade: Documented, check: func(p *party) error {
		if err := p.trail(nil); err != nil {
			return err
		}
		_, err := p.CloudTrail.CreateTrail(p.ctx, &cloudtrail.CreateTrailInput{Name: aws.String(p.id), S3BucketName: aws.String(p.Bucket)})
		return refused("second CreateTrail", err, "TrailAlreadyExistsException")
	}},
	{name: "trail to a bucket that does not exist", source: "CloudTrail API Reference, CreateTrail, Errors", grade: Documented, check: func(p *party) error {
		err := p.trail(func(in *cloudtrail.CreateTrailInput) { in.S3BucketName = aws.String(p.id + "-missing") })
		return refused("CreateTrail", err, "S3BucketDoesNotExistException")
	}},
	{name: "trail to a log group that does not exist", source: "CloudTrail API Reference, CreateTrail, Errors", grade: Documented, check: func(p *party) error {
		err := p.trail(func(in *cloudtrail.CreateTrailInput) { in.CloudWatchLogsLogGroupArn = p.groupARN(p.id + "-missing") })
		return refused("CreateTrail", err, "InvalidCloudWatchLogsLogGroupArnException")
	}},
	{name: "update of a trail keeps omitted settings", source: "CloudTrail User Guide, Updating a trail with the AWS CLI", grade: Recorded, record: stackd + "2026-09-20, of topic and key", check: func(p *party) error {
		if err := p.trail(nil); err != nil {
			return err
		}
		if err := p.update(cloudtrail.UpdateTrailInput{EnableLogFileValidation: aws.Bool(false)}); err != nil {
			return err
		}
		t, err := p.describeTrail()
		return errors.Join(err, want("validation", aws.ToBool(t.LogFileValidationEnabled), false), want("every region", aws.ToBool(t.IsMultiRegionTrail), true),
			want("bucket", aws.ToString(t.S3BucketName), p.Bucket), want("log group", aws.ToString(t.CloudWatchLogsLogGroupArn), *p.groupARN(p.id)))
	}},
	{name: "empty texts remove a trail's log group", source: "CloudTrail User Guide, Sending events to CloudWatch Logs, Stopping delivery", grade: Recorded, record: stackd + "2026-09-20", check: func(p *party) error {
		if err := p.trail(nil); err != nil {
			return err
		}
		if err := p.update(cloudtrail.UpdateTrailInput{CloudWatchLogsLogGroupArn: aws.String(""), CloudWatchLogsRoleArn: aws.String("")}); err != nil {
			return err
		}
		t, err := p.describeTrail()
		return errors.Join(err, want("log group", aws.ToString(t.CloudWatchLogsLogGroupArn), ""), want("role", aws.ToString(t.CloudWatchLogsRoleArn), ""))
	}},
	{name: "trail with a log group but no role, or the reverse, is refused", source: "Captures of CreateTrail", grade: Recorded, record: stackd + "2026-09-12 to 2026-09-20", check: func(p *party) error {
		group := p.trail(func(in *cloudtrail.CreateTrailInput) { in.CloudWatchLogsRoleArn = nil })
		_, role := p.CloudTrail.CreateTrail(p.ctx, &cloudtrail.CreateTrailInput{
			Name: aws.String(p.id), S3BucketName: aws.String(p.Bucket), CloudWatchLogsRoleArn: aws.String(p.TrailRole),
		})
		return errors.Join(refused("without a role", group, "InvalidCloudWatchLogsRoleArnException"), refused("without a log group", role, "InvalidCloudWatchLogsLogGroupArnException"))
	}},
	{name: "update of a trail checks the topic that it keeps, and an empty text removes the topic", source: "Captures of UpdateTrail", grade: Recorded, record: stackd + "2026-09-13", check: func(p *party) error {
		if err := p.trail(nil); err != nil {
			return err
		}
		topic, err := p.SNS.CreateTopic(p.ctx, &sns.CreateTopicInput{Name: aws.String(p.id), Attributes: map[string]string{
			"Policy": `{"Version":"2012-10-17","Statement":[{"Sid":"trail","Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"sns:Publish","Resource":"` +
				p.arn("sns", p.id) + `"}]}`,
		}})
		if err != nil {
			return err
		}
		missing := p.update(cloudtrail.UpdateTrailInput{SnsTopicName: aws.String(p.id + "-missing")})
		if err := p.update(cloudtrail.UpdateTrailInput{SnsTopicName: topic.TopicArn}); err != nil {
			return err
		}
		if _, err := p.SNS.DeleteTopic(p.ctx, &sns.DeleteTopicInput{TopicArn: topic.TopicArn}); err != nil {
			return err
		}
		kept := p.update(cloudtrail.UpdateTrailInput{EnableLogFileValidation: aws.Bool(false)})
		removed := p.update(cloudtrail.UpdateTrailInput{EnableLogFileValidation: aws.Bool(false), SnsTopicName: aws.String("")})
		t, err := p.describeTrail()
		return errors.Join(err, removed, refused("UpdateTrail to a topic that does not exist", missing, "InsufficientSnsTopicPolicyException"),
			refused("UpdateTrail that keeps a deleted topic", kept, "InsufficientSnsTopicPolicyException"),
			want("topic", aws.ToString(t.SnsTopicARN), ""), want("validation", aws.ToBool(t.LogFileValidationEnabled), false))
	}},
	{name: "an empty log group alone removes both, and a log group with an empty role is refused", source: "Captures of UpdateTrail", grade: Recorded, record: stackd + "2026-09-13 to 2026-09-20", check: func(p *party) error {
		if err := p.trail(nil); err != nil {
			return err
		}
		half := p.update(cloudtrail.UpdateTrailInput{CloudWatchLogsLogGroupArn: p.groupARN(p.id), CloudWatchLogsRoleArn: aws.String("")})
		kept, err := p.describeTrail()
		if err != nil {
			return err
		}
		err = p.update(cloudtrail.UpdateTrailInput{CloudWatchLogsLogGroupArn: aws.String("")})
		off, again := p.describeTrail()
		return errors.Join(err, again, refused("a log group with an empty role", half, "InvalidCloudWatchLogsRoleArnException"),
			want("log group after it", aws.ToString(kept.CloudWatchLogsLogGroupArn), *p.groupARN(p.id)),
			want("log group", aws.ToString(off.CloudWatchLogsLogGroupArn), ""), want("role", aws.ToString(off.CloudWatchLogsRoleArn), ""))
	}},
	{name: "fields of an advanced selector are returned sorted by name", source: "A reply of GetEventSelectors", grade: Recorded, record: stackd + "2026-09-13", check: func(p *party) error {
		if err := p.trail(nil); err != nil {
			return err
		}
		_, err := p.CloudTrail.PutEventSelectors(p.ctx, &cloudtrail.PutEventSelectorsInput{TrailName: aws.String(p.id), AdvancedEventSelectors: []types.AdvancedEventSelector{{
			FieldSelectors: []types.AdvancedFieldSelector{
				{Field: aws.String("eventCategory"), Equals: []string{"Data"}},
				{Field: aws.String("resources.type"), Equals: []string{"AWS::S3::Object"}},
				{Field: aws.String("resources.ARN"), StartsWith: []string{"arn:aws:s3:::" + p.id + "/"}},
			},
		}}})
		if err != nil {
			return err
		}
		out, err := p.selectors()
		if err != nil || len(out.AdvancedEventSelectors) != 1 {
			return errors.Join(err, want("advanced", len(out.AdvancedEventSelectors), 1))
		}
		var names []string
		for _, f := range out.AdvancedEventSelectors[0].FieldSelectors {
			names = append(names, aws.ToString(f.Field))
		}
		return want("fields", strings.Join(names, " "), "eventCategory resources.ARN resources.type")
	}},
	{name: "selectors beyond the limits are refused", source: "CloudTrail User Guide, Quotas in AWS CloudTrail", grade: Documented, check: func(p *party) error {
		if err := p.trail(nil); err != nil {
			return err
		}
		many := types.DataResource{Type: aws.String("AWS::S3::Object")}
		for i := range dataResources + 1 {
			many.Values = append(many.Values, fmt.Sprintf("arn:aws:s3:::%s-%d/", p.id, i))
		}
		_, err := p.CloudTrail.PutEventSelectors(p.ctx, &cloudtrail.PutEventSelectorsInput{
			TrailName: aws.String(p.id), EventSelectors: []types.EventSelector{{DataResources: []types.DataResource{many}}},
		})
		return refused("PutEventSelectors", err, "InvalidEventSelectorsException")
	}},
	{name: "deleted trail is unknown", source: "CloudTrail API Reference, GetTrailStatus, Errors", grade: Recorded, record: custodian + "2019-07-31", check: func(p *party) error {
		if err := p.trail(nil); err != nil {
			return err
		}
		arn := p.arn("cloudtrail", "trail/"+p.id)
		if _, err := p.CloudTrail.DeleteTrail(p.ctx, &cloudtrail.DeleteTrailInput{Name: aws.String(arn)}); err != nil {
			return err
		}
		_, status := p.logging(arn)
		_, start := p.CloudTrail.StartLogging(p.ctx, &cloudtrail.StartLoggingInput{Name: aws.String(p.id)})
		return errors.Join(refused("GetTrailStatus", status, "TrailNotFoundException"), refused("StartLogging", start, "TrailNotFoundException"))
	}},
	{name: "one form of event selectors replaces the other", source: "CloudTrail API Reference, PutEventSelectors", grade: Documented, check: func(p *party) error {
		if err := p.trail(nil); err != nil {
			return err
		}
		in := &cloudtrail.PutEventSelectorsInput{TrailName: aws.String(p.id), AdvancedEventSelectors: []types.AdvancedEventSelector{{
			FieldSelectors: []types.AdvancedFieldSelector{{Field: aws.String("eventCategory"), Equals: []string{"Management"}}},
		}}}
		if _, err := p.CloudTrail.PutEventSelectors(p.ctx, in); err != nil {
			return err
		}
		out, err := p.selectors()
		if err != nil {
			return err
		}
		if err := errors.Join(want("advanced", len(out.AdvancedEventSelectors), 1), want("basic beside it", len(out.EventSelectors), 0)); err != nil {
			return err
		}
		in.AdvancedEventSelectors, in.EventSelectors = nil, []types.EventSelector{{IncludeManagementEvents: aws.Bool(true), ReadWriteType: types.ReadWriteTypeReadOnly}}
		if _, err := p.CloudTrail.PutEventSelectors(p.ctx, in); err != nil {
			return err
		}
		out, err = p.selectors()
		if err != nil || len(out.EventSelectors) != 1 {
			return errors.Join(err, want("basic", len(out.EventSelectors), 1))
		}
		return errors.Join(want("advanced beside it", len(out.AdvancedEventSelectors), 0), want("type", out.EventSelectors[0].ReadWriteType, types.ReadWriteTypeReadOnly))
	}},
	{name: "parameter too long for the standard tier", source: "AWS Systems Manager User Guide, Managing parameter tiers", grade: Documented, check: func(p *party) error {
		name := aws.String("/" + p.id + "/long")
		_, err := p.SSM.PutParameter(p.ctx, &ssm.PutParameterInput{
			Name: name, Value: aws.String(strings.Repeat("x", standardValue+1)), Type: ssmtypes.ParameterTypeString, Tier: ssmtypes.ParameterTierStandard,
		})
		p.later(func() { _, _ = p.SSM.DeleteParameter(p.ctx, &ssm.DeleteParameterInput{Name: name}) })
		return refused("PutParameter", err, "ValidationException")
	}},
	{name: "parameter is overwritten, and moves up a tier automatically", source: "AWS Systems Manager API Reference, PutParameter; User Guide, Managing parameter tiers", grade: Documented, check: func(p *party) error {
		name := aws.String("/" + p.id + "/memory")
		get := func() (string, error) {
			out, err := p.SSM.GetParameter(p.ctx, &ssm.GetParameterInput{Name: name})
			if err != nil {
				return "", err
			}
			return aws.ToString(out.Parameter.Value), nil
		}
		put := func(value string, tier ssmtypes.ParameterTier) error {
			_, err := p.SSM.PutParameter(p.ctx, &ssm.PutParameterInput{
				Name: name, Value: aws.String(value), Type: ssmtypes.ParameterTypeString, Overwrite: aws.Bool(true), Tier: tier,
			})
			return err
		}
		_, missing := get()
		long := strings.Repeat("x", standardValue+1)
		p.later(func() { _, _ = p.SSM.DeleteParameter(p.ctx, &ssm.DeleteParameterInput{Name: name}) })
		if err := errors.Join(put("a", ssmtypes.ParameterTierIntelligentTiering), put(long, ssmtypes.ParameterTierIntelligentTiering)); err != nil {
			return err
		}
		got, err := get()
		return errors.Join(err, refused("GetParameter of none", missing, "ParameterNotFound"), want("value", got, long))
	}},
}
