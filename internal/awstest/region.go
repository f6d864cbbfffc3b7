package awstest

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	cftypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
)

const notOptedIn = "not-opted-in"

// AddRegion adds a region with its opt-in status: opt-in-not-required, opted-in
// or not-opted-in. In a region that is not opted in, every call fails.
func (a *Account) AddRegion(name, status string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.regions[name] = &region{
		name: name, status: status, topics: map[string]*topic{}, params: map[string]parameter{},
		queues: map[string]map[string]string{}, functions: map[string]*function{}, mappings: map[string]*lambdatypes.EventSourceMappingConfiguration{}, rules: map[string]*rule{}, buses: map[string]bool{},
		schedules: map[string]*scheduler.GetScheduleOutput{}, stacks: map[string]*cftypes.Stack{},
	}
}

// describeRegions lists the enabled regions; with AllRegions it also lists
// those not opted into. It does not page. Source: Amazon EC2 API Reference,
// DescribeRegions.
func describeRegions(c *request, in *ec2.DescribeRegionsInput) (*ec2.DescribeRegionsOutput, error) {
	if len(in.Filters) > 0 {
		return nil, refuse("InvalidParameterValue", "the filter %s is not known here", aws.ToString(in.Filters[0].Name))
	}
	out := &ec2.DescribeRegionsOutput{}
	for name, r := range c.regions {
		listed := aws.ToBool(in.AllRegions) || r.status != notOptedIn
		if listed && (len(in.RegionNames) == 0 || slices.Contains(in.RegionNames, name)) {
			out.Regions = append(out.Regions, types.Region{RegionName: aws.String(name), OptInStatus: aws.String(r.status)})
		}
	}
	return out, nil
}

// regionOperations are the operations that this file answers.
var regionOperations = []operation{
	handle(describeRegions),
}
