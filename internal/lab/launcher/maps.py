"""Distributed maps of Step Functions export their results, and states call Organizations.

A map with a ResultWriter writes the results of its children to files in a bucket, one
for each status, and a manifest that lists them. Its own result says where that is.
https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html
MiniStack returns the results of the children instead.

A state may call any service of the AWS SDK. MiniStack has a table of services, without Organizations.
https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html
"""

import json

from ministack.services import s3, stepfunctions

from hook import around, ok

FAILED = ("FAILED", "TIMED_OUT", "ABORTED")


def record(child):
    """Returns a child as Step Functions exports it. Of what the document shows, it leaves out the redrives."""
    fields = {
        "ExecutionArn": child["executionArn"], "Input": child["input"], "InputDetails": {"Included": True}, "Name": child["name"],
        "StartDate": child["startDate"], "StateMachineArn": child["stateMachineArn"], "Status": child["status"], "StopDate": child["stopDate"],
    }
    if child["status"] == "SUCCEEDED":
        return {**fields, "Output": child["output"], "OutputDetails": {"Included": True}}
    return {**fields, "Error": child.get("error", ""), "Cause": child.get("cause", "")}


def put(bucket, key, value):
    body = json.dumps(value).encode()
    if not ok(s3._put_object(bucket, key, body, {"content-type": "application/json"})):
        raise stepfunctions._ExecutionError("States.ResultWriterFailed", f"The results could not be written. (Bucket: {bucket}, Key: {key})")
    return {"Key": key, "Size": len(body)}


def export(writer, run, children, effective, ctx):
    """Writes the results of a map run, and returns where they are."""
    to = stepfunctions._resolve_params_obj(writer.get("Parameters") or writer.get("Arguments") or {}, effective, ctx)
    folder = "/".join(part for part in (to.get("Prefix", "").strip("/"), run["mapRunArn"].rsplit(":", 1)[1]) if part)
    files = {}
    for status, among in (("FAILED", FAILED), ("PENDING", ("PENDING",)), ("SUCCEEDED", ("SUCCEEDED",))):
        records = [record(child) for child in children if child["status"] in among]
        files[status] = [put(to["Bucket"], f"{folder}/{status}_0.json", records)] if records else []
    manifest = f"{folder}/manifest.json"
    put(to["Bucket"], manifest, {"DestinationBucket": to["Bucket"], "MapRunArn": run["mapRunArn"], "ResultFiles": files})
    run["itemCounts"]["resultsWritten"] = run["executionCounts"]["resultsWritten"] = len(children)
    return {"MapRunArn": run["mapRunArn"], "ResultWriterDetails": {"Bucket": to["Bucket"], "Key": manifest}}


def install():
    stepfunctions._AWS_SDK_SERVICE_MAP.setdefault("organizations", {"target_prefix": "AWSOrganizationsV20161128", "protocol": "json"})
    stepfunctions._AWS_SDK_ERROR_PREFIX.setdefault("organizations", "Organizations")

    @around(stepfunctions, "_run_distributed_map")
    def distributed(original, state_def, raw_input, effective, iterator, execution, ctx):
        writer = state_def.get("ResultWriter")
        if not writer or not writer.get("Resource"):
            return original(state_def, raw_input, effective, iterator, execution, ctx)
        before = set(stepfunctions._map_runs.keys())
        plain = {key: value for key, value in state_def.items() if key not in ("ResultWriter", "ResultSelector", "ResultPath", "OutputPath")}
        _, after = original(plain, raw_input, effective, iterator, execution, ctx)
        run = next(run for arn, run in stepfunctions._map_runs.items() if arn not in before and run["executionArn"] == execution["executionArn"])
        children = [child for child in stepfunctions._executions.values() if child.get("mapRunArn") == run["mapRunArn"]]
        result = stepfunctions._apply_result_selector(state_def, export(writer, run, children, effective, ctx))
        output = stepfunctions._apply_result_path(state_def, raw_input, result)
        return stepfunctions._apply_output_path(state_def, output, ctx), after
