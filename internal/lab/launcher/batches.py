"""How the event source mapping of a queue gathers batches, and when.

A batch goes to the function when it is full or its window has ended; without a window,
it is what one receive finds. A batch has up to 10,000 messages, with a window of at
least 1 s for more than ten. MiniStack invokes at once, with at most ten messages.
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html

Lambda polls with long polling, which answers when a message becomes visible: after its
own delay, the queue's, or the visibility timeout of an earlier receive. MiniStack's
poller looks once a second, and at least 50 ms after it has found nothing.
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html

What a function answers about a batch decides which messages come again. Null is as good
as none, and an identifier that is no message's makes all of them come again. MiniStack
deletes no message of a null list, and leaves out what it does not know.
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting

MiniStack itself does the rest: at most MaximumConcurrency invocations at once, each in a
process of its own, and a message's attributes.
"""

import threading
import time

from ministack.core.concurrency import esm_wake
from ministack.core.responses import error_response_json, request_scope
from ministack.services import lambda_svc, sqs

from hook import around

POLL_GAP = 0.005  # between two polls that find nothing, in seconds

polling = threading.Event()  # while it is not set, no function receives a message
polling.set()
paused = set()  # names of further queues whose messages no function receives


def install():
    lambda_svc._ESM_IDLE_WAKE_GAP_SECONDS = min(lambda_svc._ESM_IDLE_WAKE_GAP_SECONDS, POLL_GAP)
    clock = Clock()

    @around(sqs, "_receive_messages_for_esm")
    def receive(original, queue_url, size):
        if not polling.is_set():
            return []
        with sqs._queues_lock:
            queue = sqs._get_q(queue_url)
            if queue["attributes"]["QueueArn"].rsplit(":", 1)[-1] in paused:
                return []
            if queue["is_fifo"]:
                return original(queue_url, size)
            sqs._expire_retained(queue)
            sqs._dlq_sweep(queue)
            now = time.time()
            visible = [m["visible_at"] for m in queue["messages"]]
            waiting = [at for at in visible if at <= now]
            if not waiting or len(waiting) < size and now - min(waiting) < _window(queue):
                if visible:
                    clock.wake(min(visible) + _window(queue) if waiting else min(visible))
                return []
            clock.wake(min((at for at in visible if at > now), default=None))
            return sqs._collect_msgs(queue, size, int(queue["attributes"].get("VisibilityTimeout", "30")))

    around(lambda_svc, "_create_esm")(lambda original, data: _refused(data, data) or original(data))
    around(lambda_svc, "_update_esm")(
        lambda original, key, data: _refused(data, {**(lambda_svc._esms.get(key) or {}), **data}) or original(key, data))

    batch = threading.local()

    @around(lambda_svc, "_run_sqs_batch")
    def run(original, mapping, function, event, *rest):
        batch.reports = "ReportBatchItemFailures" in mapping.get("FunctionResponseTypes", [])
        batch.ids = [record["messageId"] for record in event["Records"]]
        original(mapping, function, event, *rest)

    @around(lambda_svc, "_execute_function")
    def execute(original, function, event):
        result = original(function, event)
        if getattr(batch, "reports", False) and not result.get("error"):
            result = {**result, "body": _answer(result.get("body"), batch.ids)}
        return result


def _answer(body, ids):
    """Returns a function's answer about a batch in the one form that MiniStack reads as AWS does."""
    failures = (body or {}).get("batchItemFailures") if isinstance(body or {}, dict) else [None]
    named = [failure.get("itemIdentifier") if isinstance(failure, dict) else None for failure in failures or []]
    if not set(named) <= set(ids):
        named = ids
    return {"batchItemFailures": [{"itemIdentifier": name} for name in named]}


class Clock:
    """Wakes the poller when a message becomes due."""

    def __init__(self):
        self._changed = threading.Condition()
        self._next = None
        threading.Thread(target=self._run, daemon=True).start()

    def wake(self, at):
        with self._changed:
            if at is not None and (self._next is None or at < self._next):
                self._next = at
                self._changed.notify()

    def _run(self):
        with self._changed:
            while True:
                left = None if self._next is None else self._next - time.time()
                if left is None or left > 0:
                    self._changed.wait(left)
                else:
                    self._next = None
                    esm_wake.set()


def _refused(asked, whole):
    """Returns the reply to a mapping whose batches need a window and have none."""
    if not asked.keys() & {"BatchSize", "MaximumBatchingWindowInSeconds"} or ":sqs:" not in whole.get("EventSourceArn", ""):
        return None
    if (whole.get("BatchSize") or 10) > 10 and not whole.get("MaximumBatchingWindowInSeconds"):
        return error_response_json(
            "InvalidParameterValueException",
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10", 400)
    return None


def _window(queue):
    """Returns the batch window of a queue's mapping, in seconds."""
    arn = queue["attributes"]["QueueArn"]
    return max((mapping.get("MaximumBatchingWindowInSeconds") or 0
                for _, _, mapping in lambda_svc._iter_all_esms() if mapping.get("EventSourceArn") == arn), default=0)


def poll(switch, *queues):
    """Makes functions receive the messages of these queues, by default of all, or leaves the messages in the queues."""
    if queues:
        (paused.difference_update if switch == "on" else paused.update)(queues)
    else:
        polling.set() if switch == "on" else polling.clear()
    esm_wake.set()
    return {"polling": polling.is_set(), "paused": sorted(paused)}


def drop():
    """Removes all messages from the queues that feed functions, without a call that anybody sees."""
    dropped = 0
    for account, region, mapping in lambda_svc._iter_all_esms():
        with request_scope(account, region), sqs._queues_lock:
            for queue in sqs._queues.values():
                if queue["attributes"]["QueueArn"] == mapping.get("EventSourceArn"):
                    dropped += len(queue["messages"])
                    queue["messages"].clear()
    return {"dropped": dropped}
