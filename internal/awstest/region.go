package awstest

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

const notOptedIn = "not-opted-in"

// AddRegion adds a region with its opt-in status: opt-in-not-required,
// opted-in or not-opted-in. In the last every call fails.
func (a *Account) AddRegion(name, status string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.regions[name] = &region{name: name, status: status, topics: map[string]*topic{}, params: map[string]string{}}
}

// DescribeRegions lists the enabled regions, with AllRegions also those not
// opted into. It does not page. Source: Amazon EC2 API Reference,
// DescribeRegions.
func (a *Account) DescribeRegions(ctx context.Context, in *ec2.DescribeRegionsInput, opts ...func(*ec2.Options)) (*ec2.DescribeRegionsOutput, error) {
	const op = "DescribeRegions"
	_, end, err := a.begin(ctx, op, ec2Region(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	if len(in.Filters) > 0 {
		return nil, refuse(op, "InvalidParameterValue", "the filter %s is not known here", aws.ToString(in.Filters[0].Name))
	}
	out := &ec2.DescribeRegionsOutput{}
	for name, r := range a.regions {
		listed := aws.ToBool(in.AllRegions) || r.status != notOptedIn
		if listed && (len(in.RegionNames) == 0 || slices.Contains(in.RegionNames, name)) {
			out.Regions = append(out.Regions, types.Region{RegionName: aws.String(name), OptInStatus: aws.String(r.status)})
		}
	}
	return out, nil
}

func ec2Region(opts []func(*ec2.Options)) string {
	var o ec2.Options
	for _, f := range opts {
		f(&o)
	}
	return o.Region
}
