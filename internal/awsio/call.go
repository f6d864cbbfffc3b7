package awsio

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

// A place is where a call goes and what it is called in errors.
type place struct {
	region string
	op     string // service and operation: "ec2.CreateFlowLogs"
	target string // what the call is about; the region where it is about many
}

// call makes one AWS call in its region, within the quota, and classifies its
// error.
func call[In, Out, Options any](
	ctx context.Context, p *Pace, at place,
	f func(context.Context, *In, ...func(*Options)) (*Out, error), in *In, region func(*Options),
) (*Out, error) {
	if at.target == "" {
		at.target = at.region
	}
	if err := p.wait(ctx, at.region, at.op); err != nil {
		return nil, wrap(at.op, at.target, err)
	}
	out, err := f(ctx, in, region)
	return out, wrap(at.op, at.target, err)
}

func ec2In(region string) func(*ec2.Options) {
	return func(o *ec2.Options) { o.Region = region }
}

func logsIn(region string) func(*cloudwatchlogs.Options) {
	return func(o *cloudwatchlogs.Options) { o.Region = region }
}

func cloudWatchIn(region string) func(*cloudwatch.Options) {
	return func(o *cloudwatch.Options) { o.Region = region }
}

func cloudTrailIn(region string) func(*cloudtrail.Options) {
	return func(o *cloudtrail.Options) { o.Region = region }
}

func kmsIn(region string) func(*kms.Options) {
	return func(o *kms.Options) { o.Region = region }
}

func snsIn(region string) func(*sns.Options) {
	return func(o *sns.Options) { o.Region = region }
}

func ssmIn(region string) func(*ssm.Options) {
	return func(o *ssm.Options) { o.Region = region }
}

// iamIn names the region whose partition has the account; IAM has none.
func iamIn(region string) func(*iam.Options) {
	return func(o *iam.Options) { o.Region = region }
}

func lambdaIn(region string) func(*lambda.Options) {
	return func(o *lambda.Options) { o.Region = region }
}
