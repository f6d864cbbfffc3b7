"""Starts MiniStack with the parts of AWS that it lacks.

Each of the other modules adds to one service and names the AWS document that
it follows. If MiniStack no longer has what a module extends, the start fails:
no emulator is better than one that silently lacks a part.

Environment: LAB_TOKEN is the secret of the lab's own endpoints (/_lab/...);
everything else is MiniStack's.
"""

import importlib
import os
import signal
import sys
import threading

PARTS = ("alarms", "authorization", "batches", "buses", "flowlogs", "forwarding", "functionlogs", "insights", "logpolicies", "logs", "maps", "metrics", "moves", "mutes",
         "networks", "organizations", "parameters", "patterns", "policies", "regions", "runtimes", "schedules", "securityhub", "stacks", "topics", "trails", "vpcs")


def die_with_parent():
    """Ends the whole process group, including functions, when the parent has ended."""
    sys.stdin.buffer.read()
    os.killpg(0, signal.SIGKILL)


def main():
    try:
        import cbor2  # noqa: F401  MiniStack needs it for CloudWatch and does not declare it
        from ministack import app
    except ImportError as missing:
        sys.exit(f"lab: {missing}: install requirements.txt into this virtual environment")
    for part in PARTS:
        importlib.import_module(part).install()
    # Functions inherit the environment, so the token is removed from it.
    importlib.import_module("endpoints").install(os.environ.pop("LAB_TOKEN"))
    threading.Thread(target=die_with_parent, daemon=True).start()
    app.main()


main()
