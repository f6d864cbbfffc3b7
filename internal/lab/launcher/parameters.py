"""Who wrote each version of a parameter, and how many versions are kept.

MiniStack calls every author root, and keeps every version.
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ParameterHistory.html
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html, ParameterMaxVersionLimitExceeded

MiniStack answers a parameter's policies as it got them, as one text. AWS answers a list.
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ParameterInlinePolicy.html
"""

import json

from ministack.core.iam_evaluator import caller_arn
from ministack.core.responses import error_response_json
from ministack.services import ssm

from hook import around, ok

KEPT = 100


def install():
    @around(ssm, "_put_parameter")
    def put_parameter(original, data):
        history = ssm._parameter_history.get(data.get("Name")) or []
        if len(history) >= KEPT and history[0].get("Labels"):
            return error_response_json("ParameterMaxVersionLimitExceeded", "The oldest version has a label.", 400)
        reply = original(data)
        if ok(reply):
            ssm._parameters[data["Name"]]["Policies"] = policies(data)
            ssm._parameter_history[data["Name"]][-1]["Policies"] = policies(data)
            history = ssm._parameter_history[data["Name"]]
            history[-1]["LastModifiedUser"] = caller_arn()
            del history[:-KEPT]
        return reply


def policies(data):
    return [{"PolicyText": json.dumps(policy), "PolicyType": policy.get("Type"), "PolicyStatus": "Pending"}
            for policy in json.loads(data.get("Policies") or "[]")]
