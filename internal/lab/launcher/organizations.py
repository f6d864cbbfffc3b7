"""An organisation of several accounts: how accounts join and leave it, and the condition keys about it.

In MiniStack each account is the management account of an organisation of its own, and
nobody can join.
https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateOrganization.html
https://docs.aws.amazon.com/organizations/latest/APIReference/API_InviteAccountToOrganization.html
https://docs.aws.amazon.com/organizations/latest/APIReference/API_AcceptHandshake.html
https://docs.aws.amazon.com/organizations/latest/APIReference/API_LeaveOrganization.html
https://docs.aws.amazon.com/organizations/latest/APIReference/API_DescribeOrganization.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html

A member may describe the organisation and leave it; all other calls are the management
account's. Nobody pays, so a member may leave at once.
"""

import json
import time

from ministack.core import iam_evaluator
from ministack.core.responses import error_response_json, get_account_id, get_region, new_uuid, request_scope
from ministack.services import organizations

from hook import around

_managed = {}  # the management account of each member that joined
_invited = {}  # account and management account of each open handshake, by its ID


def install():
    @around(organizations, "handle_request")
    async def handle_request(original, method, path, headers, body, query_params):
        operation = headers.get("x-amz-target", "").rsplit(".", 1)[-1]
        payload = json.loads(body or b"{}")
        if operation in CALLS:
            return CALLS[operation](payload)
        management = _managed.get(get_account_id())
        if management is None:
            return await original(method, path, headers, body, query_params)
        if operation != "DescribeOrganization":
            return error_response_json("AccessDeniedException", "You don't have permissions to access this resource.", 400)
        with request_scope(management, get_region()):
            return await original(method, path, headers, body, query_params)

    around(iam_evaluator, "_principal_org_id")(lambda original, account: of(account))


def of(account):
    """Returns the ID of the organisation of an account, or None."""
    return (organizations._orgs.get_scoped(_managed.get(account, account), None, "self") or {}).get("Id")


def create(_):
    if get_account_id() in _managed or "self" in organizations._orgs:
        return error_response_json("AlreadyInOrganizationException", "The account is in an organization.", 400)
    organizations._ensure_org()
    return organizations._json(200, {"Organization": dict(organizations._orgs["self"])})


def invite(payload):
    target, management = payload.get("Target") or {}, get_account_id()
    account = target.get("Id", "")
    if target.get("Type") != "ACCOUNT" or "self" not in organizations._orgs:
        return error_response_json("InvalidInputException", "The management account invites an account by its ID.", 400)
    if account in _managed or of(account):
        return error_response_json("HandshakeConstraintViolationException", f"{account} is in an organization.", 400)
    shaken = "h-" + new_uuid().replace("-", "")
    _invited[shaken] = account, management
    return _handshake(shaken, account, management, "OPEN")


def accept(payload):
    shaken = payload.get("HandshakeId")
    account, management = _invited.get(shaken, ("", ""))
    if account != get_account_id():
        return error_response_json("HandshakeNotFoundException", f"There is no handshake {shaken}.", 400)
    del _invited[shaken]
    _managed[account] = management
    with request_scope(management, get_region()):
        organization = organizations._orgs["self"]["Id"]
        organizations._accounts[account] = {
            "Id": account, "Arn": f"arn:aws:organizations::{management}:account/{organization}/{account}", "Email": f"{account}@example.com",
            "Name": account, "Status": "ACTIVE", "JoinedMethod": "INVITED", "JoinedTimestamp": int(time.time()), "Path": "/",
            "_ParentId": next(iter(organizations._roots)),
        }
    return _handshake(shaken, account, management, "ACCEPTED")


def leave(_):
    return _part(get_account_id())


def remove(payload):
    account = payload.get("AccountId", "")
    if _managed.get(account) != get_account_id():
        return error_response_json("AccountNotFoundException", f"{account} is no member.", 400)
    return _part(account)


def _part(account):
    management = _managed.pop(account, None)
    if management is None:
        return error_response_json("AWSOrganizationsNotInUseException", "The account is no member of an organization.", 400)
    with request_scope(management, get_region()):
        organizations._accounts.pop(account, None)
    return organizations._json(200, {})


def _handshake(shaken, account, management, state):
    organization = organizations._orgs.get_scoped(management, None, "self")["Id"]
    return organizations._json(200, {"Handshake": {
        "Id": shaken, "Arn": f"arn:aws:organizations::{management}:handshake/{organization}/invite/{shaken}", "Action": "INVITE", "State": state,
        "Parties": [{"Id": organization.removeprefix("o-"), "Type": "ORGANIZATION"}, {"Id": account, "Type": "ACCOUNT"}],
        "RequestedTimestamp": int(time.time()),
    }})


CALLS = {"CreateOrganization": create, "InviteAccountToOrganization": invite, "AcceptHandshake": accept,
         "LeaveOrganization": leave, "RemoveAccountFromOrganization": remove}
