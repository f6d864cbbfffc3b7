"""Metrics of functions, and alarms that heed dimensions and missing data.

MiniStack writes no metric of a function, takes none from its log, and evaluates an
alarm on all dimensions of a metric together, over all periods as one, and never on
missing data.
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html

An alarm that treats missing data as breaching is evaluated every second, other
alarms whenever a metric is put. AWS evaluates such an alarm on the time before it
was made too, and rings at once; here only whole periods since then count, so that
a lab begins in silence. Of the metrics of functions, only those that such an alarm
watches are stored.

MiniStack stores metric filters and counts nothing with them. Here PutLogEvents counts the
events that a filter's pattern matches, at the time of each event, without dimensions.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/MonitoringLogData.html

The metrics of a topic count its messages, and what reached its subscribers. AWS shows
them some minutes later.
https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html
"""

import json
import threading
import time

from ministack.core import responses
from ministack.services import cloudwatch as cw, cloudwatch_logs as cwl, lambda_svc, sns, sqs

from hook import around, ok
from patterns import matches

OPERATORS = {
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}


def install():
    @around(lambda_svc, "_emit_lambda_logs")
    def logged(original, func, request_id, log_text, error, *rest, **more):
        original(func, request_id, log_text, error, *rest, **more)
        name = (func.get("config") or func).get("FunctionName", "")
        _store("AWS/Lambda", {"Invocations": 1, "Errors": int(bool(error))}, {"FunctionName": name})
        for line in (log_text or "").splitlines():
            _embedded(line)
        cw._evaluate_all_alarms()

    @around(cwl, "_put_log_events")
    def put_log_events(original, data):
        reply = original(data)
        if ok(reply):
            filters = [f for (group, _), f in cwl._metric_filters.items() if group == data["logGroupName"]]
            if filters:
                _filtered(filters, data.get("logEvents") or ())
                cw._evaluate_all_alarms()
        return reply

    @around(cw, "_evaluate_alarm")
    def evaluate(original, alarm):
        if not alarm.get("MetricName") or alarm.get("Metrics") or not alarm.get("Statistic") or alarm.get("ComparisonOperator") not in OPERATORS:
            return original(alarm)
        state, reason = _state(alarm)
        old = alarm["StateValue"]
        if state and state != old:
            alarm.update(StateValue=state, StateReason=reason, StateUpdatedTimestamp=int(time.time()))
            cw._record_history(alarm["AlarmName"], old, state, reason)
            cw._dispatch_alarm_actions(alarm, old, state, reason)
            cw._evaluate_parent_alarms(alarm)

    @around(sns, "_fanout")
    def fanout(original, topic_arn, *rest, **more):
        original(topic_arn, *rest, **more)
        topic = sns._topic_by_arn_any_scope(topic_arn) or {"subscriptions": []}
        _count(topic_arn, "NumberOfMessagesPublished")
        for sub in topic["subscriptions"]:
            if sub.get("confirmed") and not sub["attributes"].get("FilterPolicy"):
                _count(topic_arn, "NumberOfNotificationsDelivered" if _reached(sub, topic_arn) else "NumberOfNotificationsFailed")

    threading.Thread(target=_watch, daemon=True).start()


def _reached(sub, topic_arn):
    """Returns whether a subscriber takes a message. Only queues can be seen to refuse one."""
    if sub["protocol"] != "sqs":
        return True
    queue = sqs._queue_by_arn(sub["endpoint"])
    return bool(queue) and sqs.queue_policy_allows(sub["endpoint"], "sns.amazonaws.com", topic_arn, topic_arn.split(":")[4])


def _count(topic_arn, metric):
    cw._store_datum("AWS/SNS", metric, {"TopicName": topic_arn.rsplit(":", 1)[-1]}, time.time(), "Count", 1, None, None, None)


def _store(namespace, values, dimensions):
    watched = {(a.get("Namespace"), a.get("MetricName")) for a in cw._alarms.values() if a.get("TreatMissingData") == "breaching"}
    for name, value in values.items():
        if (namespace, name) in watched:
            cw._store_datum(namespace, name, dimensions, time.time(), "Count", value, None, None, None)


def _embedded(line):
    """Stores the metrics of a line of a log in the embedded metric format."""
    try:
        record = json.loads(line)
        directives = record["_aws"]["CloudWatchMetrics"]
    except (ValueError, TypeError, KeyError):
        return
    for directive in directives:
        values = {m["Name"]: record[m["Name"]] for m in directive["Metrics"] if m["Name"] in record}
        for names in directive["Dimensions"]:
            _store(directive["Namespace"], values, {name: record[name] for name in names})


def _filtered(filters, events):
    """Counts the log events that metric filters match."""
    for f in filters:
        metric = f["metricTransformations"][0]
        for event in events:
            try:
                found = not metric.get("dimensions") and matches(f.get("filterPattern") or "", event["message"])
            except (ValueError, IndexError):  # a pattern of terms, or an event that is no JSON
                found = False
            if found:
                cw._store_datum(metric["metricNamespace"], metric["metricName"], {}, event["timestamp"] / 1000, "None",
                                float(metric["metricValue"]), None, None, None)


def _state(alarm):
    """Returns the state of an alarm and its reason; None to keep the state."""
    period, periods, now = int(alarm["Period"]), int(alarm.get("EvaluationPeriods", 1)), time.time()
    dimensions = {d["Name"]: d["Value"] for d in alarm.get("Dimensions") or ()}
    points = cw._metrics.get((alarm["Namespace"], alarm["MetricName"], cw._dims_key(dimensions))) or []
    missing, breaching = alarm.get("TreatMissingData") or "missing", []
    for i in range(periods):
        found = [p for p in points if now - (i + 1) * period <= p["Timestamp"] <= now - i * period + (1 if i == 0 else 0)]
        if found:
            value = cw._stat_value(cw._calc_stats(found), alarm["Statistic"], found)
            breaching.append(OPERATORS[alarm["ComparisonOperator"]](value, alarm.get("Threshold", 0)))
        elif missing in ("breaching", "notBreaching"):
            breaching.append(missing == "breaching")
    if missing == "breaching" and now - alarm.setdefault("_made", now) < period * periods:
        return ("OK", "the alarm is new") if False in breaching else (None, "")
    if not breaching or not points and missing != "breaching":
        return None, ""
    wanted = min(int(alarm.get("DatapointsToAlarm") or periods), len(breaching))
    return ("ALARM" if sum(breaching) >= wanted else "OK",
            f"Threshold Crossed: {sum(breaching)} of {periods} periods: {alarm['Statistic']} {alarm['ComparisonOperator']} {alarm.get('Threshold', 0)}")


def _watch():
    while True:
        time.sleep(1)
        for (account, region, _), alarm in list(cw._alarms._data.items()):
            if alarm.get("TreatMissingData") == "breaching":
                responses.set_request_account_id(account)
                responses.set_request_region(region)
                cw._evaluate_alarm(alarm)
