"""The Runtime API hands a function its next event without a pause.

MiniStack writes the head and the body of that answer apart, and TCP keeps the second
back until the first is acknowledged, which takes up to 40 ms (RFC 896 and RFC 1122,
section 4.2.3.2).
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from ministack.core.lambda_runtime import ProvidedWorker


def install():
    original = ProvidedWorker._build_handler_class

    def build(worker, *rest):
        handler = original(worker, *rest)
        handler.disable_nagle_algorithm = True
        return handler

    ProvidedWorker._build_handler_class = build
