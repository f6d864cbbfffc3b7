package awstest

import (
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// A network is a subnet, a network interface or a transit gateway.
type network struct {
	Owner string
	Tags  []types.Tag
}

// AddNetwork adds a subnet, a network interface or a transit gateway, by its ID, that the
// account owns.
func (a *Account) AddNetwork(regionName, id string, tags map[string]string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := network{Owner: a.ID}
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		n.Tags = append(n.Tags, types.Tag{Key: aws.String(k), Value: aws.String(tags[k])})
	}
	a.regions[regionName].networks.write(a.lag)[id] = n
}

// subnetGone and interfaceGone are the codes for an ID that does not exist. Source:
// Amazon EC2 Developer Guide, "Error codes for the Amazon EC2 API".
const (
	subnetGone    = "InvalidSubnetID.NotFound"
	interfaceGone = "InvalidNetworkInterfaceID.NotFound"
)

func createSubnet(c *request, in *ec2.CreateSubnetInput) (*ec2.CreateSubnetOutput, error) {
	if _, ok := c.vpcs.now[aws.ToString(in.VpcId)]; !ok {
		return nil, c.noVPC(aws.ToString(in.VpcId))
	}
	id, tags := c.newID("subnet"), tagsFor(in.TagSpecifications, types.ResourceTypeSubnet)
	c.networks.write(c.lag)[id] = network{c.ID, tags}
	c.wrote(id)
	return &ec2.CreateSubnetOutput{Subnet: &types.Subnet{SubnetId: aws.String(id), VpcId: in.VpcId, OwnerId: aws.String(c.ID), Tags: tags}}, nil
}

func createNetworkInterface(c *request, in *ec2.CreateNetworkInterfaceInput) (*ec2.CreateNetworkInterfaceOutput, error) {
	if _, ok := c.networks.now[aws.ToString(in.SubnetId)]; !ok {
		return nil, refuse(subnetGone, "The subnet ID '%s' does not exist", aws.ToString(in.SubnetId))
	}
	id, tags := c.newID("eni"), tagsFor(in.TagSpecifications, types.ResourceTypeNetworkInterface)
	c.networks.write(c.lag)[id] = network{c.ID, tags}
	c.wrote(id)
	return &ec2.CreateNetworkInterfaceOutput{NetworkInterface: &types.NetworkInterface{NetworkInterfaceId: aws.String(id), OwnerId: aws.String(c.ID), TagSet: tags}}, nil
}

func deleteSubnet(c *request, in *ec2.DeleteSubnetInput) error {
	return c.deleteNetwork(aws.ToString(in.SubnetId), subnetGone)
}

func deleteNetworkInterface(c *request, in *ec2.DeleteNetworkInterfaceInput) error {
	return c.deleteNetwork(aws.ToString(in.NetworkInterfaceId), interfaceGone)
}

// deleteNetwork deletes a subnet or an interface, and its flow logs as those of a VPC.
func (c *request) deleteNetwork(id, code string) error {
	if _, ok := c.networks.now[id]; !ok {
		return refuse(code, "The ID '%s' does not exist", id)
	}
	delete(c.networks.write(c.lag), id)
	maps.DeleteFunc(c.logs.write(c.lag), func(_ string, fl types.FlowLog) bool {
		return aws.ToString(fl.ResourceId) == id && !c.doubts(flowLogsGoWithVPC) && !c.doubts(lateFlowLogsGo)
	})
	c.wrote(id)
	return nil
}

// listed returns the subnets or the interfaces that pass filters.
func (c *request) listed(first bool, prefix, idFilter string, filters []types.Filter) (map[string]network, error) {
	found := map[string]network{}
	for id, n := range c.networks.read(first) {
		if typeOf(id) != prefix {
			continue
		}
		ok, err := matches(filters, map[string]string{idFilter: id, "owner-id": n.Owner}, n.Tags)
		if err != nil {
			return nil, err
		}
		if ok {
			found[id] = n
		}
	}
	return found, nil
}

// describeSubnets lists subnets by filters. Source: Amazon EC2 API Reference,
// DescribeSubnets.
func describeSubnets(c *request, in *ec2.DescribeSubnetsInput) (*ec2.DescribeSubnetsOutput, error) {
	found, err := c.listed(in.NextToken == nil, "subnet", "subnet-id", in.Filters)
	if err != nil {
		return nil, err
	}
	all := map[string]types.Subnet{}
	for id, n := range found {
		all[id] = types.Subnet{SubnetId: aws.String(id), OwnerId: aws.String(n.Owner), Tags: n.Tags}
	}
	list, token, err := paged(c, ec2Page(in.NextToken, in.MaxResults), all)
	return &ec2.DescribeSubnetsOutput{Subnets: list, NextToken: token}, err
}

// describeNetworkInterfaces lists interfaces by filters. Source: Amazon EC2 API
// Reference, DescribeNetworkInterfaces.
func describeNetworkInterfaces(c *request, in *ec2.DescribeNetworkInterfacesInput) (*ec2.DescribeNetworkInterfacesOutput, error) {
	found, err := c.listed(in.NextToken == nil, "eni", "network-interface-id", in.Filters)
	if err != nil {
		return nil, err
	}
	all := map[string]types.NetworkInterface{}
	for id, n := range found {
		all[id] = types.NetworkInterface{NetworkInterfaceId: aws.String(id), OwnerId: aws.String(n.Owner), TagSet: n.Tags}
	}
	list, token, err := paged(c, ec2Page(in.NextToken, in.MaxResults), all)
	return &ec2.DescribeNetworkInterfacesOutput{NetworkInterfaces: list, NextToken: token}, err
}

// describeTransitGateways lists transit gateways by filters. Source: Amazon EC2 API
// Reference, DescribeTransitGateways.
func describeTransitGateways(c *request, in *ec2.DescribeTransitGatewaysInput) (*ec2.DescribeTransitGatewaysOutput, error) {
	found, err := c.listed(in.NextToken == nil, "tgw", "transit-gateway-id", in.Filters)
	if err != nil {
		return nil, err
	}
	all := map[string]types.TransitGateway{}
	for id, n := range found {
		all[id] = types.TransitGateway{TransitGatewayId: aws.String(id), OwnerId: aws.String(n.Owner), Tags: n.Tags}
	}
	list, token, err := paged(c, ec2Page(in.NextToken, in.MaxResults), all)
	return &ec2.DescribeTransitGatewaysOutput{TransitGateways: list, NextToken: token}, err
}

// OnTransit puts a flow log on a transit gateway.
func (a *Account) OnTransit(regionName, id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := a.regions[regionName]
	r.logs.write(a.lag)["fl-of-"+id] = types.FlowLog{
		FlowLogId: aws.String("fl-of-" + id), ResourceId: aws.String(id), FlowLogStatus: aws.String("ACTIVE"), CreationTime: aws.Time(a.now()),
		LogDestinationType: types.LogDestinationTypeS3, LogDestination: aws.String("arn:aws:s3:::transit"), DeliverLogsStatus: aws.String("SUCCESS"),
	}
}

// typeOf returns the type in an ID of EC2.
func typeOf(id string) string {
	for _, t := range []string{"vpc", "subnet", "eni", "tgw"} {
		if len(id) > len(t) && id[:len(t)+1] == t+"-" {
			return t
		}
	}
	return ""
}

// networkOperations are the operations that this file answers.
var networkOperations = []operation{
	handle(createSubnet),
	act[ec2.DeleteSubnetOutput](deleteSubnet),
	handle(describeSubnets),
	handle(createNetworkInterface),
	act[ec2.DeleteNetworkInterfaceOutput](deleteNetworkInterface),
	handle(describeNetworkInterfaces),
	handle(describeTransitGateways),
}
