package awsio

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
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

// A region is one region of one account, with the clients that call it. Global
// services such as IAM are called from a region of the account's partition.
type region struct {
	*Cloud
	account string // 12 digits
	name    string

	cloudtrail *cloudtrail.Client
	cloudwatch *cloudwatch.Client
	ec2        *ec2.Client
	iam        *iam.Client
	kms        *kms.Client
	lambda     *lambda.Client
	logs       *cloudwatchlogs.Client
	sns        *sns.Client
	ssm        *ssm.Client
}

// in returns a region of an account. It makes the region's clients once.
func (c *Cloud) in(account, name string) *region {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := [2]string{account, name}
	if r := c.regions[key]; r != nil {
		return r
	}
	r := &region{Cloud: c, account: account, name: name}
	cfg := r.watched(c.Config)
	r.cloudtrail = cloudtrail.NewFromConfig(cfg)
	r.cloudwatch = cloudwatch.NewFromConfig(cfg)
	r.ec2 = ec2.NewFromConfig(cfg)
	r.iam = iam.NewFromConfig(cfg)
	r.kms = kms.NewFromConfig(cfg)
	r.lambda = lambda.NewFromConfig(cfg)
	r.logs = cloudwatchlogs.NewFromConfig(cfg)
	r.sns = sns.NewFromConfig(cfg)
	r.ssm = ssm.NewFromConfig(cfg)
	if c.regions == nil {
		c.regions = map[[2]string]*region{}
	}
	c.regions[key] = r
	return r
}

// Regions returns the account's enabled regions and the regions that it has not
// opted into, each sorted.
func (c *Cloud) Regions(ctx context.Context, home string) (enabled, disabled []string, err error) {
	out, err := c.home(home).ec2.DescribeRegions(ctx, &ec2.DescribeRegionsInput{AllRegions: aws.Bool(true)})
	if err != nil {
		return nil, nil, bare(err)
	}
	for _, one := range out.Regions {
		if aws.ToString(one.OptInStatus) == "not-opted-in" {
			disabled = append(disabled, aws.ToString(one.RegionName))
		} else {
			enabled = append(enabled, aws.ToString(one.RegionName))
		}
	}
	slices.Sort(enabled)
	slices.Sort(disabled)
	return enabled, disabled, nil
}

// home returns a region of the account in which relight is deployed.
func (c *Cloud) home(region string) *region { return c.in(c.Want.Account, region) }
