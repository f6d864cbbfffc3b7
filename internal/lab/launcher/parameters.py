"""Who wrote each version of a parameter, and how many versions are kept.

MiniStack calls every author root, and keeps every version.
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ParameterHistory.html
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html, ParameterMaxVersionLimitExceeded
"""

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
            history = ssm._parameter_history[data["Name"]]
            history[-1]["LastModifiedUser"] = caller_arn()
            del history[:-KEPT]
        return reply
