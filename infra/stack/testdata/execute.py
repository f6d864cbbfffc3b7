"""Executes a state machine in the emulator's interpreter of Amazon States Language, with functions
and Organizations of its own. Reads a JSON object from the standard input, and writes one.

The launcher's folder is the first argument: the interpreter lacks ResultWriter without it.
"""

import json
import os
import sys
import time

os.environ.setdefault("LOG_LEVEL", "ERROR")
sys.path.insert(0, sys.argv[1])

from ministack.services import s3, stepfunctions  # noqa: E402

import maps  # noqa: E402

asked = json.load(sys.stdin)
calls = []


def result(key):
    return json.loads(s3._get_object("results", key, {}, {})[2])


def function(_, event):
    """Answers as the function of the sweep does, as far as the state machine depends on it."""
    calls.append(event)
    if "gather" not in event:
        account = event["account"]
        if account in asked["fails"]:
            raise stepfunctions._ExecutionError("Lambda.Unknown", "it failed")
        slow = account in asked["slow"] and len(event.get("rest", ["", ""])) > 1
        return {"account": account, "rest": ["flowlogs/eu-west-1"]} if slow else {"account": account}
    given = event["gather"]
    total = dict(given.get("before", {}), cells=[])
    if "key" not in given:
        return total
    if asked["unread"]:
        raise stepfunctions._ExecutionError("Lambda.Unknown", asked["unread"])
    for status, files in result(given["key"])["ResultFiles"].items():
        for child in (child for file in files for child in result(file["Key"])):
            account = json.loads(child["Input"])["cell"]["account"]
            if status == "FAILED":
                total.setdefault("unswept", []).append({"account": account, "error": child["Error"]})
            elif rest := json.loads(child["Output"]).get("rest"):
                total["cells"].append({"account": account, "rest": rest})
    return total


def organizations(resource, given):
    """Lists two accounts a page, and what is above an account or unit."""
    if asked["denied"]:
        raise stepfunctions._ExecutionError("Organizations.AccessDeniedException", "it is denied")
    if resource.endswith(":listParents"):
        above = {"ou-a1b2-c3d4e5f6": "r-a1b2"}.get(given["ChildId"], "ou-a1b2-c3d4e5f6")
        return {"Parents": [{"Id": above, "Type": "ROOT" if above.startswith("r-") else "ORGANIZATIONAL_UNIT"}]}
    begin = int(given.get("NextToken", "0"))
    page = {"Accounts": asked["accounts"][begin:begin + 2]}
    if begin + 2 < len(asked["accounts"]):
        page["NextToken"] = str(begin + 2)
    return page


def counted(original):
    """Notes each state of the execution that is no child's: its events leave out the branches of Parallel."""
    def wrapped(*args):
        if "Map" not in args[-1]:  # the context: a child's has its item
            entered.append(original)
        return original(*args)
    return wrapped


maps.install()
entered = []
for kind in ("pass", "task", "choice", "parallel", "map"):
    setattr(stepfunctions, f"_execute_{kind}", counted(getattr(stepfunctions, f"_execute_{kind}")))
stepfunctions._call_lambda = function
stepfunctions._resolve_lambda_function_ref = lambda ref, optimized=False: ref
stepfunctions._invoke_aws_sdk_integration = organizations
stepfunctions._scaled_sleep = lambda seconds: None
s3._create_bucket("results", b"", {}, {}) if s3._create_bucket.__code__.co_argcount > 3 else s3._create_bucket("results", b"", {})
made = json.loads(stepfunctions._create_state_machine({"name": "sweep", "definition": json.dumps(asked["definition"]), "roleArn": "arn:aws:iam::111122223333:role/sweep"})[2])
started = json.loads(stepfunctions._start_execution({"stateMachineArn": made["stateMachineArn"], "input": json.dumps(asked["input"])})[2])
end = time.time() + 30
while stepfunctions._executions[started["executionArn"]]["status"] == "RUNNING" and time.time() < end:
    time.sleep(0.02)
execution = stepfunctions._executions[started["executionArn"]]
children = sum(bool(other.get("mapRunArn")) for other in stepfunctions._executions.values())
sys.stdout = sys.__stdout__
print("\n" + json.dumps({"status": execution["status"], "error": execution.get("error"), "cause": execution.get("cause"), "calls": calls, "entered": len(entered), "children": children}))
