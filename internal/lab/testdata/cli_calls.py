"""Validates calls against the models of the AWS CLI, without making them.

It reads a JSON list of {Attack, Service, Command, Operation, Input} and prints
what is wrong with each call. It exits with status 1 if any call is wrong.
"""

import json
import sys

import botocore.session
from botocore import xform_name
from botocore.validate import ParamValidator

wrong = 0
session = botocore.session.get_session()
models = {}
for call in json.load(sys.stdin):
    service = {"s3api": "s3"}.get(call["Service"], call["Service"])
    try:
        if service not in models:
            models[service] = session.get_service_model(service)
        shape = models[service].operation_model(call["Operation"]).input_shape
        problems = ParamValidator().validate(call["Input"], shape).generate_report()
        if xform_name(call["Operation"], "-") != call["Command"]:
            problems += f" the command is {xform_name(call['Operation'], '-')}, not {call['Command']}"
    except Exception as problem:
        problems = repr(problem)
    if problems:
        print(f"{call['Attack']}: {call['Service']} {call['Operation']}: {problems}")
        wrong = 1
sys.exit(wrong)
