package awstest

import (
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// vpc makes a VPC.
func (p *party) vpc() (string, error) {
	out, err := p.EC2.CreateVpc(p.ctx, &ec2.CreateVpcInput{CidrBlock: aws.String("10.99.0.0/16")})
	if err != nil {
		return "", err
	}
	id := aws.ToString(out.Vpc.VpcId)
	p.later(func() {
		if logs, err := p.flowLogs(id); err == nil {
			for _, fl := range logs {
				_, _ = p.EC2.DeleteFlowLogs(p.ctx, &ec2.DeleteFlowLogsInput{FlowLogIds: []string{*fl.FlowLogId}})
			}
		}
		_, _ = p.EC2.DeleteVpc(p.ctx, &ec2.DeleteVpcInput{VpcId: aws.String(id)})
	})
	return id, nil
}

// create requests flow logs to a log group of the clause's own.
func (p *party) create(change func(*ec2.CreateFlowLogsInput), vpcs ...string) (*ec2.CreateFlowLogsOutput, error) {
	in := &ec2.CreateFlowLogsInput{
		ResourceIds: vpcs, ResourceType: types.FlowLogsResourceTypeVpc, TrafficType: types.TrafficTypeReject,
		LogDestinationType: types.LogDestinationTypeCloudWatchLogs, LogGroupName: aws.String(p.id), DeliverLogsPermissionArn: aws.String(p.Role),
	}
	if change != nil {
		change(in)
	}
	return p.EC2.CreateFlowLogs(p.ctx, in)
}

// flowLogs lists the flow logs of a VPC.
func (p *party) flowLogs(vpc string) ([]types.FlowLog, error) {
	in := &ec2.DescribeFlowLogsInput{Filter: []types.Filter{{Name: aws.String("resource-id"), Values: []string{vpc}}}}
	all, _, err := listed(p, ec2.NewDescribeFlowLogsPaginator(p.EC2, in), func(out *ec2.DescribeFlowLogsOutput) []types.FlowLog { return out.FlowLogs })
	return all, err
}

// itemCode returns the code of the only item that was unsuccessful.
func itemCode(out *ec2.CreateFlowLogsOutput, err error) (string, error) {
	if err != nil {
		return "", err
	}
	if len(out.Unsuccessful) != 1 || out.Unsuccessful[0].Error == nil {
		return "", fmt.Errorf("%d flow logs made, %d unsuccessful, want one that is not", len(out.FlowLogIds), len(out.Unsuccessful))
	}
	return aws.ToString(out.Unsuccessful[0].Error.Code), nil
}

var flowLogClauses = []clause{
	{
		name: "flow log is described as it was created", source: "Amazon EC2 API Reference, CreateFlowLogs and FlowLog", grade: Recorded, record: custodian + "2020-04-27",
		check: func(p *party) error {
			vpc, err := p.vpc()
			if err != nil {
				return err
			}
			out, err := p.create(func(in *ec2.CreateFlowLogsInput) {
				in.MaxAggregationInterval = aws.Int32(60)
				in.TagSpecifications = []types.TagSpecification{{
					ResourceType: types.ResourceTypeVpcFlowLog, Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}},
				}}
			}, vpc)
			if err != nil {
				return err
			}
			logs, err := p.flowLogs(vpc)
			if err != nil {
				return err
			}
			if len(logs) != 1 || len(out.FlowLogIds) != 1 {
				return fmt.Errorf("%d made, %d described, want 1", len(out.FlowLogIds), len(logs))
			}
			fl := logs[0]
			return errors.Join(
				want("ID", aws.ToString(fl.FlowLogId), out.FlowLogIds[0]),
				want("resource", aws.ToString(fl.ResourceId), vpc),
				want("status", aws.ToString(fl.FlowLogStatus), "ACTIVE"),
				want("destination", aws.ToString(fl.LogDestination), ""),
				want("has a creation time", fl.CreationTime != nil, true),
				want("traffic", fl.TrafficType, "REJECT"),
				want("group", groupOf(fl), p.id),
				want("destination type", fl.LogDestinationType, "cloud-watch-logs"),
				want("format", aws.ToString(fl.LogFormat), defaultFlowLogFormat),
				want("interval", aws.ToInt32(fl.MaxAggregationInterval), 60),
				want("role", aws.ToString(fl.DeliverLogsPermissionArn), p.Role),
				want("tags", ec2Tags(fl.Tags), map[string]string{"k": "v"}),
			)
		},
	},
	{
		name: "delivery is a success from the first second", source: "Amazon EC2 API Reference, FlowLog, deliverLogsStatus", grade: Recorded, record: custodian + "2018-11-02, 2020-03-16 and 2020-04-27; " + localstack + "2024-09-24",
		check: func(p *party) error {
			vpc, err := p.vpc()
			if err != nil {
				return err
			}
			if _, err := p.create(nil, vpc); err != nil {
				return err
			}
			logs, err := p.flowLogs(vpc)
			if err != nil || len(logs) != 1 {
				return fmt.Errorf("%d flow logs, %w", len(logs), orNil(err))
			}
			return errors.Join(
				want("delivery", aws.ToString(logs[0].DeliverLogsStatus), "SUCCESS"),
				want("delivery error", aws.ToString(logs[0].DeliverLogsErrorMessage), ""),
			)
		},
	},
	{
		name: "flow log to a group's ARN has the group's name", source: "Amazon EC2 API Reference, FlowLog, logGroupName", grade: Recorded, record: custodian + "2021-02",
		check: func(p *party) error {
			vpc, err := p.vpc()
			if err != nil {
				return err
			}
			arn := "arn:aws:logs:" + p.Region + ":" + p.Account + ":log-group:" + p.id
			if _, err := p.create(func(in *ec2.CreateFlowLogsInput) { in.LogGroupName, in.LogDestination = nil, aws.String(arn+":*") }, vpc); err != nil {
				return err
			}
			logs, err := p.flowLogs(vpc)
			if err != nil || len(logs) != 1 {
				return fmt.Errorf("%d flow logs, %w", len(logs), orNil(err))
			}
			return errors.Join(want("name", aws.ToString(logs[0].LogGroupName), p.id), want("destination", aws.ToString(logs[0].LogDestination), arn))
		},
	},
	{
		name: "aggregation interval defaults to ten minutes", source: "Amazon EC2 API Reference, CreateFlowLogs, MaxAggregationInterval", grade: Recorded, record: custodian + "2020-04-27",
		check: func(p *party) error {
			vpc, err := p.vpc()
			if err != nil {
				return err
			}
			if _, err := p.create(nil, vpc); err != nil {
				return err
			}
			logs, err := p.flowLogs(vpc)
			if err != nil || len(logs) != 1 {
				return fmt.Errorf("%d flow logs, %w", len(logs), orNil(err))
			}
			return want("interval", aws.ToInt32(logs[0].MaxAggregationInterval), 600)
		},
	},
	{
		name: "duplicate flow log is refused inside a successful reply", source: "Amazon EC2 API Reference, CreateFlowLogs, unsuccessful; Error codes, FlowLogAlreadyExists", grade: Documented,
		check: func(p *party) error {
			vpc, err := p.vpc()
			if err != nil {
				return err
			}
			if _, err := p.create(nil, vpc); err != nil {
				return err
			}
			code, err := itemCode(p.create(nil, vpc))
			return errors.Join(err, want("code", code, "FlowLogAlreadyExists"))
		},
	},
	{
		name: "third flow log of a VPC is refused", source: "Amazon VPC User Guide, Amazon VPC quotas, Flow logs; Error codes, FlowLogsLimitExceeded", grade: Assumed, belief: flowLogQuota,
		check: func(p *party) error {
			vpc, err := p.vpc()
			if err != nil {
				return err
			}
			var code string
			for i := range FlowLogsPerResource + 1 {
				code, err = itemCode(p.create(func(in *ec2.CreateFlowLogsInput) { in.LogGroupName = aws.String(fmt.Sprint(p.id, i)) }, vpc))
				if i < FlowLogsPerResource && code != "" {
					return fmt.Errorf("flow log %d: %s", i+1, code)
				}
			}
			return errors.Join(err, want("code", code, "FlowLogsLimitExceeded"))
		},
	},
	{
		name: "client token repeats its answer after a deletion", source: "Amazon EC2 Developer Guide, Ensuring idempotency in Amazon EC2 API requests", grade: Documented,
		check: func(p *party) error {
			vpc, err := p.vpc()
			if err != nil {
				return err
			}
			token := func(in *ec2.CreateFlowLogsInput) { in.ClientToken = aws.String(p.id) }
			first, err := p.create(token, vpc)
			if err != nil {
				return err
			}
			if _, err := p.EC2.DeleteFlowLogs(p.ctx, &ec2.DeleteFlowLogsInput{FlowLogIds: first.FlowLogIds}); err != nil {
				return err
			}
			second, err := p.create(token, vpc)
			if err != nil {
				return err
			}
			logs, err := p.flowLogs(vpc)
			return errors.Join(err, want("flow logs answered", second.FlowLogIds, first.FlowLogIds), want("flow logs", len(logs), 0))
		},
	},
	{
		name: "flow logs of a VPC that does not exist", source: "Error codes for the Amazon EC2 API, InvalidVpcID.NotFound", grade: Assumed, belief: missingVPCInItem,
		check: func(p *party) error {
			out, err := p.create(nil, "vpc-0123456789abcdef0")
			if err != nil {
				return refused("whole", err, "InvalidVpcID.NotFound", "InvalidVpcId.NotFound")
			}
			code, err := itemCode(out, nil)
			return errors.Join(err, want("code", code, "InvalidVpcID.NotFound"))
		},
	},
	{
		name: "flow log to a log group needs a role", source: "Amazon EC2 API Reference, CreateFlowLogs, DeliverLogsPermissionArn", grade: Documented,
		check: func(p *party) error {
			vpc, err := p.vpc()
			if err != nil {
				return err
			}
			_, err = p.create(func(in *ec2.CreateFlowLogsInput) { in.DeliverLogsPermissionArn = nil }, vpc)
			return refused("without a role", err, "MissingParameter", "InvalidParameter")
		},
	},
	{
		name: "too many resources in a call", source: "Amazon EC2 API Reference, CreateFlowLogs, ResourceIds", grade: Documented,
		check: func(p *party) error {
			ids := make([]string, FlowLogResources+1)
			for i := range ids {
				ids[i] = fmt.Sprintf("vpc-%017x", i)
			}
			_, err := p.create(nil, ids...)
			return refused("too many", err, "InvalidParameterValue", "InvalidParameter")
		},
	},
	{
		name: "flow logs by log group", source: "Amazon EC2 API Reference, DescribeFlowLogs, log-group-name", grade: Documented,
		check: func(p *party) error {
			vpc, err := p.vpc()
			if err != nil {
				return err
			}
			if _, err := p.create(nil, vpc); err != nil {
				return err
			}
			count := func(group string) (int, error) {
				out, err := p.EC2.DescribeFlowLogs(p.ctx, &ec2.DescribeFlowLogsInput{
					Filter: []types.Filter{{Name: aws.String("log-group-name"), Values: []string{group}}},
				})
				if err != nil {
					return 0, err
				}
				return len(out.FlowLogs), nil
			}
			mine, err := count(p.id)
			other, err2 := count(p.id + "-other")
			return errors.Join(err, err2, want("of the group", mine, 1), want("of another", other, 0))
		},
	},
	{
		name: "flow logs by destination type", source: "Amazon EC2 API Reference, DescribeFlowLogs, log-destination-type", grade: Documented,
		check: func(p *party) error {
			vpc, err := p.vpc()
			if err != nil {
				return err
			}
			if _, err := p.create(nil, vpc); err != nil {
				return err
			}
			for of, found := range map[string]int{"cloud-watch-logs": 1, "s3": 0} {
				out, err := p.EC2.DescribeFlowLogs(p.ctx, &ec2.DescribeFlowLogsInput{Filter: []types.Filter{
					{Name: aws.String("log-destination-type"), Values: []string{of}}, {Name: aws.String("resource-id"), Values: []string{vpc}},
				}})
				if err != nil {
					return err
				}
				if err := want(of, len(out.FlowLogs), found); err != nil {
					return err
				}
			}
			return nil
		},
	},
	{
		name: "a VPC shows its tags", source: "Amazon EC2 API Reference, CreateTags, DeleteTags and Vpc", grade: Documented,
		check: func(p *party) error {
			vpc, err := p.vpc()
			if err != nil {
				return err
			}
			tags := func() (map[string]string, error) {
				out, err := p.EC2.DescribeVpcs(p.ctx, &ec2.DescribeVpcsInput{
					Filters: []types.Filter{{Name: aws.String("vpc-id"), Values: []string{vpc}}}, MaxResults: aws.Int32(1000),
				})
				if err != nil || len(out.Vpcs) != 1 {
					return nil, fmt.Errorf("%d VPCs, %w", len(out.Vpcs), orNil(err))
				}
				return ec2Tags(out.Vpcs[0].Tags), nil
			}
			both := []types.Tag{{Key: aws.String("a:b"), Value: aws.String("true")}, {Key: aws.String("c"), Value: aws.String("")}}
			if _, err := p.EC2.CreateTags(p.ctx, &ec2.CreateTagsInput{Resources: []string{vpc}, Tags: both}); err != nil {
				return err
			}
			put, err := tags()
			if err != nil {
				return err
			}
			gone := []types.Tag{{Key: aws.String("a:b")}}
			if _, err := p.EC2.DeleteTags(p.ctx, &ec2.DeleteTagsInput{Resources: []string{vpc}, Tags: gone}); err != nil {
				return err
			}
			left, err := tags()
			return errors.Join(err, want("tags", put, map[string]string{"a:b": "true", "c": ""}), want("tags left", left, map[string]string{"c": ""}))
		},
	},
	{
		name: "unknown filter is an error", source: "Amazon EC2 API Reference, Filter; Error codes, InvalidParameterValue", grade: Documented,
		check: func(p *party) error {
			filter := []types.Filter{{Name: aws.String("no-such-filter"), Values: []string{"x"}}}
			_, err := p.EC2.DescribeFlowLogs(p.ctx, &ec2.DescribeFlowLogsInput{Filter: filter})
			return refused("DescribeFlowLogs", err, "InvalidParameterValue", "InvalidParameter")
		},
	},
	{
		name: "unknown flow log is refused inside a successful reply", source: "Amazon EC2 API Reference, DeleteFlowLogs, unsuccessful", grade: Documented,
		check: func(p *party) error {
			out, err := p.EC2.DeleteFlowLogs(p.ctx, &ec2.DeleteFlowLogsInput{FlowLogIds: []string{"fl-0123456789abcdef0"}})
			if err != nil {
				return err
			}
			return want("unsuccessful", len(out.Unsuccessful), 1)
		},
	},
	{
		name: "VPCs by filter and by ID", source: "Amazon EC2 API Reference, DescribeVpcs; Error codes, InvalidVpcID.NotFound", grade: Documented,
		check: func(p *party) error {
			vpc, err := p.vpc()
			if err != nil {
				return err
			}
			const gone = "vpc-0123456789abcdef0"
			byFilter, err := p.EC2.DescribeVpcs(p.ctx, &ec2.DescribeVpcsInput{
				Filters: []types.Filter{{Name: aws.String("vpc-id"), Values: []string{vpc, gone}}}, MaxResults: aws.Int32(1000),
			})
			if err != nil {
				return err
			}
			if len(byFilter.Vpcs) != 1 {
				return fmt.Errorf("%d VPCs by filter, want 1", len(byFilter.Vpcs))
			}
			_, err = p.EC2.DescribeVpcs(p.ctx, &ec2.DescribeVpcsInput{VpcIds: []string{vpc, gone}})
			return errors.Join(
				want("VPC", aws.ToString(byFilter.Vpcs[0].VpcId), vpc), want("owner", aws.ToString(byFilter.Vpcs[0].OwnerId), p.Account),
				refused("by ID", err, "InvalidVpcID.NotFound", "InvalidVpcId.NotFound"),
			)
		},
	},
	{
		name: "regions have an opt-in status", source: "Amazon EC2 API Reference, DescribeRegions", grade: Documented,
		check: func(p *party) error {
			out, err := p.EC2.DescribeRegions(p.ctx, &ec2.DescribeRegionsInput{AllRegions: aws.Bool(true)})
			if err != nil {
				return err
			}
			for _, r := range out.Regions {
				if aws.ToString(r.RegionName) == p.Region {
					return want("status", aws.ToString(r.OptInStatus) != "" && aws.ToString(r.OptInStatus) != notOptedIn, true)
				}
			}
			return fmt.Errorf("%s is not among %d regions", p.Region, len(out.Regions))
		},
	},
}
