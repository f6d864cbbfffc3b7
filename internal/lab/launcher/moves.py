"""Calls on queues and functions that MiniStack lacks.

StartMessageMoveTask moves the messages of a dead-letter queue to another queue.
Here it does so at once, and only to a queue that the call names.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html

UpdateFunctionEventInvokeConfig changes what PutFunctionEventInvokeConfig set.
https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionEventInvokeConfig.html
"""

import json
import uuid

from ministack.services import lambda_svc, sqs

from hook import around, ok


def install():
    sqs._HANDLERS["StartMessageMoveTask"] = move

    @around(lambda_svc, "handle_request")
    async def handle_request(original, method, path, headers, body, query_params):
        if method != "POST" or not path.rstrip("/").endswith("/event-invoke-config"):
            return await original(method, path, headers, body, query_params)
        was = await original("GET", path, headers, b"", query_params)
        if not ok(was):
            return was
        merged = json.loads(was[2]) | json.loads(body or b"{}")
        return await original("PUT", path, headers, json.dumps(merged).encode(), query_params)


def move(data, _):
    source, to = (data.get(key, "").rsplit(":", 1)[-1] for key in ("SourceArn", "DestinationArn"))
    with sqs._queues_lock:
        queue = sqs._get_q(source, "sqs:StartMessageMoveTask")
        if to:
            sqs._get_q(to, "sqs:SendMessage")["messages"].extend(queue["messages"])
            queue["messages"].clear()
    return {"TaskHandle": str(uuid.uuid4())}
