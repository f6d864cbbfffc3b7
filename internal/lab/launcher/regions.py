"""Regions that an account opts into: Account Management's calls, and EC2's view of the regions.

In MiniStack every region is opted in, and that cannot change. An account on AWS
starts without the regions introduced after March 20, 2019.
https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html
https://docs.aws.amazon.com/accounts/latest/reference/API_EnableRegion.html
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeRegions.html

On AWS, enabling a region takes minutes; here it takes effect at once. A region
that is not enabled still answers.
"""

from ministack.core.responses import AccountScopedDict, error_response_json
from ministack.services import account, ec2

from hook import around

_enabled = AccountScopedDict()  # regions that the account opted into, by name


def install():
    around(account, "_get_region_opt_status", account._DISPATCH)(status)
    around(account, "_list_regions", account._DISPATCH)(listing)
    account._DISPATCH |= {"/enableRegion": lambda asked: change(asked, True), "/disableRegion": lambda asked: change(asked, False)}
    around(ec2, "_describe_regions", ec2._ACTION_MAP)(describe)


def opt_status(name):
    if name not in account._OPT_IN_REQUIRED:
        return "ENABLED_BY_DEFAULT"
    return "ENABLED" if name in _enabled else "DISABLED"


def status(_, asked):
    name = asked.get("RegionName")
    if name not in account._REGIONS_LIST:
        return error_response_json("ValidationException", f"There is no region {name}.", 400)
    return account._json(200, {"RegionName": name, "RegionOptStatus": opt_status(name)})


def listing(_, asked):
    wanted = asked.get("RegionOptStatusContains")
    regions = [{"RegionName": name, "RegionOptStatus": opt_status(name)} for name in account._REGIONS_LIST]
    return account._json(200, {"Regions": [r for r in regions if not wanted or r["RegionOptStatus"] in wanted]})


def change(asked, enable):
    name = asked.get("RegionName")
    if name not in account._OPT_IN_REQUIRED:
        return error_response_json("ValidationException", f"{name} is no region to opt in to.", 400)
    if enable:
        _enabled[name] = True
    else:
        _enabled.pop(name, None)
    return account._json(200, {})


EC2_STATUS = {"ENABLED_BY_DEFAULT": "opt-in-not-required", "ENABLED": "opted-in", "DISABLED": "not-opted-in"}


def describe(_, params):
    named, filters = ec2._parse_member_list(params, "RegionName"), ec2._parse_filters(params)
    every = ec2._p(params, "AllRegions", "").lower() == "true"
    items = ""
    for name, _ in ec2._AWS_REGIONS:
        values = {"region-name": name, "endpoint": f"ec2.{name}.amazonaws.com", "opt-in-status": EC2_STATUS[opt_status(name)]}
        if named and name not in named or not every and values["opt-in-status"] == "not-opted-in":
            continue
        if all(values[key] in wanted for key, wanted in filters.items() if key in values):
            items += (f"<item><regionName>{name}</regionName><regionEndpoint>{values['endpoint']}</regionEndpoint>"
                      f"<optInStatus>{values['opt-in-status']}</optInStatus></item>")
    return ec2._xml(200, "DescribeRegionsResponse", f"<regionInfo>{items}</regionInfo>")
