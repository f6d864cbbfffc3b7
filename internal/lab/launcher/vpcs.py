"""Pages of VPCs, MaxResults and NextToken of DescribeVpcs; and an ID of its own for each default VPC.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcs.html
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/resource-ids.html

In MiniStack the default VPC has the same ID in every region.
"""

import hashlib

from ministack.core.responses import get_account_id, get_region
from ministack.services import ec2

from hook import around, ok, page


def install():
    @around(ec2, "_init_defaults")
    def init_defaults(original):
        original()
        vpc = ec2._vpcs.pop(ec2._DEFAULT_VPC_ID)
        own = "vpc-" + hashlib.sha256(f"{get_account_id()} {get_region()}".encode()).hexdigest()[:17]
        ec2._vpcs[own] = {**vpc, "VpcId": own}
        for parts in (ec2._subnets, ec2._security_groups, ec2._network_acls, ec2._route_tables):
            for part in parts.values():
                part["VpcId"] = own
        for gateway in ec2._internet_gateways.values():
            gateway["Attachments"] = [{**at, "VpcId": own} for at in gateway["Attachments"]]

    @around(ec2, "_describe_vpcs", ec2._ACTION_MAP)
    def describe_vpcs(original, params):
        size, token = ec2._p(params, "MaxResults"), ec2._p(params, "NextToken")
        if not size and not token:
            return original(params)
        reply = original(params)
        if not ok(reply):  # an ID that does not exist
            return reply
        ids, filters = ec2._parse_member_list(params, "VpcId"), ec2._parse_filters(params)
        found = [v for v in ec2._vpcs.values()
                 if (not ids or v["VpcId"] in ids) and ec2._matches_vpc_filters(v, filters)]
        shown, after = page(found, size, token)
        items = "".join(ec2._vpc_xml(v) for v in shown)
        return ec2._xml(200, "DescribeVpcsResponse", f"<vpcSet>{items}</vpcSet>{ec2_token(after)}")


def ec2_token(token):
    return f"<nextToken>{token}</nextToken>" if token else ""
