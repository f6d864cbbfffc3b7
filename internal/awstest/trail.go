package awstest

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
)

// AddTrail adds a trail. An organisation's trail in a member account has the
// ARNs of its owner. Source: CloudTrail API Reference, Trail.
func (a *Account) AddTrail(t types.Trail) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.trails[aws.ToString(t.TrailARN)] = t
}

// RemoveTrail removes a trail.
func (a *Account) RemoveTrail(arn string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.trails, arn)
}

// AddTrailTo adds a multi-region trail whose home is the account's and the
// log group it delivers to, which it creates. It returns the trail's ARN.
func (a *Account) AddTrailTo(name, group string) string {
	_, err := a.CreateLogGroup(context.Background(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String(group)})
	if err != nil {
		panic("awstest: " + err.Error()) // a test's own mistake
	}
	t := types.Trail{
		Name: aws.String(name), TrailARN: aws.String("arn:aws:cloudtrail:" + a.Home + ":" + a.ID + ":trail/" + name),
		HomeRegion: aws.String(a.Home), IsMultiRegionTrail: aws.Bool(true), IsOrganizationTrail: aws.Bool(false),
		CloudWatchLogsLogGroupArn: aws.String("arn:aws:logs:" + a.Home + ":" + a.ID + ":log-group:" + group + ":*"),
	}
	a.AddTrail(t)
	return *t.TrailARN
}

// DescribeTrails lists the trails of a region with, unless they are not
// wanted, the shadows of those whose home is another. It does not page.
// Source: CloudTrail API Reference, DescribeTrails.
func (a *Account) DescribeTrails(ctx context.Context, in *cloudtrail.DescribeTrailsInput, opts ...func(*cloudtrail.Options)) (*cloudtrail.DescribeTrailsOutput, error) {
	const op = "DescribeTrails"
	var o cloudtrail.Options
	for _, f := range opts {
		f(&o)
	}
	r, end, err := a.begin(ctx, op, o.Region)
	defer end()
	if err != nil {
		return nil, err
	}
	shadows := in.IncludeShadowTrails == nil || *in.IncludeShadowTrails
	out := &cloudtrail.DescribeTrailsOutput{}
	for arn, t := range a.trails {
		here := aws.ToString(t.HomeRegion) == r.name
		named := len(in.TrailNameList) == 0 || slices.Contains(in.TrailNameList, arn) || here && slices.Contains(in.TrailNameList, aws.ToString(t.Name))
		if named && (here || shadows && aws.ToBool(t.IsMultiRegionTrail)) {
			out.TrailList = append(out.TrailList, t)
		}
	}
	return out, nil
}

// CreateTrail creates a trail; its bucket is not looked at.
func (a *Account) CreateTrail(ctx context.Context, in *cloudtrail.CreateTrailInput, opts ...func(*cloudtrail.Options)) (*cloudtrail.CreateTrailOutput, error) {
	const op = "CreateTrail"
	var o cloudtrail.Options
	for _, f := range opts {
		f(&o)
	}
	r, end, err := a.begin(ctx, op, o.Region)
	defer end()
	if err != nil {
		return nil, err
	}
	name := aws.ToString(in.Name)
	arn := "arn:aws:cloudtrail:" + r.name + ":" + a.ID + ":trail/" + name
	switch _, exists := a.trails[arn]; {
	case exists:
		return nil, refuse(op, "TrailAlreadyExistsException", "trail %s already exists", name)
	case aws.ToString(in.S3BucketName) == "":
		return nil, refuse(op, "InvalidS3BucketNameException", "the bucket is missing")
	}
	a.trails[arn] = types.Trail{
		Name: in.Name, TrailARN: aws.String(arn), HomeRegion: aws.String(r.name), S3BucketName: in.S3BucketName,
		IsMultiRegionTrail: aws.Bool(aws.ToBool(in.IsMultiRegionTrail)), IsOrganizationTrail: aws.Bool(aws.ToBool(in.IsOrganizationTrail)),
		CloudWatchLogsLogGroupArn: in.CloudWatchLogsLogGroupArn,
	}
	a.wrote(op, r, name)
	return &cloudtrail.CreateTrailOutput{Name: in.Name, TrailARN: aws.String(arn)}, nil
}
