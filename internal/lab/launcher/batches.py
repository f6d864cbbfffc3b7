"""The batch window and batch size of an event source mapping on a queue.

Lambda gathers messages until the window ends or the batch is full; a batch has
up to 10,000 messages. MiniStack invokes at once, with at most ten messages.
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
"""

import threading
import time

from ministack.core.responses import request_scope
from ministack.services import lambda_svc, sqs

from hook import around

polling = threading.Event()  # while it is not set, no function receives a message
polling.set()
paused = set()  # names of further queues whose messages no function receives


def install():
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
            waiting = [m["visible_at"] for m in queue["messages"] if m["visible_at"] <= now]
            if not waiting or len(waiting) < size and now - min(waiting) < _window(queue):
                return []
            return sqs._collect_msgs(queue, size, int(queue["attributes"].get("VisibilityTimeout", "30")))


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
