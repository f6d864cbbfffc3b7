"""A function writes its logs with its own role: Lambda creates its log group only if
the role may do so. MiniStack always creates it.

https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html
"""

from ministack.services import cloudwatch_logs as cwl
from ministack.services import lambda_svc

from hook import around
from roles import allows


def install():
    @around(lambda_svc, "_emit_lambda_logs")
    def emit(original, func, *args, **kwargs):
        config = func.get("config") or func
        group = (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{config.get('FunctionName')}"
        if group in cwl._log_groups or allows(config.get("Role"), "logs:CreateLogGroup", cwl._make_group_arn(group)):
            original(func, *args, **kwargs)
