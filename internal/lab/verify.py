"""Checks an account with the plain AWS CLI and names every broken link.

It checks for every control: trail, log group, filter, alarm, topic, subscriber.
It checks for every VPC: flow log and the flow log's log group. It checks for every subnet
and network interface in CHOSEN: flow log, and the bucket or stream that receives it. It
shares no code with relight, so that its result does not depend on relight being right.

    relight controls --output json > controls.json
    python3 verify.py controls.json HOME_REGION [REGION ...]

It prints one line for each broken link, and exits with status 1 if there is any.
The AWS CLI is that of this Python if it has one, else the aws command on the PATH; AWS_CLI
names another command. SUBSCRIBERS lists endpoints, separated by commas, that have to
receive every message; without it, one subscriber that receives every message is enough.
TRAIL_RETENTION is for how many days the trail's log group has to keep its records, if
longer than a year. TRAIL=none is for an account that owns no trail and needs no controls.
CHOSEN is JSON: which tag chooses the
subnets and network interfaces that need a flow log of their own, what traffic that has to
record, and where it has to go; {region} stands for the region:

    {"subnet": {"tag": "sensitive=yes", "traffic": "ALL", "to": "arn:aws:s3:::flow-logs/subnets"}}
"""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from io import StringIO
from threading import Lock

try:
    from awscli.clidriver import create_clidriver
except ImportError:  # version 2 of the AWS CLI is no package
    create_clidriver = None

YEAR = 365
KEPT = int(os.environ.get("TRAIL_RETENTION", YEAR))
MISSING = "ResourceNotFoundException", "NotFound", "NoSuchBucket", "NoSuchBucketPolicy", "AuthorizationError"  # the last is SNS's, where a topic's policy denies the call
CHOSEN = json.loads(os.environ.get("CHOSEN", "{}"))
NETWORKS = {"subnet": ("describe-subnets", "Subnets", "SubnetId"),
            "network interface": ("describe-network-interfaces", "NetworkInterfaces", "NetworkInterfaceId")}
SUBSCRIBERS = [s for s in os.environ.get("SUBSCRIBERS", "").split(",") if s]


def in_process():
    """Returns a function that runs the AWS CLI in this process: its start takes far longer than a call."""
    driver, one = create_clidriver(), Lock()

    def run(args):
        with one, redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as err:
            return driver.main(args), out.getvalue(), err.getvalue()
    return run


def in_another(command):
    """Returns a function that runs the AWS CLI as a command."""
    def run(args):
        done = subprocess.run([command, *args], capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr
    return run


run_cli = in_process() if create_clidriver and "AWS_CLI" not in os.environ else in_another(os.environ.get("AWS_CLI", "aws"))


def aws(region, *args):
    """Returns the answer of one AWS CLI call, with all its pages, or nothing if what it asks for is gone or closed to it by a policy."""
    code, out, err = run_cli(["--region", region, "--output", "json", *args])
    if code and any(f"({missing})" in err for missing in MISSING):
        return {}
    if code:
        sys.exit(f"aws {' '.join(args)} in {region}: {err.strip()}")
    return json.loads(out or "{}")


def squeezed(pattern):
    return "".join(pattern.split())


def short_lived(group):
    return group.get("retentionInDays", YEAR) < YEAR


def unguarded(region, group):
    """Returns whether relight made a log group that is not protected from deletion."""
    if group.get("deletionProtectionEnabled") is not False:
        return False
    return "relight" in aws(region, "logs", "list-tags-for-resource", "--resource-arn", group["arn"].removesuffix(":*")).get("tags", {})


def measures(f, control):
    metric = f["metricTransformations"][0]
    return (squeezed(f["filterPattern"]) == squeezed(control["pattern"]) and metric["metricValue"] == "1"
            and not metric.get("dimensions") and not metric.get("defaultValue")
            and not f.get("fieldSelectionCriteria") and not f.get("applyOnTransformedLogs")
            and not f.get("emitSystemFieldDimensions"))


def alerts(a, metric):
    return (a.get("Namespace") == metric["metricNamespace"] and a.get("MetricName") == metric["metricName"]
            and not a.get("Dimensions") and a.get("Unit") in (None, metric.get("unit", "None"))
            and a.get("Statistic") in ("Sum", "Maximum") and a["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
            and 0 < a["Threshold"] <= 1 and a["Period"] <= 300 and a["EvaluationPeriods"] == 1
            and a.get("TreatMissingData", "missing") in ("missing", "notBreaching") and a["ActionsEnabled"])


def admits_alarms(statements):
    """Returns whether CloudWatch may publish and no statement denies it, except without TLS."""
    def about(st):
        who, what = st["Principal"], st["Action"]
        means = who in ("*", {"AWS": "*"}) or "cloudwatch.amazonaws.com" in (who.get("Service") or [])
        return means and "sns:publish" in [a.lower() for a in ([what] if isinstance(what, str) else what)]
    tls = {"Bool": {"aws:SecureTransport": "false"}}
    mine = [st for st in statements if about(st)]
    return (any(st["Effect"] == "Allow" for st in mine)
            and not any(st["Effect"] == "Deny" and st.get("Condition") != tls for st in mine))


def broken_control(control, filters, alarms, broken_topic):
    """Returns the first broken link of a control, or None."""
    metrics = [f["metricTransformations"][0] for f in filters if measures(f, control)]
    if not metrics:
        return "filter"
    ringing = [a for a in alarms for m in metrics if alerts(a, m)]
    if not ringing:
        return "alarm"
    topics = [t for a in ringing for t in a["AlarmActions"] if ":sns:" in t]
    links = [broken_topic(t) for t in topics]
    return None if None in links else next(iter(links), "topic")


def broken_trail(home, trail):
    """Yields every reason why a trail does not verifiably record every management event."""
    status = aws(home, "cloudtrail", "get-trail-status", "--name", trail["TrailARN"])
    if not status.get("IsLogging"):
        yield f"trail {trail['Name']}: it is not logging"
    for key in ("LatestDeliveryError", "LatestCloudWatchLogsDeliveryError"):
        if status.get(key):
            yield f"trail {trail['Name']}: {key} {status[key]}"
    for key in ("IncludeGlobalServiceEvents", "LogFileValidationEnabled"):
        if not trail.get(key):
            yield f"trail {trail['Name']}: {key} is off"
    chosen = aws(home, "cloudtrail", "get-event-selectors", "--trail-name", trail["TrailARN"])
    everything = any(s["IncludeManagementEvents"] and s["ReadWriteType"] == "All" and not s.get("ExcludeManagementEventSources")
                     for s in chosen.get("EventSelectors", []))
    everything = everything or any(
        [(f["Field"], f.get("Equals")) for f in s["FieldSelectors"]] == [("eventCategory", ["Management"])]
        for s in chosen.get("AdvancedEventSelectors", []))
    if not everything:
        yield f"trail {trail['Name']}: it does not record all management events"


def broken_controls(home, controls, calls):
    trails = [t for t in calls["trails"]["trailList"] if t["IsMultiRegionTrail"] and t.get("CloudWatchLogsLogGroupArn")]
    if not trails:
        yield "trail: no multi-region trail delivers to a log group"
        return
    yield from broken_trail(home, trails[0])
    name = trails[0]["CloudWatchLogsLogGroupArn"].split(":log-group:")[1].removesuffix(":*")
    group = next((g for g in calls["groups", home]["logGroups"] if g["logGroupName"] == name), None)
    if group is None:
        yield f"log group {name}: it does not exist"
        return
    if group.get("retentionInDays", KEPT) < KEPT:
        yield f"log group {name}: its retention is only {group['retentionInDays']} days"
    filters = aws(home, "logs", "describe-metric-filters", "--log-group-name", name)["metricFilters"]

    @cache
    def broken_topic(topic):
        subs = aws(home, "sns", "list-subscriptions-by-topic", "--topic-arn", topic).get("Subscriptions")
        if subs is None:
            return "topic"
        policy = json.loads(aws(home, "sns", "get-topic-attributes", "--topic-arn", topic).get("Attributes", {}).get("Policy") or "{}")
        if not admits_alarms(policy.get("Statement", [])):
            return "topic's policy"
        endpoints = {s["SubscriptionArn"]: s.get("Endpoint") for s in subs if s["SubscriptionArn"].startswith("arn:")}
        if not endpoints or not set(SUBSCRIBERS) <= set(endpoints.values()):
            return "subscriber"
        filtered = [bool(json.loads(aws(home, "sns", "get-subscription-attributes", "--subscription-arn", s)["Attributes"].get("FilterPolicy") or "{}"))
                    for s in endpoints]
        return "subscriber's filter policy" if all(filtered) or SUBSCRIBERS and any(filtered) else None

    for control in controls:
        if link := broken_control(control, filters, calls["alarms"]["MetricAlarms"], broken_topic):
            yield f"control {control['id']}: broken at its {link}"


def broken_vpcs(region, calls):
    groups = {g["logGroupName"]: g for g in calls["groups", region]["logGroups"]}
    for vpc in calls["vpcs", region]["Vpcs"]:
        good = [f for f in calls["flowlogs", region]["FlowLogs"]
                if f["ResourceId"] == vpc["VpcId"] and f["FlowLogStatus"] == "ACTIVE"
                and f["TrafficType"] in ("REJECT", "ALL") and f.get("DeliverLogsStatus") != "FAILED"]
        if not good:
            yield f"VPC {vpc['VpcId']} in {region}: no flow log records rejected traffic"
        for f in good:
            name = f.get("LogGroupName")
            if name and name not in groups:
                yield f"VPC {vpc['VpcId']} in {region}: the log group {name} does not exist"
            elif name and short_lived(groups[name]):
                yield f"VPC {vpc['VpcId']} in {region}: the retention of the log group {name} is only {groups[name]['retentionInDays']} days"
            elif name and unguarded(region, groups[name]):
                yield f"VPC {vpc['VpcId']} in {region}: relight made the log group {name}, but it is not protected from deletion"


def broken_destination(region, to):
    """Yields why AWS may not write flow logs to a bucket or a Firehose stream."""
    if ":s3:::" not in to:
        tags = aws(region, "firehose", "list-tags-for-delivery-stream", "--delivery-stream-name", to.rsplit("/", 1)[-1]).get("Tags", [])
        if {"Key": "LogDeliveryEnabled", "Value": "true"} not in tags:
            yield f"stream {to}: it does not exist, or AWS may not write flow logs to it"
        return
    bucket = to.split(":::")[1].split("/")[0]
    policy = json.loads(aws(region, "s3api", "get-bucket-policy", "--bucket", bucket).get("Policy") or "{}")
    allowed = {action for st in policy.get("Statement", []) if st["Effect"] == "Allow" and st["Principal"] == {"Service": "delivery.logs.amazonaws.com"}
               for action in ([st["Action"]] if isinstance(st["Action"], str) else st["Action"])}
    if not {"s3:PutObject", "s3:GetBucketAcl"} <= allowed:
        yield f"bucket {bucket}: it does not exist, or its policy does not admit flow logs"


def broken_chosen(region, calls):
    for sort, chosen in CHOSEN.items():
        _, plural, key = NETWORKS[sort]
        to = chosen["to"].replace("{region}", region)
        for one in calls[sort, region][plural]:
            if not any(f["ResourceId"] == one[key] and f["FlowLogStatus"] == "ACTIVE" and f.get("DeliverLogsStatus") != "FAILED"
                       and f["TrafficType"] in ("ALL", chosen["traffic"]) and f.get("LogDestination") == to
                       for f in calls["flowlogs", region]["FlowLogs"]):
                yield f"{sort} {one[key]} in {region}: no flow log records {chosen['traffic']} to {to}"


def main():
    with open(sys.argv[1]) as file:
        controls = [c for c in json.load(file)["controls"] if not c["disabled"]]
    home, *others = sys.argv[2:]
    wanted = {"trails": (home, "cloudtrail", "describe-trails"), "alarms": (home, "cloudwatch", "describe-alarms")}
    for region in (home, *others):
        wanted["groups", region] = (region, "logs", "describe-log-groups")
        wanted["vpcs", region] = (region, "ec2", "describe-vpcs")
        wanted["flowlogs", region] = (region, "ec2", "describe-flow-logs")
        for sort, chosen in CHOSEN.items():
            key, value = chosen["tag"].split("=", 1)
            wanted[sort, region] = (region, "ec2", NETWORKS[sort][0], "--filters", f"Name=tag:{key},Values={value}")
    with ThreadPoolExecutor(4) as pool:
        calls = dict(zip(wanted, pool.map(lambda args: aws(*args), wanted.values())))
    broken = [] if os.environ.get("TRAIL") == "none" else [*broken_controls(home, controls, calls)]
    for region in (home, *others):
        broken += broken_vpcs(region, calls)
        broken += broken_chosen(region, calls)
    for to in {chosen["to"] for chosen in CHOSEN.values()}:
        broken += broken_destination(home, to.replace("{region}", home))
    print("\n".join(broken) if broken else f"{len(controls)} controls and every VPC are healthy")
    sys.exit(bool(broken))


if __name__ == "__main__":
    main()
