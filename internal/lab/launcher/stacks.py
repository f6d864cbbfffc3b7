"""What a template may say that MiniStack ignores: pseudo parameters in conditions, names that are taken, and parts of a topic.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/conditions-section-structure.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-iam-role.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-sns-topic.html

A subscription in a topic of a template waits for its confirmation like any other: see topics.
"""

from ministack.core.responses import get_account_id, get_region
from ministack.services import iam, sns
from ministack.services.cloudformation import changesets, engine, handlers, provisioners, stacks

from hook import around


def install():
    for module in (engine, handlers, stacks, changesets):
        around(module, "_evaluate_conditions")(
            lambda original, template, params: original(template, {**_pseudo(), **params}))

    # RoleName: a role of that name in the account makes the stack fail.
    @around(provisioners, "_iam_role_create", provisioners._RESOURCE_HANDLERS["AWS::IAM::Role"])
    def create_role(original, logical_id, props, stack_name):
        if (name := props.get("RoleName")) and name in iam._roles:
            raise ValueError(f"{name} already exists")
        return original(logical_id, props, stack_name)

    @around(provisioners, "_sns_create", provisioners._RESOURCE_HANDLERS["AWS::SNS::Topic"])
    def create_topic(original, logical_id, props, stack_name):
        arn, attributes = original(logical_id, {k: v for k, v in props.items() if k != "Subscription"}, stack_name)
        topic = sns._topics[arn]
        if key := props.get("KmsMasterKeyId"):
            topic["attributes"]["KmsMasterKeyId"] = key
        for sub in props.get("Subscription") or []:
            sns._subscribe({"TopicArn": [arn], "Protocol": [sub.get("Protocol")], "Endpoint": [sub.get("Endpoint")]})
            topic["subscriptions"][-1]["_cfn_inline"] = True  # by which MiniStack knows those of the template
        return arn, attributes

    @around(provisioners, "_sns_update", provisioners._RESOURCE_HANDLERS["AWS::SNS::Topic"])
    def update_topic(original, physical_id, old_props, new_props, *rest):
        arn, attributes = original(physical_id, old_props, new_props, *rest)
        if old_props.get("KmsMasterKeyId") != new_props.get("KmsMasterKeyId"):
            sns._topics[arn]["attributes"]["KmsMasterKeyId"] = new_props.get("KmsMasterKeyId") or ""
        return arn, attributes


def _pseudo():
    """Returns the pseudo parameters as MiniStack keeps parameters."""
    values = {"AWS::AccountId": get_account_id(), "AWS::Region": get_region(), "AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com"}
    return {name: {"Value": value, "NoEcho": False} for name, value in values.items()}
