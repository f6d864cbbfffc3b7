package awstest

import (
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
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
	{"new trail does not log until it is started", "CloudTrail User Guide, Creating a trail with the AWS CLI", func(p *party) error {
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
	{"new trail records every management event", "CloudTrail User Guide, Logging management events", func(p *party) error {
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
	{"second trail with the same name is refused", "CloudTrail API Reference, CreateTrail, Errors", func(p *party) error {
		if err := p.trail(nil); err != nil {
			return err
		}
		_, err := p.CloudTrail.CreateTrail(p.ctx, &cloudtrail.CreateTrailInput{Name: aws.String(p.id), S3BucketName: aws.String(p.Bucket)})
		return refused("second CreateTrail", err, "TrailAlreadyExistsException")
	}},
	{"trail to a bucket that does not exist", "CloudTrail API Reference, CreateTrail, Errors", func(p *party) error {
		err := p.trail(func(in *cloudtrail.CreateTrailInput) { in.S3BucketName = aws.String(p.id + "-missing") })
		return refused("CreateTrail", err, "S3BucketDoesNotExistException")
	}},
	{"trail to a log group that does not exist", "CloudTrail API Reference, CreateTrail, Errors", func(p *party) error {
		err := p.trail(func(in *cloudtrail.CreateTrailInput) { in.CloudWatchLogsLogGroupArn = p.groupARN(p.id + "-missing") })
		return refused("CreateTrail", err, "InvalidCloudWatchLogsLogGroupArnException")
	}},
	{"update of a trail keeps omitted settings", "CloudTrail User Guide, Updating a trail with the AWS CLI", func(p *party) error {
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
	{"empty texts remove a trail's log group", "CloudTrail User Guide, Sending events to CloudWatch Logs, Stopping delivery", func(p *party) error {
		if err := p.trail(nil); err != nil {
			return err
		}
		if err := p.update(cloudtrail.UpdateTrailInput{CloudWatchLogsLogGroupArn: aws.String(""), CloudWatchLogsRoleArn: aws.String("")}); err != nil {
			return err
		}
		t, err := p.describeTrail()
		return errors.Join(err, want("log group", aws.ToString(t.CloudWatchLogsLogGroupArn), ""), want("role", aws.ToString(t.CloudWatchLogsRoleArn), ""))
	}},
	{"deleted trail is unknown", "CloudTrail API Reference, GetTrailStatus, Errors", func(p *party) error {
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
	{"one form of event selectors replaces the other", "CloudTrail API Reference, PutEventSelectors", func(p *party) error {
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
	{"parameter too long for the standard tier", "AWS Systems Manager User Guide, Managing parameter tiers", func(p *party) error {
		name := aws.String("/" + p.id + "/long")
		_, err := p.SSM.PutParameter(p.ctx, &ssm.PutParameterInput{
			Name: name, Value: aws.String(strings.Repeat("x", standardValue+1)), Type: ssmtypes.ParameterTypeString, Tier: ssmtypes.ParameterTierStandard,
		})
		p.later(func() { _, _ = p.SSM.DeleteParameter(p.ctx, &ssm.DeleteParameterInput{Name: name}) })
		return refused("PutParameter", err, "ValidationException")
	}},
	{"parameter is overwritten, and moves up a tier automatically", "AWS Systems Manager API Reference, PutParameter; User Guide, Managing parameter tiers", func(p *party) error {
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
