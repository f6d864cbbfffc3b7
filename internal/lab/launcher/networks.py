"""Subnets and network interfaces: their filters and pages, and the tags and the subnet of a new interface.

MiniStack ignores the filters of DescribeNetworkInterfaces and the tags of CreateNetworkInterface,
and knows no pages of either.
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSubnets.html
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeNetworkInterfaces.html
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSubnet.html
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateNetworkInterface.html
"""

from ministack.services import ec2

from hook import around, ok, page
from vpcs import ec2_token

# Filters by what they compare. The table has those that clients of a lab use.
SUBNET = {"subnet-id": "SubnetId", "vpc-id": "VpcId", "owner-id": "OwnerId", "availability-zone": "AvailabilityZone",
          "cidr-block": "CidrBlock", "state": "State"}
INTERFACE = {"network-interface-id": "NetworkInterfaceId", "subnet-id": "SubnetId", "vpc-id": "VpcId", "owner-id": "OwnerId",
             "availability-zone": "AvailabilityZone", "status": "Status", "description": "Description"}
TAGS = ("tag-key", "tag-value")


def install():
    @around(ec2, "_describe_subnets", ec2._ACTION_MAP)
    def describe_subnets(original, params):
        filters = ec2._parse_filters(params)
        if "default-for-az" in filters:  # MiniStack's own
            return original(params)
        return _listing(original, params, filters, SUBNET, "SubnetId", ec2._subnets, ec2._subnet_xml, "DescribeSubnetsResponse", "subnetSet")

    @around(ec2, "_describe_network_interfaces", ec2._ACTION_MAP)
    def describe_interfaces(original, params):
        for one in ec2._parse_member_list(params, "NetworkInterfaceId"):
            if one not in ec2._network_interfaces:
                return _gone_interface(one)
        return _listing(original, params, ec2._parse_filters(params), INTERFACE, "NetworkInterfaceId", ec2._network_interfaces,
                        ec2._eni_fields_xml, "DescribeNetworkInterfacesResponse", "networkInterfaceSet")

    @around(ec2, "_create_subnet", ec2._ACTION_MAP)
    def create_subnet(original, params):
        if (vpc := ec2._p(params, "VpcId")) not in ec2._vpcs:
            return ec2._error("InvalidVpcID.NotFound", f"The vpc ID '{vpc}' does not exist", 400)
        return original(params)

    @around(ec2, "_create_network_interface", ec2._ACTION_MAP)
    def create_interface(original, params):
        if (subnet := ec2._p(params, "SubnetId")) not in ec2._subnets:
            return ec2._error("InvalidSubnetID.NotFound", f"The subnet ID '{subnet}' does not exist", 400)
        known = set(ec2._network_interfaces)
        reply = original(params)
        if not ok(reply):
            return reply
        made = next(i for i in ec2._network_interfaces if i not in known)
        ec2._parse_tag_specs(params, "network-interface", made)
        return ec2._xml(200, "CreateNetworkInterfaceResponse", ec2._eni_fields_xml(ec2._network_interfaces[made], tag="networkInterface"))


def _gone_interface(one):
    return ec2._error("InvalidNetworkInterfaceID.NotFound", f"The networkInterface ID '{one}' does not exist", 400)


def _listing(original, params, filters, known, key, stored, xml, reply, name):
    for one in filters:
        if one not in known and one not in TAGS and not one.startswith("tag:"):
            return ec2._error("InvalidParameterValue", f"The filter '{one}' is invalid", 400)
    ids = ec2._parse_member_list(params, key)
    whole = original(params)
    if not ok(whole):  # an ID that does not exist
        return whole
    found = [one for one in stored.values() if (not ids or one[key] in ids)
             and ec2._resource_matches_tag_filters(one[key], filters)
             and all(one.get(known[f]) in wanted for f, wanted in filters.items() if f in known)]
    shown, after = page(found, ec2._p(params, "MaxResults"), ec2._p(params, "NextToken"))
    return ec2._xml(200, reply, f"<{name}>{''.join(xml(one) for one in shown)}</{name}>{ec2_token(after)}")
