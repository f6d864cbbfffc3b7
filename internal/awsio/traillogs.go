package awsio

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"

	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

// trailAPI is what this file needs of *cloudtrail.Client, and no more.
type trailAPI interface {
	DescribeTrails(context.Context, *cloudtrail.DescribeTrailsInput, ...func(*cloudtrail.Options)) (*cloudtrail.DescribeTrailsOutput, error)
}

var _ trailAPI = (*cloudtrail.Client)(nil)

// trailLogs returns the log group whose filters and alarms are to be held. A
// configured name needs no call.
func (c *Cloud) trailLogs(ctx context.Context, s remedy.Scope) (plan.TrailLogs, error) {
	var trails []plan.Trail
	if c.Want.LogGroup.Name == "" {
		out, err := call(ctx, c.Pace, place{s.Region, "cloudtrail.DescribeTrails", ""}, c.Clients.CloudTrail.DescribeTrails,
			&cloudtrail.DescribeTrailsInput{IncludeShadowTrails: aws.Bool(true)}, cloudTrailIn(s.Region))
		if err != nil {
			return plan.TrailLogs{}, err
		}
		for _, t := range out.TrailList { // DescribeTrails does not page
			trails = append(trails, plan.Trail{
				ARN: aws.ToString(t.TrailARN), HomeRegion: aws.ToString(t.HomeRegion),
				MultiRegion: aws.ToBool(t.IsMultiRegionTrail),
				LogGroupARN: aws.ToString(t.CloudWatchLogsLogGroupArn),
			})
		}
	}
	return plan.ChooseTrailLogs(c.Want, s.Account, s.Region, trails), nil
}
