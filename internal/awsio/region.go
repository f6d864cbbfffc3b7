package awsio

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

// regionAPI is what this file needs of *ec2.Client, and no more.
type regionAPI interface {
	DescribeRegions(context.Context, *ec2.DescribeRegionsInput, ...func(*ec2.Options)) (*ec2.DescribeRegionsOutput, error)
}

var _ regionAPI = (*ec2.Client)(nil)

// Regions returns the account's enabled regions and those it has not opted
// into, each sorted.
func (c *Cloud) Regions(ctx context.Context, home string) (enabled, disabled []string, err error) {
	out, err := call(ctx, c.Pace, place{home, "ec2.DescribeRegions", ""}, c.Clients.EC2.DescribeRegions,
		&ec2.DescribeRegionsInput{AllRegions: aws.Bool(true)}, ec2In(home))
	if err != nil {
		return nil, nil, err
	}
	for _, r := range out.Regions {
		if aws.ToString(r.OptInStatus) == "not-opted-in" {
			disabled = append(disabled, aws.ToString(r.RegionName))
		} else {
			enabled = append(enabled, aws.ToString(r.RegionName))
		}
	}
	slices.Sort(enabled)
	slices.Sort(disabled)
	return enabled, disabled, nil
}
