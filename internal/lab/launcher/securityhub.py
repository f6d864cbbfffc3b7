"""Security Hub: its activation, and the findings of an account's own product.

MiniStack has no Security Hub.
https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_EnableSecurityHub.html
https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_BatchImportFindings.html
https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_GetFindings.html, whose filters must be EQUALS
https://docs.aws.amazon.com/securityhub/latest/userguide/finding-update-batchimportfindings.html
"""

import datetime
import json

from ministack import app
from ministack.core import iam_actions
from ministack.core.responses import AccountRegionScopedDict, error_response_json, get_account_id, get_region, json_response

from hook import page

_enabled = AccountRegionScopedDict()  # "hub" if Security Hub is enabled
_findings = AccountRegionScopedDict()  # by ID

REQUIRED = ("AwsAccountId", "CreatedAt", "Description", "GeneratorId", "Id", "ProductArn", "Resources", "SchemaVersion", "Title", "UpdatedAt")
CUSTOMERS = ("Note", "UserDefinedFields", "VerificationState", "Workflow")  # what an import does not change
MOST = 100  # findings in an import
LARGEST = 240_000  # bytes of a finding


def install():
    if "securityhub" in app.SERVICE_HANDLERS:
        raise LookupError("MiniStack has Security Hub")
    app.SERVICE_HANDLERS["securityhub"] = handle
    iam_actions.SERVICE_TO_IAM_NAMESPACE["securityhub"] = "securityhub"
    iam_actions._BOTOCORE_SERVICE_MAP["securityhub"] = ["securityhub"]  # its paths name the operations


async def handle(method, path, headers, body, query):
    asked = json.loads(body) if body else {}
    if (method, path) == ("POST", "/accounts"):
        if "hub" in _enabled:
            return refuse(409, "ResourceConflictException", "Account is already subscribed to Security Hub")
        _enabled["hub"] = True
        return reply({})
    if "hub" not in _enabled:
        return refuse(401, "InvalidAccessException", f"Account {get_account_id()} is not subscribed to AWS Security Hub")
    if (method, path) == ("POST", "/findings/import"):
        return import_findings(asked.get("Findings") or [])
    if (method, path) == ("POST", "/findings"):
        return get_findings(asked)
    return refuse(404, "UnknownOperationException", f"the lab's Security Hub has no {method} {path}")


def reply(answer):
    return json_response(answer, content_type="application/json")


def refuse(status, code, message):
    return error_response_json(code, message, status, message_key="Message", content_type="application/json")


def import_findings(findings):
    if not 0 < len(findings) <= MOST:
        return refuse(400, "InvalidInputException", f"{len(findings)} findings: from 1 to {MOST} are accepted")
    failed = []
    for f in findings:
        if why := misshapen(f):
            failed.append({"Id": f.get("Id", ""), "ErrorCode": "InvalidInput", "ErrorMessage": why})
            continue
        was = _findings.get(f["Id"])
        if was and instant(f["UpdatedAt"]) <= instant(was["UpdatedAt"]):
            continue
        if was:
            # https://docs.aws.amazon.com/securityhub/latest/userguide/findings-workflow-status.html
            reopened = was["RecordState"] == "ARCHIVED" and f.get("RecordState", "ACTIVE") == "ACTIVE"
            f |= {k: was[k] for k in CUSTOMERS if k in was} | ({"Workflow": {"Status": "NEW"}} if reopened else {})
        _findings[f["Id"]] = {"RecordState": "ACTIVE", **f}
    return reply({"SuccessCount": len(findings) - len(failed), "FailedCount": len(failed), "FailedFindings": failed})


def misshapen(f):
    account = get_account_id()
    for name in REQUIRED:
        if not f.get(name):
            return f"finding.{name} is missing"
    if f["ProductArn"] != f"arn:aws:securityhub:{get_region()}:{account}:product/{account}/default" or f["AwsAccountId"] != account:
        return "finding.ProductArn or finding.AwsAccountId is not this account's"
    if not f.get("Severity") and not f.get("FindingProviderFields", {}).get("Severity"):
        return "finding has no severity"
    if f.get("RecordState", "ACTIVE") not in ("ACTIVE", "ARCHIVED") or f["SchemaVersion"] != "2018-10-08":
        return "finding.RecordState or finding.SchemaVersion is unknown"
    try:
        instant(f["CreatedAt"]), instant(f["UpdatedAt"])
    except ValueError as wrong:
        return str(wrong)
    return "the finding is too large" if len(json.dumps(f)) > LARGEST else ""


def instant(text):
    return datetime.datetime.fromisoformat(text)


def get_findings(asked):
    def matches(f):
        for name, wanted in (asked.get("Filters") or {}).items():
            if not any(w.get("Comparison") == "EQUALS" and f.get(name) == w.get("Value") for w in wanted):
                return False
        return True

    shown, after = page([f for f in _findings.values() if matches(f)], asked.get("MaxResults"), asked.get("NextToken"))
    return reply({"Findings": shown, **({"NextToken": after} if after else {})})
