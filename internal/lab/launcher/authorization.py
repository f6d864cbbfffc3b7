"""What IAM sees of a call: its resource and its transport."""

from ministack.core import iam_actions, iam_evaluator

from hook import around


def install():
    # Resources of CreateFlowLogs: the VPC and the flow log to be, not "*".
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
    @around(iam_actions, "extract_resource_arn")
    def resource(original, service, method, path, headers, body, query_params, region, account_id, *rest, **more):
        if service == "ec2" and iam_actions._query_param(query_params, "Action") == "CreateFlowLogs":
            vpc = iam_actions._query_param(query_params, "ResourceId.1")
            return f"arn:aws:ec2:{region}:{account_id}:vpc/{vpc}"
        return original(service, method, path, headers, body, query_params, region, account_id, *rest, **more)

    # A lab speaks plain HTTP on the loopback interface, where AWS speaks TLS.
    # Policies that deny the former, as every bootstrap bucket's does, are not
    # meant to deny a lab.
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    @around(iam_evaluator, "_resolve_condition_key")
    def condition(original, key, context):
        return "true" if key.lower() == "aws:securetransport" else original(key, context)
