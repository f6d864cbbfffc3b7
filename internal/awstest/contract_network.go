package awstest

import (
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// noBucket is the name of a bucket that does not exist.
const noBucket = "contract-no-such-bucket"

// subnet makes a VPC with a subnet that has a tag of the clause's own.
func (p *party) subnet() (string, error) {
	vpc, err := p.vpc()
	if err != nil {
		return "", err
	}
	out, err := p.EC2.CreateSubnet(p.ctx, &ec2.CreateSubnetInput{
		VpcId: aws.String(vpc), CidrBlock: aws.String("10.99.1.0/24"), TagSpecifications: p.tagged(types.ResourceTypeSubnet),
	})
	if err != nil {
		return "", err
	}
	id := out.Subnet.SubnetId
	p.later(func() { _, _ = p.EC2.DeleteSubnet(p.ctx, &ec2.DeleteSubnetInput{SubnetId: id}) })
	p.forget(*id)
	return *id, nil
}

// networkInterface makes a network interface that has a tag of the clause's own.
func (p *party) networkInterface() (string, error) {
	subnet, err := p.subnet()
	if err != nil {
		return "", err
	}
	out, err := p.EC2.CreateNetworkInterface(p.ctx, &ec2.CreateNetworkInterfaceInput{
		SubnetId: aws.String(subnet), TagSpecifications: p.tagged(types.ResourceTypeNetworkInterface),
	})
	if err != nil {
		return "", err
	}
	id := out.NetworkInterface.NetworkInterfaceId
	p.later(func() {
		_, _ = p.EC2.DeleteNetworkInterface(p.ctx, &ec2.DeleteNetworkInterfaceInput{NetworkInterfaceId: id})
	})
	p.forget(*id)
	return *id, nil
}

func (p *party) tagged(of types.ResourceType) []types.TagSpecification {
	return []types.TagSpecification{{ResourceType: of, Tags: []types.Tag{{Key: aws.String("clause"), Value: aws.String(p.id)}}}}
}

// forget deletes the flow logs on a resource at the end.
func (p *party) forget(id string) {
	p.later(func() {
		if logs, err := p.flowLogs(id); err == nil {
			for _, fl := range logs {
				_, _ = p.EC2.DeleteFlowLogs(p.ctx, &ec2.DeleteFlowLogsInput{FlowLogIds: []string{*fl.FlowLogId}})
			}
		}
	})
}

// into makes a request for flow logs one to a bucket.
func into(bucket string) func(*ec2.CreateFlowLogsInput) {
	return func(in *ec2.CreateFlowLogsInput) {
		in.LogDestinationType, in.LogDestination = types.LogDestinationTypeS3, aws.String("arn:aws:s3:::"+bucket)
		in.LogGroupName, in.DeliverLogsPermissionArn = nil, nil
	}
}

// logged creates a flow log on a resource and returns it as it is described.
func (p *party) logged(id string, change func(*ec2.CreateFlowLogsInput)) (types.FlowLog, error) {
	out, err := p.create(change, id)
	if err != nil {
		return types.FlowLog{}, err
	}
	logs, err := p.flowLogs(id)
	if err != nil || len(logs) != 1 {
		return types.FlowLog{}, fmt.Errorf("%d flow logs, unsuccessful %v, %w", len(logs), text(out.Unsuccessful), orNil(err))
	}
	return logs[0], nil
}

// flowLogPlaceClauses are about what flow logs can be on and go to, beside VPCs and log
// groups.
var flowLogPlaceClauses = []clause{
	{
		name: "flow log on a subnet", source: "Amazon EC2 API Reference, CreateFlowLogs, ResourceType", grade: Documented,
		check: func(p *party) error {
			id, err := p.subnet()
			if err != nil {
				return err
			}
			fl, err := p.logged(id, func(in *ec2.CreateFlowLogsInput) { in.ResourceType = types.FlowLogsResourceTypeSubnet })
			return errors.Join(err, want("resource", aws.ToString(fl.ResourceId), id), want("group", groupOf(fl), p.id))
		},
	},
	{
		name: "flow log on a network interface", source: "Amazon EC2 API Reference, CreateFlowLogs, ResourceType", grade: Documented,
		check: func(p *party) error {
			id, err := p.networkInterface()
			if err != nil {
				return err
			}
			fl, err := p.logged(id, func(in *ec2.CreateFlowLogsInput) { in.ResourceType = types.FlowLogsResourceTypeNetworkInterface })
			return errors.Join(err, want("resource", aws.ToString(fl.ResourceId), id), want("group", groupOf(fl), p.id))
		},
	},
	{
		name: "flow log to a bucket shows its options", source: "Amazon EC2 API Reference, DestinationOptionsRequest and FlowLog", grade: Documented,
		check: func(p *party) error {
			id, err := p.vpc()
			if err != nil {
				return err
			}
			fl, err := p.logged(id, func(in *ec2.CreateFlowLogsInput) {
				into(p.LogBucket + "/folder")(in)
				in.DestinationOptions = &types.DestinationOptionsRequest{
					FileFormat: types.DestinationFileFormatParquet, HiveCompatiblePartitions: aws.Bool(false), PerHourPartition: aws.Bool(true),
				}
			})
			if err != nil || fl.DestinationOptions == nil {
				return fmt.Errorf("no options, %w", orNil(err))
			}
			return errors.Join(
				want("destination type", fl.LogDestinationType, "s3"),
				want("destination", aws.ToString(fl.LogDestination), "arn:aws:s3:::"+p.LogBucket+"/folder"),
				want("group", aws.ToString(fl.LogGroupName), ""),
				want("role", aws.ToString(fl.DeliverLogsPermissionArn), ""),
				want("format", fl.DestinationOptions.FileFormat, "parquet"),
				want("for Hive", aws.ToBool(fl.DestinationOptions.HiveCompatiblePartitions), false),
				want("by the hour", aws.ToBool(fl.DestinationOptions.PerHourPartition), true),
			)
		},
	},
	{
		name: "flow log to a bucket that does not exist is refused inside a successful reply", source: "Amazon EC2 API Reference, CreateFlowLogs, unsuccessful",
		grade: Recorded, record: localstack + "2024-09-24",
		check: func(p *party) error {
			id, err := p.vpc()
			if err != nil {
				return err
			}
			code, err := itemCode(p.create(into(noBucket), id))
			return errors.Join(err, want("code", code, "400"))
		},
	},
	{
		name: "flow log to a bucket takes no role", source: "Amazon EC2 API Reference, CreateFlowLogs, DeliverLogsPermissionArn", grade: Recorded, record: accelerator + "2023-02-22",
		check: func(p *party) error {
			id, err := p.vpc()
			if err != nil {
				return err
			}
			_, err = p.create(func(in *ec2.CreateFlowLogsInput) {
				into(p.LogBucket)(in)
				in.DeliverLogsPermissionArn = aws.String(p.Role)
			}, id)
			return refused("with a role", err, "InvalidParameter")
		},
	},
	{
		name: "subnets by ID and by tag", source: "Amazon EC2 API Reference, DescribeSubnets, Filter", grade: Documented,
		check: func(p *party) error {
			id, err := p.subnet()
			if err != nil {
				return err
			}
			find := func(name string, values ...string) ([]string, error) {
				in := &ec2.DescribeSubnetsInput{Filters: []types.Filter{{Name: aws.String(name), Values: values}}, MaxResults: aws.Int32(1000)}
				all, _, err := listed(p, ec2.NewDescribeSubnetsPaginator(p.EC2, in), func(out *ec2.DescribeSubnetsOutput) []types.Subnet { return out.Subnets })
				var ids []string
				for _, one := range all {
					if aws.ToString(one.OwnerId) == p.Account {
						ids = append(ids, aws.ToString(one.SubnetId))
					}
				}
				return ids, err
			}
			return found(find, id, "subnet-id", "subnet-0123456789abcdef0", p.id)
		},
	},
	{
		name: "network interfaces by ID and by tag", source: "Amazon EC2 API Reference, DescribeNetworkInterfaces, Filter", grade: Documented,
		check: func(p *party) error {
			id, err := p.networkInterface()
			if err != nil {
				return err
			}
			find := func(name string, values ...string) ([]string, error) {
				in := &ec2.DescribeNetworkInterfacesInput{Filters: []types.Filter{{Name: aws.String(name), Values: values}}, MaxResults: aws.Int32(1000)}
				all, _, err := listed(p, ec2.NewDescribeNetworkInterfacesPaginator(p.EC2, in), func(out *ec2.DescribeNetworkInterfacesOutput) []types.NetworkInterface { return out.NetworkInterfaces })
				var ids []string
				for _, one := range all {
					if aws.ToString(one.OwnerId) == p.Account {
						ids = append(ids, aws.ToString(one.NetworkInterfaceId))
					}
				}
				return ids, err
			}
			return found(find, id, "network-interface-id", "eni-0123456789abcdef0", p.id)
		},
	},
}

// found checks that filters by ID and by tag find one resource, and that one by another
// value of the tag finds none.
func found(find func(name string, values ...string) ([]string, error), id, byID, gone, tag string) error {
	one, err := find(byID, id, gone)
	two, err2 := find("tag:clause", tag)
	none, err3 := find("tag:clause", tag+"-other")
	_, unknown := find("no-such-filter", "x")
	return errors.Join(err, err2, err3, want("by ID", one, []string{id}), want("by tag", two, []string{id}), want("by another tag", len(none), 0),
		refused("by an unknown filter", unknown, "InvalidParameterValue", "InvalidParameter"))
}
